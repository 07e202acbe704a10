package httpapi

import (
	"strings"
	"sync"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

func placesOrder(a asked) bool { return a.cmd.GetPlaceOrder() != nil }

// sent places an order and returns the command that went to the order.
func sent(t *testing.T, scope, body string, headers ...string) asked {
	t.Helper()
	var visit Visit
	b := newBench(t, func(c *Config) { c.Guard = gate{visit: &visit, who: func(Visit) string { return scope }} })
	b.asker.answer = permissive
	b.send(t, "POST", "/orders", body, headers...).want(t, 201)
	return b.asker.only(t, placesOrder)
}

func TestCommandOfAKey(t *testing.T) {
	first := sent(t, "ada", goodOrder, "Idempotency-Key", "k1")
	again := sent(t, "ada", goodOrder, "Idempotency-Key", "k1")
	if first.cmd.GetId() != again.cmd.GetId() || first.identity != again.identity || first.cmd.GetFingerprint() != again.cmd.GetFingerprint() {
		t.Errorf("the same request gives %v and %v", first, again)
	}
	if len(first.cmd.GetId()) != 22 || len(first.cmd.GetFingerprint()) != 16 {
		t.Errorf("id %q, fingerprint %q", first.cmd.GetId(), first.cmd.GetFingerprint())
	}
	if id := first.cmd.GetPlaceOrder().GetId(); first.identity != domain.OrderIdentity(id) || first.cmd.GetPlaceOrder().GetOrderNumber() != domain.OrderNumber(id) {
		t.Errorf("order %s at %s", id, first.identity)
	}
	laidOut := strings.NewReplacer(`"quantity":2,"unitPrice":500`, `"unitPrice" : 500 , "quantity" : 2`, "Ada", `\u0041da`).Replace(goodOrder)
	if other := sent(t, "ada", laidOut, "Idempotency-Key", "k1"); other.cmd.GetFingerprint() != first.cmd.GetFingerprint() {
		t.Error("another layout of the same body is another request")
	}
	if other := sent(t, "ada", strings.Replace(goodOrder, `"quantity":2`, `"quantity":3`, 1), "Idempotency-Key", "k1"); other.cmd.GetFingerprint() == first.cmd.GetFingerprint() || other.cmd.GetId() != first.cmd.GetId() {
		t.Error("another body does not show")
	}
	for name, other := range map[string]asked{"another key": sent(t, "ada", goodOrder, "Idempotency-Key", "k2"), "another principal": sent(t, "bob", goodOrder, "Idempotency-Key", "k1")} {
		if other.cmd.GetId() == first.cmd.GetId() || other.identity == first.identity {
			t.Errorf("%s reaches the same order", name)
		}
	}
}

func TestCommandWithoutAKeyIsNew(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = permissive
	seen := map[string]bool{}
	for range 50 {
		b.send(t, "POST", "/orders", goodOrder).want(t, 201)
	}
	for _, a := range b.asker.all() {
		if a.cmd.GetPlaceOrder() == nil {
			continue
		}
		if seen[a.cmd.GetId()] || seen[a.identity] || a.cmd.GetFingerprint() != "" {
			t.Fatalf("repeated: %v", a)
		}
		seen[a.cmd.GetId()], seen[a.identity] = true, true
	}
	if len(seen) != 100 {
		t.Errorf("%d ids and identities, want 100", len(seen))
	}
}

func TestMalformedKeys(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = permissive
	for key, status := range map[string]int{"": 400, strings.Repeat("k", 255): 201, strings.Repeat("k", 256): 400, "ключ": 400, "a\tb": 400, "a b~!": 201} {
		if a := b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", key); a.StatusCode != status {
			t.Errorf("key %q: %d, want %d", key, a.StatusCode, status)
		}
	}
}

// A repeat in parallel and later gets the first answer; another body under the same key is refused.
func TestSameKeySameAnswer(t *testing.T) {
	b := newBench(t, nil)
	s := b.open()
	var group sync.WaitGroup
	products := make([]answered, 8)
	for i := range products {
		group.Go(func() { products[i] = b.send(t, "POST", "/products", goodProduct, "Idempotency-Key", "p1") })
	}
	group.Wait()
	for _, p := range products {
		if p.StatusCode != 201 || string(p.body) != string(products[0].body) || p.Header.Get("Location") != products[0].Header.Get("Location") {
			t.Errorf("%d %s, first %s", p.StatusCode, p.body, products[0].body)
		}
	}
	s.settle("prod-1")
	if p := b.send(t, "POST", "/products", strings.Replace(goodProduct, "KB-1", "KB-2", 1), "Idempotency-Key", "p1").want(t, 409).problem(t); p.Code != "idempotency_key_reused" {
		t.Errorf("problem %+v", p)
	}
	if p := b.send(t, "POST", "/payments", goodPayment, "Idempotency-Key", "p1").want(t, 409).problem(t); p.Code != "idempotency_key_reused" {
		t.Errorf("the key of another route: problem %+v", p)
	}

	first := b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "o1").want(t, 201)
	noon := s.at
	s.at = noon + 5000
	second := b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "o1").want(t, 201)
	if string(first.body) != string(second.body) || first.Header.Get("Location") != second.Header.Get("Location") {
		t.Errorf("%s, then %s", first.body, second.body)
	}
	if p := b.send(t, "POST", "/orders", strings.Replace(goodOrder, `"quantity":2`, `"quantity":1`, 1), "Idempotency-Key", "o1").want(t, 409).problem(t); p.Code != "idempotency_key_reused" {
		t.Errorf("problem %+v", p)
	}
}

func TestDocumentsBeginWithTheirID(t *testing.T) {
	for _, document := range []domain.Appender{order.Document{ID: someID}, product.Document{ID: someID}} {
		if id, ok := documentID(domain.JSON(document)); !ok || id != someID {
			t.Errorf("%T: read %q", document, id)
		}
	}
	for _, none := range []string{"", "{}", `{"_id":"`, `{"_id":"x"}`, `{"_id":null,"x":"` + someID + `"}`} {
		if id, ok := documentID([]byte(none)); ok {
			t.Errorf("%s has the id %q", none, id)
		}
	}
}
