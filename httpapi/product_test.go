package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
)

func TestProductLife(t *testing.T) {
	b := newBench(t, nil)
	s := b.open()
	created := b.send(t, "POST", "/products", goodProduct).want(t, 201)
	s.settle("prod-1")
	path := created.Header.Get("Location")
	if path != "/products/"+created.object(t)["_id"].(string) {
		t.Fatalf("Location %q of %s", path, created.body)
	}
	for _, target := range []string{path, "/products/by-product-id/prod-1"} {
		if a := b.send(t, "GET", target, "").want(t, 200); a.object(t)["_id"] != created.object(t)["_id"] || a.Header.Get("ETag") == "" {
			t.Errorf("%s: %s", target, a.body)
		}
	}
	if a := b.send(t, "GET", "/products/prod-1/available-quantity", "").want(t, 200); string(a.body) != `{"availableQuantity":10}` {
		t.Errorf("available: %s", a.body)
	}
	if d := b.send(t, "PATCH", path, `{"price":700,"productId":"prod-1"}`).want(t, 200).object(t); d["price"] != 700.0 {
		t.Errorf("product %v", d)
	}
	if p := b.send(t, "PATCH", path, `{"productId":"prod-2"}`).want(t, 409).problem(t); p.Code != "product_id_fixed" {
		t.Errorf("problem %+v", p)
	}
	b.send(t, "POST", "/products", goodProduct).want(t, 409).problem(t)
	b.send(t, "DELETE", path, "").want(t, 204)
	for _, target := range []string{path, "/products/by-product-id/prod-1", "/products/prod-1/available-quantity", "/products/prod-1/stock-movements"} {
		b.send(t, "GET", target, "").want(t, 404).problem(t)
	}
	b.send(t, "PATCH", path, `{"sku":"KB-9"}`).want(t, 404).problem(t)
	if s.claims["sku/KB-9"] != nil {
		t.Error("a change of a product that is gone has claimed a sku")
	}
}

func TestUniqueSKU(t *testing.T) {
	b := newBench(t, nil)
	s := b.open()
	b.send(t, "POST", "/products", goodProduct).want(t, 201)
	s.settle("prod-1")
	second := strings.Replace(goodProduct, "prod-1", "prod-2", 1)
	if p := b.send(t, "POST", "/products", second).want(t, 409).problem(t); p.Code != "duplicate_sku" {
		t.Errorf("problem %+v", p)
	}
	other := b.send(t, "POST", "/products", strings.Replace(second, "KB-1", "KB-2", 1)).want(t, 201)
	s.settle("prod-2")
	if p := b.send(t, "PATCH", other.Header.Get("Location"), `{"sku":"KB-1"}`).want(t, 409).problem(t); p.Code != "duplicate_sku" {
		t.Errorf("problem %+v", p)
	}
	b.send(t, "PATCH", other.Header.Get("Location"), `{"sku":"KB-3"}`).want(t, 200)
	if p := b.send(t, "POST", "/products", strings.NewReplacer("prod-1", "prod-3", "KB-1", "KB-3").Replace(goodProduct)).want(t, 409).problem(t); p.Code != "duplicate_sku" {
		t.Errorf("problem %+v", p)
	}
	// A productId that is taken must not cost anybody else a sku.
	if p := b.send(t, "POST", "/products", strings.Replace(goodProduct, "KB-1", "KB-7", 1)).want(t, 409).problem(t); p.Code != "duplicate_product_id" {
		t.Errorf("problem %+v", p)
	}
	b.send(t, "POST", "/products", strings.NewReplacer("prod-1", "prod-7", "KB-1", "KB-7").Replace(goodProduct)).want(t, 201)
}

func TestClaimsCarryNoCommandID(t *testing.T) {
	b := newBench(t, nil)
	b.open()
	b.send(t, "POST", "/products", goodProduct, "Idempotency-Key", "k").want(t, 201)
	claims := 0
	for _, a := range b.asker.all() {
		if c := a.cmd.GetAcquireClaim(); c != nil {
			claims++
			key := strings.HasPrefix(a.identity, "key/")
			ttl, until := provisional.Milliseconds(), noon.Add(provisional).UnixMilli()
			if key {
				ttl, until = 0, 0
			}
			if a.cmd.GetId() != "" || c.GetTtl() != ttl || c.GetUntil() != until {
				t.Errorf("claim %v", a)
			}
		}
	}
	if claims != 3 {
		t.Errorf("%d claims", claims)
	}
}

func TestStrangeProductIDs(t *testing.T) {
	for _, productID := range []string{"a/b", "a b", "..x", "säge", "100%", "search?", "x#y", "+++"} {
		b := newBench(t, nil)
		b.open()
		body, _ := json.Marshal(productID)
		b.send(t, "POST", "/products", put(t, goodProduct, "productId", string(body))).want(t, 201)
		if d := b.send(t, "GET", "/products/by-product-id/"+url.PathEscape(productID), "").want(t, 200).object(t); d["productId"] != productID {
			t.Errorf("%q: %v", productID, d)
		}
	}
}

func TestLedger(t *testing.T) {
	b := newBench(t, nil)
	s := b.open()
	b.send(t, "POST", "/products", goodProduct).want(t, 201)
	s.settle("prod-1")
	state := s.products["prod-1"]
	happens := func(command product.Command) {
		t.Helper()
		events, err := product.Decide(state, command)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			data, err := product.Codec.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			state.Evolve(e)
			b.past.append("product/prod-1", storage.Event{Type: e.EventType(), Schema: 1, At: s.at.Std(), Data: data})
		}
	}
	far := s.at + 1_000_000
	happens(product.Hold{OrderID: "o1", Quantity: 4, ExpiresAt: far, At: s.at})
	happens(product.Hold{OrderID: "o2", Quantity: 2, ExpiresAt: far, At: s.at})
	happens(product.Take{OrderID: "o1", At: s.at})
	happens(product.Return{OrderID: "o2", Reason: "expired", At: s.at})
	happens(product.Return{OrderID: "o3", Reason: "never came", At: s.at}) // moves nothing
	happens(product.Return{OrderID: "o1", Reason: "refunded", At: s.at})
	moved := b.send(t, "POST", "/products/prod-1/stock-adjustments", `{"delta":-3,"reason":"lost"}`).want(t, 201).object(t)
	if moved["type"] != "adjustment" || moved["stockQuantity"] != 7.0 || moved["reason"] != "lost" {
		t.Errorf("movement %v", moved)
	}
	if p := b.send(t, "POST", "/products/prod-1/stock-adjustments", `{"delta":-8,"reason":"lost"}`).want(t, 409).problem(t); p.Code != "stock_below_reserved" {
		t.Errorf("problem %+v", p)
	}

	var story []string
	ids := map[string]bool{}
	page := b.send(t, "GET", "/products/prod-1/stock-movements?limit=2", "").want(t, 200)
	for {
		var movements []product.Movement
		if err := json.Unmarshal(page.body, &movements); err != nil {
			t.Fatal(err)
		}
		for _, m := range movements {
			story = append(story, fmt.Sprintf("%s %d %s/%d/%d", m.Type, m.Quantity, m.OrderID, m.StockQuantity, m.ReservedQuantity))
			if ids[m.ID] || !domain.IsID(m.ID) || m.ProductID != "prod-1" || m.AvailableQuantity != m.StockQuantity-m.ReservedQuantity || m.CreatedAt == 0 {
				t.Errorf("movement %+v", m)
			}
			ids[m.ID] = true
		}
		if page.Header.Get("Link") == "" {
			break
		}
		page = b.follow(t, page)
	}
	want := "[adjustment -3 /7/0 restock 4 o1/10/0 release 2 o2/6/0 sale 4 o1/6/2 reserve 2 o2/10/6 reserve 4 o1/10/4 initial 10 /10/0]"
	if fmt.Sprint(story) != want {
		t.Errorf("ledger %v\nwant   %s", story, want)
	}

	b.send(t, "DELETE", "/products/"+state.Entry.ID, "").want(t, 204)
	s.settle("prod-1")
	b.send(t, "POST", "/products", strings.Replace(goodProduct, `"stockQuantity":10`, `"stockQuantity":5`, 1), "Idempotency-Key", "second life").want(t, 201)
	var movements []product.Movement
	reborn := b.send(t, "GET", "/products/prod-1/stock-movements", "").want(t, 200)
	if err := json.Unmarshal(reborn.body, &movements); err != nil || len(movements) != 1 || movements[0].StockQuantity != 5 {
		t.Errorf("%v: %s", err, reborn.body)
	}
}

// The ledger of a busy product is longer than one read of the journal.
func TestLedgerReadsOn(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = permissiveProduct
	created, _ := product.Codec.Encode(product.Created{Stock: 1000, At: 1})
	b.past.append("product/prod-1", storage.Event{Type: "product.created", Schema: 1, At: noon, Data: created})
	forgotten, _ := product.Codec.Encode(product.Forgotten{At: 1})
	for range 300 {
		b.past.append("product/prod-1", storage.Event{Type: "product.forgotten", Schema: 1, At: noon, Data: forgotten})
	}
	var movements []product.Movement
	a := b.send(t, "GET", "/products/prod-1/stock-movements", "").want(t, 200)
	if err := json.Unmarshal(a.body, &movements); err != nil || len(movements) != 1 || movements[0].Type != "initial" {
		t.Errorf("%v: %s", err, a.body)
	}
}

func TestIdentitiesAreBounded(t *testing.T) {
	i := newIdentities()
	i.put("kept", "prod-kept")
	for n := range 5 * identitiesPerGeneration {
		i.put(fmt.Sprint(n), "p")
		if _, ok := i.get("kept"); !ok {
			t.Fatalf("what is asked for fell out after %d", n)
		}
	}
	if n := len(i.young) + len(i.old); n > 2*identitiesPerGeneration {
		t.Errorf("holds %d", n)
	}
	if _, ok := i.get("0"); ok {
		t.Error("what nobody asks for is still there")
	}
}
