package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// stocked is a front end over real rules, with the product prod-1 at 500.
func stocked(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, nil)
	s := b.open()
	b.send(t, "POST", "/products", goodProduct).want(t, 201)
	s.settle("prod-1")
	return b
}

func TestPlaceOrder(t *testing.T) {
	b := stocked(t)
	placed := b.send(t, "POST", "/orders", goodOrder).want(t, 201)
	d := placed.object(t)
	id := d["_id"].(string)
	if placed.Header.Get("Location") != "/orders/"+id || placed.Header.Get("ETag") != `"2"` {
		t.Errorf("headers %v of order %s", placed.Header, id)
	}
	if d["total"] != 2100.0 || d["status"] != "pending" || d["orderNumber"] != domain.OrderNumber(id) {
		t.Errorf("order %v", d)
	}
	for _, path := range []string{"/orders/" + id, "/orders/number/" + domain.OrderNumber(id)} {
		if got := b.send(t, "GET", path, "").want(t, 200); string(got.body) != string(placed.body) || got.Header.Get("ETag") != `"2"` {
			t.Errorf("%s answers %s", path, got.body)
		}
	}
	if again := b.send(t, "POST", "/orders", goodOrder).want(t, 201).object(t); again["_id"] == id {
		t.Error("a second order without a key is the first one")
	}
}

func TestPlaceOrderQuotesEachProductOnce(t *testing.T) {
	b := stocked(t)
	body := strings.Replace(goodOrder, `"items":[`, `"items":[{"productId":"prod-1","quantity":1},{"productId":"prod-9","quantity":1},`, 1)
	p := b.send(t, "POST", "/orders", body).want(t, 400).problem(t)
	if p.Code != "unknown_product" || !strings.HasPrefix(p.messages()[0], "items.1.productId") {
		t.Errorf("problem %+v", p)
	}
	quotes := map[string]int{}
	for _, a := range b.asker.all() {
		if a.cmd.GetQuoteProduct() != nil {
			quotes[a.identity]++
		}
	}
	if fmt.Sprint(quotes) != "map[prod-1:1 prod-9:1]" {
		t.Errorf("quotes %v", quotes)
	}
}

func TestPlaceOrderRefusesAnotherPrice(t *testing.T) {
	b := stocked(t)
	p := b.send(t, "POST", "/orders", strings.Replace(goodOrder, `"unitPrice":500`, `"unitPrice":499`, 1)).want(t, 409).problem(t)
	if p.Code != "price_changed" || !strings.Contains(p.Detail, "500") {
		t.Errorf("problem %+v", p)
	}
}

func TestPlaceOrderTriesAnotherIDOnCollision(t *testing.T) {
	b := newBench(t, nil)
	ids := map[string]bool{}
	b.asker.answer = func(_ context.Context, kind, _ string, cmd *messages.Command) (*messages.Reply, error) {
		if kind == kindProduct {
			return &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{}}}, nil
		}
		ids[cmd.GetPlaceOrder().GetId()] = true
		if len(ids) < placements {
			return refusal(3, "order_exists", "exists"), nil
		}
		return &messages.Reply{Version: 1, Document: []byte(`{}`)}, nil
	}
	b.send(t, "POST", "/orders", goodOrder).want(t, 201)
	if len(ids) != placements {
		t.Errorf("tried %d ids, want %d", len(ids), placements)
	}
	clear(ids)
	b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "k").want(t, 409)
	if len(ids) != 1 {
		t.Errorf("with a key: tried %d ids, want 1", len(ids))
	}
}

func TestChangeOrder(t *testing.T) {
	b := stocked(t)
	id := b.send(t, "POST", "/orders", goodOrder).want(t, 201).object(t)["_id"].(string)
	path := "/orders/" + id
	if d := b.send(t, "PATCH", path, `{"notes":"leave at the door"}`).want(t, 200).object(t); d["notes"] != "leave at the door" {
		t.Errorf("order %v", d)
	}
	b.send(t, "PATCH", path, `{"status":"shipped"}`).want(t, 409).problem(t)
	b.send(t, "DELETE", path, "").want(t, 409).problem(t)
	first := b.send(t, "POST", path+"/cancel", `{"reason":"changed my mind"}`).want(t, 200)
	if d := first.object(t); d["status"] != "cancelled" || d["cancelReason"] != "changed my mind" {
		t.Errorf("order %v", d)
	}
	if second := b.send(t, "POST", path+"/cancel", "").want(t, 200); string(second.body) != string(first.body) {
		t.Errorf("cancelled again: %s, first %s", second.body, first.body)
	}
	if gone := b.send(t, "DELETE", path, "").want(t, 204); len(gone.body) != 0 {
		t.Errorf("204 with a body: %s", gone.body)
	}
	for _, hidden := range []string{path, path + "/events", path + "?at=1", "/orders/number/" + domain.OrderNumber(id)} {
		b.send(t, "GET", hidden, "").want(t, 404).problem(t)
	}
	b.send(t, "POST", path+"/cancel", "").want(t, 404).problem(t)
}

func TestMalformedOrderIDsAreNotFound(t *testing.T) {
	b := stocked(t)
	asked := len(b.asker.all())
	for _, path := range []string{"/orders/1", "/orders/652F1C7A9B3D4E5F60718293", "/orders/zzzzzzzzzzzzzzzzzzzzzzzz", "/orders/%00", "/orders/%zz", "/orders/%ff",
		"/orders/number/ORD-1", "/orders/number/x", "/orders/1/events", "/products/1", "/payments/1", "/payments/pay_zz", "/products/by-product-id/ab",
		"/products/" + strings.Repeat("x", 101) + "/stock-movements", "/inventory/reservations/" + strings.Repeat("x", 101)} {
		b.send(t, "GET", path, "").want(t, 404).problem(t)
	}
	for _, a := range b.asker.all()[asked:] {
		t.Errorf("asked %s/%s for a malformed id", a.kind, a.identity)
	}
}

func TestTimelineAndPast(t *testing.T) {
	b := newBench(t, nil)
	s := b.open()
	b.send(t, "POST", "/products", goodProduct).want(t, 201)
	s.settle("prod-1")
	id := b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "k1").want(t, 201).object(t)["_id"].(string)
	s.at += 60_000
	b.send(t, "PATCH", "/orders/"+id, `{"notes":"later"}`).want(t, 200)

	var events []map[string]any
	timeline := b.send(t, "GET", "/orders/"+id+"/events", "").want(t, 200)
	if err := json.Unmarshal(timeline.body, &events); err != nil || len(events) != 3 {
		t.Fatalf("%v: %s", err, timeline.body)
	}
	if e := events[0]; e["sequence"] != 1.0 || e["type"] != "order.placed" || e["cause"] != "POST /orders" || len(e["commandId"].(string)) != 22 ||
		e["time"] != "2026-01-31T12:00:00.500Z" || e["data"].(map[string]any)["id"] != id {
		t.Errorf("first event %v", e)
	}
	page := b.send(t, "GET", "/orders/"+id+"/events?after=1&limit=1", "").want(t, 200)
	if err := json.Unmarshal(page.body, &events); err != nil || len(events) != 1 || events[0]["sequence"] != 2.0 {
		t.Errorf("%v: %s", err, page.body)
	}
	next := b.follow(t, page)
	if err := json.Unmarshal(next.body, &events); err != nil || len(events) != 1 || events[0]["sequence"] != 3.0 || next.Header.Get("Link") != "" {
		t.Errorf("%v: %s", err, next.body)
	}

	for at, notes := range map[string]string{"1": "ring twice", "2": "ring twice", "3": "later", "99": "later",
		"2026-01-31T12:00:30Z": "ring twice", "2026-01-31T12:01:00.500Z": "later", "2026-01-31T13:01:00.500%2B01:00": "later", "2026-01-31T13:01:00.500+01:00": "later"} {
		if d := b.send(t, "GET", "/orders/"+id+"?at="+at, "").want(t, 200).object(t); d["notes"] != notes {
			t.Errorf("at %s: notes %v, want %q", at, d["notes"], notes)
		}
	}
	b.send(t, "GET", "/orders/"+id+"?at=0", "").want(t, 404).problem(t)
	b.send(t, "GET", "/orders/"+id+"?at=2026-01-31T11:59:59Z", "").want(t, 404).problem(t)
	for _, garbage := range []string{"-1", "yesterday", "1.5", "2026-13-01T00:00:00Z", "%00"} {
		b.send(t, "GET", "/orders/"+id+"?at="+garbage, "").want(t, 400).problem(t)
	}
	b.send(t, "GET", "/orders/"+someID+"/events", "").want(t, 404).problem(t)
}

func TestPreferWait(t *testing.T) {
	for header, seconds := range map[string]int{"wait=5": 5, "respond-async, wait=\"7\"": 7, "WAIT = 3; foo": 3, "wait=900": 30,
		"wait=0": 0, "wait=-1": 0, "wait=soon": 0, "wait": 0, "wait=1.5": 0, "": 0} {
		b := newBench(t, nil)
		var until int64
		b.asker.answer = func(ctx context.Context, kind, _ string, cmd *messages.Command) (*messages.Reply, error) {
			switch {
			case kind == kindProduct:
				return &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{}}}, nil
			case cmd.GetGetOrder() != nil:
				until = cmd.GetGetOrder().GetWaitUntil()
				if deadline, _ := ctx.Deadline(); deadline.UnixMilli() != cmd.GetDeadline() {
					t.Errorf("deadline %v in the context, %d in the command", deadline, cmd.GetDeadline())
				}
				return &messages.Reply{Version: 9, Document: []byte(`{"status":"confirmed"}`)}, nil
			}
			return &messages.Reply{Version: 1, Document: []byte(`{"status":"pending"}`)}, nil
		}
		a := b.send(t, "POST", "/orders", goodOrder, "Prefer", header).want(t, http.StatusCreated)
		if seconds == 0 {
			if until != 0 || a.Header.Get("Preference-Applied") != "" || a.object(t)["status"] != "pending" {
				t.Errorf("Prefer %q: waited", header)
			}
			continue
		}
		if got := until - noon.UnixMilli(); got != int64(seconds)*1000 || a.Header.Get("Preference-Applied") != fmt.Sprintf("wait=%d", seconds) ||
			a.Header.Get("ETag") != `"9"` || a.object(t)["status"] != "confirmed" {
			t.Errorf("Prefer %q: waited %d ms, headers %v, body %s", header, got, a.Header, a.body)
		}
	}
}

func TestPreferWaitDoesNotLoseTheOrder(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = func(_ context.Context, kind, _ string, cmd *messages.Command) (*messages.Reply, error) {
		switch {
		case kind == kindProduct:
			return &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{}}}, nil
		case cmd.GetGetOrder() != nil:
			return nil, errAway
		}
		return &messages.Reply{Version: 1, Document: []byte(`{"status":"pending"}`)}, nil
	}
	if d := b.send(t, "POST", "/orders", goodOrder, "Prefer", "wait=1").want(t, 201).object(t); d["status"] != "pending" {
		t.Errorf("order %v", d)
	}
}
