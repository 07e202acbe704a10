package httpapi

import (
	"context"
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// shelf is a fake of what a store knows to be newest.
type shelf map[storage.Stream]storage.Document

func (s shelf) Newest(_ context.Context, stream storage.Stream, c storage.Collection, id string) (storage.Document, storage.Projection, error) {
	if d, ok := s[stream]; ok && d.Collection == c && d.ID == id {
		return d, storage.Projection{Stream: stream, Version: 7}, nil
	}
	return storage.Document{}, storage.Projection{}, storage.ErrNotFound
}

func TestOrdersAndProductsAreReadWithoutWakingThem(t *testing.T) {
	const settled, open, product = "0123456789abcdef01234567", "0123456789abcdef89abcdef", "00112233445566778899aabb"
	b := newBench(t, func(c *Config) {
		c.Newest = shelf{storage.StreamOf(kindOrder, settled[8:]): {Collection: storage.Orders, ID: settled, Body: []byte(`{"_id":"settled"}`)},
			storage.StreamOf(kindProduct, "lamp"): {Collection: storage.Products, ID: product, Body: []byte(`{"_id":"lamp"}`)}}
	})
	b.asker.answer = replies(&messages.Reply{Version: 3, Document: []byte(`{"_id":"open"}`), Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: product, Value: "lamp"}}})

	got := b.send(t, "GET", "/orders/"+settled, "").want(t, 200)
	if string(got.body) != `{"_id":"settled"}` || got.Header.Get("ETag") != `"7"` || len(b.asker.all()) != 0 {
		t.Errorf("a settled order: %s, %v, asked %v", got.body, got.Header, b.asker.all())
	}
	b.send(t, "GET", "/orders/"+settled, "", "If-None-Match", `"7"`).want(t, 304)

	if got := b.send(t, "GET", "/products/"+product, "").want(t, 200); string(got.body) != `{"_id":"lamp"}` || got.Header.Get("ETag") != `"7"` {
		t.Errorf("a settled product: %s, %v", got.body, got.Header)
	}
	for _, x := range b.asker.all() {
		if x.kind != kindClaim {
			t.Errorf("a settled product: asked %v", x)
		}
	}

	b.asker.log = nil
	got = b.send(t, "GET", "/orders/"+open, "").want(t, 200)
	if string(got.body) != `{"_id":"open"}` || got.Header.Get("ETag") != `"3"` || len(b.asker.all()) != 1 {
		t.Errorf("an order that is not known to be current: %s, %v, asked %v", got.body, got.Header, b.asker.all())
	}
}

// TestAProductIsFoundByItsReadModel: without waking the claim on its _id. The read model need not be up to date for that.
func TestAProductIsFoundByItsReadModel(t *testing.T) {
	const listed, unknown = "00112233445566778899aabb", "00112233445566778899aacc"
	b := newBench(t, nil)
	b.views.documents = []storage.Document{{Collection: storage.Products, ID: listed, Body: []byte(`{"_id":"00112233445566778899aabb","productId":"lamp"}`)}}
	b.asker.answer = replies(&messages.Reply{Version: 3, Document: []byte(`{"_id":"lamp"}`), Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: unknown, Value: "desk"}}})
	for _, c := range []struct{ id, asked string }{{listed, "[product/lamp]"}, {listed, "[product/lamp]"}, {unknown, "[claim/product/" + unknown + " product/desk]"}} {
		b.asker.log = nil
		b.send(t, "GET", "/products/"+c.id, "").want(t, 200)
		var asked []string
		for _, x := range b.asker.all() {
			asked = append(asked, x.kind+"/"+x.identity)
		}
		if got := fmt.Sprint(asked); got != c.asked {
			t.Errorf("product %s: asked %s, want %s", c.id, got, c.asked)
		}
	}
}
