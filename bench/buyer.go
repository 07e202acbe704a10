package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// orderBodies are the orders that buyers place one after another, made beforehand, so that the load costs little. They
// are the same in each run with the same products and lines: products are drawn at random, and in random order, so that
// orders of several lines cross.
func orderBodies(load Load) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	bodies := make([][]byte, max(1024, 4*load.Products))
	for i := range bodies {
		var lines []string
		drawn := make(map[int]bool)
		for len(lines) < load.Lines {
			p := random.IntN(load.Products)
			if drawn[p] && load.Products >= load.Lines {
				continue
			}
			drawn[p] = true
			lines = append(lines, fmt.Sprintf(`{"productId":%q,"quantity":1}`, productID(p)))
		}
		bodies[i] = []byte(`{"customer":{"customerId":"` + load.customer() + `","email":"bench@example.com","firstName":"Bench","lastName":"Buyer"},"items":[` +
			strings.Join(lines, ",") + `],"shippingAddress":{"street":"1 Long Street","city":"London","state":"London","postalCode":"SW1Y 4JH","country":"GB"},"paymentMethod":"pm_card_visa"}`)
	}
	return bodies
}

// buyer places one order after another.
type buyer struct {
	client   *fasthttp.Client
	load     Load
	start    time.Time
	member   int           // whose turn it is
	bodies   [][]byte      // what all buyers order
	placed   *atomic.Int64 // orders of all buyers
	request  fasthttp.Request
	response fasthttp.Response
	answers  []Answer
	retried  int
}

// buy places an order that was due at that time.
func (b *buyer) buy(due time.Time) {
	n := b.placed.Add(1)
	b.request.Reset()
	b.request.Header.SetMethod(http.MethodPost)
	b.request.Header.SetContentType("application/json")
	b.request.SetBodyRaw(b.bodies[n%int64(len(b.bodies))])
	if b.load.Wait {
		b.request.Header.Set("Prefer", "wait=30")
	}
	accepted := b.place(n)
	answer := Answer{At: time.Since(b.start), Took: time.Since(due), Accepted: accepted}
	if accepted {
		answer.ID = idOf(b.response.Body())
	}
	b.answers = append(b.answers, answer)
}

// patience is how long a buyer tries to place one order where there are several members to try.
const patience = 15 * time.Second

// place does what a load balancer does: an order that a member can't take now goes to the next one, under the same key.
func (b *buyer) place(n int64) bool {
	if len(b.load.URLs) == 1 {
		status, err := b.send()
		return err == nil && status == http.StatusCreated
	}
	b.request.Header.Set("Idempotency-Key", fmt.Sprintf("%s-%d", b.load.Run, n))
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		status, err := b.send()
		if err == nil && status < http.StatusInternalServerError {
			return status == http.StatusCreated
		}
		b.member = (b.member + 1) % len(b.load.URLs)
		b.retried++
	}
	return false
}

func (b *buyer) send() (status int, err error) {
	b.request.SetRequestURI(b.load.URLs[b.member] + "/orders")
	err = b.client.Do(&b.request, &b.response)
	return b.response.StatusCode(), err
}

// idOf finds the _id in a document without decoding the rest of it; empty if there is none.
func idOf(document []byte) string {
	const key, digits = `"_id":"`, 24
	at := bytes.Index(document, []byte(key))
	if at < 0 || len(document) < at+len(key)+digits {
		return ""
	}
	return string(document[at+len(key):][:digits])
}
