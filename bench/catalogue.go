package bench

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// productID names the bench's own products.
func productID(i int) string { return fmt.Sprintf("bench-%04d", i) }

// The words of which the products' names are made: each combination once, so that a search for one word finds many of
// them, and one for two words few.
var (
	looks     = strings.Fields("amber azure beige black blue bronze brown coral cream crimson emerald golden green grey indigo ivory khaki lemon lilac lime maroon mint navy ochre olive orange pearl pink plum purple red rose ruby sand scarlet silver teal violet white yellow")
	materials = strings.Fields("acrylic aluminium ash bamboo beech birch brass canvas cedar ceramic cherry clay copper cork cotton elm felt glass granite iron jute leather linen maple marble nickel oak paper pine porcelain silk slate steel stone teak tin velvet walnut wicker wool")
	things    = strings.Fields("apron armchair basket bench blanket board bookcase bottle bowl box brush bucket cabinet candle carafe chair chest clock coaster couch cup curtain cushion decanter desk dish drawer dripper easel footstool fork frame goblet grater hammock hanger hook jar jug kettle knife ladle ladder lamp lantern mat mirror mixer mug napkin ottoman oven pan peeler pillow pitcher planter plate platter pot rack rug saucer scale shelf sieve sofa spatula spoon stand stool strainer table tablecloth tankard teapot tongs towel tray trivet trolley tumbler vase wardrobe whisk")
)

func productName(i int) string {
	look, i := looks[i%len(looks)], i/len(looks)
	material, i := materials[i%len(materials)], i/len(materials)
	return fmt.Sprintf("%s %s %s %d", look, material, things[i%len(things)], i/len(things))
}

// Stock makes so many products, each once, and returns their _ids.
func Stock(ctx context.Context, url string, products int) (ids []string, err error) {
	client := newClient([]string{url})
	ids = make([]string, products)
	var next atomic.Int64
	var failure atomic.Pointer[error]
	pace{clients: 32, total: products}.run(ctx, time.Now(), func(int) visit {
		return func(time.Time) {
			i := int(next.Add(1) - 1)
			if id, err := makeProduct(client, url, i); err != nil {
				failure.Store(&err)
			} else {
				ids[i] = id
			}
		}
	})
	if err := failure.Load(); err != nil {
		return nil, *err
	}
	return ids, ctx.Err()
}

func makeProduct(client *fasthttp.Client, url string, i int) (id string, err error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(http.MethodPost)
	request.Header.SetContentType("application/json")
	request.Header.Set("Idempotency-Key", "bench-"+productID(i))
	request.SetRequestURI(url + "/products")
	request.SetBodyString(fmt.Sprintf(`{"productId":%q,"name":%q,"description":"Made for measuring","category":"bench","price":1000,"stockQuantity":100000000,"sku":"SKU-%s"}`,
		productID(i), productName(i), productID(i)))
	err = client.Do(request, response)
	if err == nil && response.StatusCode() != http.StatusCreated {
		err = fmt.Errorf("status %d: %s", response.StatusCode(), response.Body())
	}
	if err != nil {
		return "", fmt.Errorf("make product %s: %w", productID(i), err)
	}
	return idOf(response.Body()), nil
}
