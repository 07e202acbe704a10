package main

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/storage/mongo/mongotest"
)

// What was answered stays answered: after the shop was closed and opened again, a request with the same
// Idempotency-Key gets what it got, and everything is where it was.
func TestARestartChangesNothing(t *testing.T) {
	t.Run("on embedded storage", func(t *testing.T) { restartChangesNothing(t) })
	t.Run("on MongoDB", func(t *testing.T) {
		server, err := mongotest.Start()
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, server.Stop()) })
		prefix := server.Prefix(t)
		restartChangesNothing(t, func(c *Config) { c.MongoURI, c.MongoPrefix = server.URI(), prefix })
	})
}

func restartChangesNothing(t *testing.T, changes ...func(*Config)) {
	s := open(t, changes...)
	c := s.client(t)
	lamp := c.stock(100, 10)
	body := orderOf("pm_card_visa", line(lamp, 1))
	request := map[string]func() answer{
		"place": func() answer { return s.client(t).post("/orders", body, "Idempotency-Key", "place-it") },
		"product": func() answer {
			return s.client(t).post("/products", productOf("twice", "TWICE", 100, 1), "Idempotency-Key", "make-it")
		},
		"adjust": func() answer {
			return s.client(t).post("/products/"+lamp+"/stock-adjustments", object{"delta": 5, "reason": "found"}, "Idempotency-Key", "adjust-it")
		},
	}
	id := expect[orderView](c, http.StatusCreated, request["place"]()).ID
	sold := c.settled(id)
	refund := "/payments/" + sold.payment.PaymentIntentID + "/refund"
	request["refund"] = func() answer {
		return s.client(t).post(refund, object{"amount": 200}, "Idempotency-Key", "refund-it")
	}
	before := map[string]answer{}
	for name, send := range request {
		before[name] = send()
		assert.Equal(t, 2, before[name].status/100, "%s: %s", name, before[name])
	}
	was, ledger := c.look(id), c.ledger(lamp)
	waiting := c.place(invoice, line(lamp, 2))
	payable := c.awaitingPayment(waiting).PaymentIntentID

	s.close()
	s.open()
	c = s.client(t)
	for name, send := range request {
		assert.Equal(t, before[name].String(), send().String(), "%s, sent again", name)
	}
	assert.Equal(t, http.StatusConflict, c.post("/orders", orderOf("pm_card_visa", line(lamp, 2)), "Idempotency-Key", "place-it").status)
	assert.Equal(t, http.StatusConflict, c.post(refund, object{"amount": 201}, "Idempotency-Key", "refund-it").status)
	assert.Equal(t, was, c.look(id))
	assert.Equal(t, ledger[id], c.ledger(lamp)[id])
	assert.EqualValues(t, 200, was.payment.RefundedAmount)

	assert.Equal(t, http.StatusOK, c.confirm(payable, "pm_card_visa").status, "an order goes on where it was")
	ends := c.booksBalance([]string{id, waiting}, lamp)
	assert.Equal(t, "confirmed", ends[waiting].order.Status)
	assert.EqualValues(t, 10+5-1-2, c.product(lamp).StockQuantity)
}

// An order that the shop was closed on is finished by the next life, without anybody asking.
func TestOrdersThatWereUnderWayAreFinished(t *testing.T) {
	s := open(t)
	c := s.client(t)
	lamp, chair := c.stock(100, 1000), c.stock(100, 20)
	orders := gather(60, func(int) string { return c.place("pm_card_visa", line(lamp, 1), line(chair, 1)) })
	s.close()
	s.open()
	c = s.client(t)
	n := map[string]int{}
	for _, end := range c.booksBalance(orders, lamp, chair) {
		n[end.order.Status]++
	}
	assert.Equal(t, map[string]int{"confirmed": 20, "cancelled": 40}, n)
}

func TestReadingThePastAndTheLists(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		rule string
		run  func(client)
	}{
		{"an order as it was, by sequence and by instant", pastOrders},
		{"only the version that was named is changed", versions},
		{"Prefer: wait answers when the order has ended", preferWait},
		{"a cancelled order can be deleted, and its payment stays", deletion},
		{"a cursor walks a list once, whatever comes in between", cursors},
		{"the older gateway's paths answer the same", olderPaths},
		{"health names every dependency", health},
	} {
		t.Run(test.rule, func(t *testing.T) { test.run(s.client(t)) })
	}
}

type timelineView struct {
	Sequence uint64    `json:"sequence"`
	Time     time.Time `json:"time"`
	Type     string    `json:"type"`
	Cause    string    `json:"cause"`
}

func pastOrders(c client) {
	lamp := c.stock(100, 10)
	id := c.place(invoice, line(lamp, 1))
	p := c.awaitingPayment(id)
	require.Equal(c.t, http.StatusOK, c.confirm(p.PaymentIntentID, "pm_card_visa").status)
	now := c.settled(id).order
	timeline := all[timelineView](c, "/orders/"+id+"/events?limit=3")
	require.Len(c.t, timeline, int(now.Version))
	statuses := make([]string, len(timeline))
	for i, event := range timeline {
		assert.EqualValues(c.t, i+1, event.Sequence)
		assert.NotEmpty(c.t, event.Type)
		assert.NotEmpty(c.t, event.Cause, event.Type)
		then := expect[orderView](c, http.StatusOK, c.get(fmt.Sprintf("/orders/%s?at=%d", id, event.Sequence)))
		assert.Equal(c.t, event.Sequence, then.Version)
		statuses[i] = then.Status
	}
	assert.Equal(c.t, "pending", statuses[0])
	assert.Equal(c.t, "confirmed", statuses[len(statuses)-1])
	last := timeline[len(timeline)-1].Time
	at := func(moment time.Time) answer {
		return c.get("/orders/" + id + "?at=" + url.QueryEscape(moment.Format(time.RFC3339Nano)))
	}
	assert.Equal(c.t, now, expect[orderView](c, http.StatusOK, at(last)))
	assert.Equal(c.t, http.StatusNotFound, at(timeline[0].Time.Add(-time.Millisecond)).status)
}

func versions(c client) {
	lamp := c.stock(100, 10)
	id := c.sold(lamp).order.ID
	tag := c.get("/orders/" + id).header.Get("ETag")
	require.NotEmpty(c.t, tag)
	amend := func(notes string) answer {
		return c.call(http.MethodPatch, "/orders/"+id, object{"notes": notes}, "If-Match", tag)
	}
	first, second := amend("ring twice"), amend("don't ring")
	assert.Equal(c.t, [2]int{http.StatusOK, http.StatusPreconditionFailed}, [2]int{first.status, second.status})
	assert.Equal(c.t, "ring twice", c.order(id).Notes)
	unchanged := c.call(http.MethodGet, "/orders/"+id, nil, "If-None-Match", first.header.Get("ETag"))
	assert.Equal(c.t, http.StatusNotModified, unchanged.status)
}

func preferWait(c client) {
	lamp := c.stock(100, 10)
	for method, want := range map[string]string{"pm_card_visa": "confirmed", "pm_card_chargeDeclined": "cancelled"} {
		a := c.post("/orders", orderOf(method, line(lamp, 1)), "Prefer", "wait=30")
		assert.Equal(c.t, want, expect[orderView](c, http.StatusCreated, a).Status)
		assert.Equal(c.t, "wait=30", a.header.Get("Preference-Applied"))
	}
	a := c.post("/orders", orderOf(invoice, line(lamp, 1)), "Prefer", "wait=1")
	assert.Equal(c.t, "pending", expect[orderView](c, http.StatusCreated, a).Status, "nobody pays: the state so far")
}

func deletion(c client) {
	lamp := c.stock(100, 10)
	end := c.sold(lamp)
	path := "/orders/" + end.order.ID
	assert.Equal(c.t, http.StatusConflict, c.call(http.MethodDelete, path, nil).status, "it is not cancelled")
	require.Equal(c.t, http.StatusOK, c.post(path+"/cancel", nil).status)
	require.Equal(c.t, "refunded", c.settled(end.order.ID).payment.Status)
	assert.Equal(c.t, http.StatusNoContent, c.call(http.MethodDelete, path, nil).status)
	assert.Equal(c.t, http.StatusNotFound, c.get(path).status)
	assert.Equal(c.t, "refunded", c.payment(end.payment.PaymentIntentID).Status)
}

func cursors(c client) {
	lamp := c.stock(100, 100)
	body := orderOf(invoice, line(lamp, 1))
	path := "/orders?limit=3&customerId=" + body["customer"].(object)["customerId"].(string)
	var placed []string
	for range 10 {
		placed = append(placed, expect[orderView](c, http.StatusCreated, c.post("/orders", body)).ID)
	}
	eventually(c.t, func() string { // lists may be a moment behind
		if n := len(all[orderView](c, path)); n != len(placed) {
			return fmt.Sprintf("%d orders are listed", n)
		}
		return ""
	})
	first := c.get(path)
	listed := expect[[]orderView](c, http.StatusOK, first)
	require.Equal(c.t, http.StatusCreated, c.post("/orders", body).status) // newest first: behind whoever is reading
	next := nextLink.FindStringSubmatch(first.header.Get("Link"))
	require.NotNil(c.t, next)
	listed = append(listed, all[orderView](c, next[1])...)
	require.Len(c.t, listed, len(placed))
	for i, o := range listed {
		assert.Equal(c.t, placed[len(placed)-1-i], o.ID)
	}
}

func olderPaths(c client) {
	lamp := c.stock(100, 10)
	id := c.sold(lamp).order.ID
	for _, prefix := range []string{"/api/v1", "/api/v1/services/order"} {
		assert.Equal(c.t, c.get("/orders/"+id).String(), c.get(prefix+"/orders/"+id).String(), prefix)
	}
	assert.Equal(c.t, http.StatusOK, c.get("/api/v1/services/inventory/products/by-product-id/"+lamp).status)
}

func health(c client) {
	h := expect[struct {
		Status string
		Checks map[string]struct{ Status string }
	}](c, http.StatusOK, c.get("/health"))
	assert.Equal(c.t, "degraded", h.Status, "no broker is configured")
	for name, want := range map[string]string{"storage": "up", "cluster": "up", "payments": "up", "broker": "down"} {
		assert.Equal(c.t, want, h.Checks[name].Status, name)
	}
	for _, path := range []string{"/health/live", "/health/ready", "/metrics", "/openapi.json", "/asyncapi.json", "/docs"} {
		assert.Equal(c.t, http.StatusOK, c.get(path).status, path)
	}
}
