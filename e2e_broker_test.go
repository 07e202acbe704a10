package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

func TestRabbitMQ(t *testing.T) {
	broker := &bridgetest.Broker{}
	t.Cleanup(func() { assert.NoError(t, broker.Close()) })
	withBroker := func(c *Config) { c.AMQPURL = broker.URL(t) }
	// RabbitMQ keeps a new queue and its binding in memory for some seconds: one that is there when the broker is killed
	// has to be older than that.
	settled := subscribe(t, broker)
	t.Run("with one shop", func(t *testing.T) {
		s, sub := open(t, withBroker), subscribe(t, broker)
		t.Run("a paid order is eight events in the order of the contract", func(t *testing.T) { paidOrderEvents(s.client(t), sub.with(t)) })
		t.Run("how an order ends is told once", func(t *testing.T) { endingEvents(s.client(t), sub.with(t)) })
		t.Run("another system reserves stock by a command", func(t *testing.T) { inboundReservation(s.client(t), sub.with(t)) })
		t.Run("another system asks for a payment by a command", func(t *testing.T) { inboundPayment(s.client(t), sub.with(t)) })
		t.Run("a command that can't be carried out is parked with the reason", func(t *testing.T) { poison(s.client(t), broker) })
	})
	t.Run("a reservation expires at its instant, once", func(t *testing.T) {
		s := open(t, withBroker, func(c *Config) { c.ReservationTTL = 2 * time.Second })
		expiry(s.client(t), subscribe(t, broker))
	})
	t.Run("a reservation expires though the shop was closed at the instant", func(t *testing.T) {
		s := open(t, withBroker, func(c *Config) { c.ReservationTTL = 6 * time.Second })
		expiryWhileClosed(s, t, subscribe(t, broker))
	})
	t.Run("a broker that is away loses nothing", func(t *testing.T) {
		settled.with(t).forget()
		brokerAway(open(t, withBroker).client(t), settled)
	})
}

func (s *subscriber) with(t testing.TB) *subscriber {
	s.t = t
	return s
}

var paidEvents = []struct {
	pattern string
	keys    []string
}{
	{"order.created", []string{"orderId", "orderNumber", "customerId", "total", "currency", "items", "createdAt"}},
	{"inventory.reservation.requested", []string{"orderId", "customerId", "items", "reservationTimeoutMinutes", "timestamp"}},
	{"inventory.reserved", []string{"orderId", "reservationId", "customerId", "items", "expiresAt", "timestamp"}},
	{"payment.process.requested", []string{"orderId", "customerId", "amount", "currency", "customerEmail", "orderItems", "paymentMethodId", "timestamp"}},
	{"payment.intent.created", []string{"paymentIntentId", "orderId", "customerId", "amount", "currency", "status", "createdAt"}},
	{"payment.confirmed", []string{"paymentIntentId", "orderId", "customerId", "amount", "currency", "stripePaymentIntentId", "paidAt"}},
	{"inventory.confirmed", []string{"orderId", "reservationId", "customerId", "items", "timestamp"}},
	{"order.updated", []string{"orderId", "orderNumber", "status", "updatedAt"}},
}

func paidOrderEvents(c client, sub *subscriber) {
	lamp, chair := c.stock(1999, 1000), c.stock(501, 1000)
	var orders []string
	for range 5 { // one after another: each is whole before the next begins
		id := c.place("pm_card_visa", line(lamp, 2), line(chair, 3))
		require.Equal(c.t, "confirmed", c.settled(id).order.Status)
		orders = append(orders, id)
	}
	sub.await(c)
	for _, id := range orders {
		o, list := c.order(id), sub.of(id)
		require.Len(c.t, list, len(paidEvents), "%v", patterns(list))
		for i, want := range paidEvents {
			got := list[i]
			require.Equal(c.t, want.pattern, got.Pattern, "in %v", patterns(list))
			got.wantProperties(c.t)
			for _, key := range want.keys {
				assert.Contains(c.t, got.Data, key, got.Pattern)
			}
		}
		assert.EqualValues(c.t, o.Total, list[0].Data["total"])
		assert.EqualValues(c.t, o.Total, list[5].Data["amount"])
		assert.Equal(c.t, "confirmed", list[7].Data["status"])
		assert.Equal(c.t, o.OrderNumber, list[7].Data["orderNumber"])
		reserved := list[2].Data["items"].([]any)
		require.Len(c.t, reserved, 2)
		first := reserved[0].(map[string]any)
		assert.EqualValues(c.t, first["quantity"], first["reservedQuantity"])
		wantRising(c.t, list)
		wantOneTrace(c.t, list)
	}
}

// wantOneTrace checks that all of it belongs to the request that it began with.
func wantOneTrace(t testing.TB, list []heard) {
	t.Helper()
	traces := counts(list, func(h heard) string {
		_, rest, _ := strings.Cut(fmt.Sprint(h.Headers["traceparent"]), "-")
		id, _, _ := strings.Cut(rest, "-")
		return id
	})
	assert.Len(t, traces, 1)
}

// wantRising checks that the sequences of each aggregate rise.
func wantRising(t testing.TB, list []heard) {
	t.Helper()
	last := map[any]int64{}
	for _, h := range list {
		aggregate, sequence := h.Headers["aggregate"], h.Headers["sequence"].(int64)
		assert.Greater(t, sequence, last[aggregate], "%s of %v", h.Pattern, aggregate)
		last[aggregate] = sequence
	}
}

func endingEvents(c client, sub *subscriber) {
	lamp, none := c.stock(100, 100), c.stock(100, 0)
	short := c.place("pm_card_visa", line(none, 1))
	declined := c.place("pm_card_chargeDeclined", line(lamp, 1))
	cancelled := c.place("pm_card_visa", line(lamp, 1))
	require.Equal(c.t, "confirmed", c.settled(cancelled).order.Status)
	require.Equal(c.t, http.StatusOK, c.post("/orders/"+cancelled+"/cancel", object{"reason": "no more"}).status)
	c.booksBalance([]string{short, declined, cancelled}, lamp, none)
	sub.await(c)
	for id, want := range map[string]map[string]int{
		short:     {"order.created": 1, "inventory.reservation.requested": 1, "inventory.reservation.failed": 1, "order.cancelled": 1},
		declined:  {"payment.failed": 1, "inventory.released": 1, "order.cancelled": 1},
		cancelled: {"order.updated": 1, "order.cancelled": 1, "payment.refunded": 1},
	} {
		got := counts(sub.of(id), func(h heard) string { return h.Pattern })
		for pattern, n := range want {
			assert.Equal(c.t, n, got[pattern], "%s in %v", pattern, patterns(sub.of(id)))
		}
	}
	assert.Equal(c.t, "no more", sub.hears(cancelled, "order.cancelled").Data["reason"])
}

func inboundReservation(c client, sub *subscriber) {
	const pattern = "inventory.reservation.requested"
	lamp := c.stock(100, 10)
	orderID := fmt.Sprintf("their-order-%d", serial.Add(1))
	message := command(c.t, pattern, object{"orderId": orderID, "customerId": "cust-9", "reservationTimeoutMinutes": 30,
		"items": []object{{"productId": lamp, "productName": "Lamp", "quantity": 4, "unitPrice": 100}}})
	send(c.t, sub.broker, pattern, message)
	reserved := sub.hears(orderID, "inventory.reserved")
	reserved.wantProperties(c.t)
	r := c.reservation(orderID)
	assert.Equal(c.t, "pending", r.Status)
	assert.Equal(c.t, reserved.Data["reservationId"], r.ReservationID)
	assert.WithinDuration(c.t, time.Now().Add(30*time.Minute), r.ExpiresAt, 2*time.Minute)

	for range 3 {
		send(c.t, sub.broker, pattern, message)
	}
	later := fmt.Sprintf("their-order-%d", serial.Add(1)) // one queue, so this one is behind the repeats
	send(c.t, sub.broker, pattern, command(c.t, pattern, object{"orderId": later, "customerId": "cust-9",
		"items": []object{{"productId": lamp, "quantity": 7}}}))
	failed := sub.hears(later, "inventory.reservation.failed")
	short := failed.Data["insufficientItems"].([]any)[0].(map[string]any)
	assert.EqualValues(c.t, 7, short["requestedQuantity"])
	assert.EqualValues(c.t, 6, short["availableQuantity"], "the repeats have held nothing")
	assert.Equal(c.t, http.StatusNotFound, c.get("/inventory/reservations/"+later).status)
	eventually(c.t, func() string { return leftOver(sub.broker, c.t, bridge.CommandsQueue) })
	assert.EqualValues(c.t, 4, c.product(lamp).ReservedQuantity)

	confirmed := expect[reservationView](c, http.StatusOK, c.post("/inventory/reservations/"+orderID+"/confirm", nil))
	assert.Equal(c.t, "confirmed", confirmed.Status)
	assert.Equal(c.t, http.StatusConflict, c.post("/inventory/reservations/"+orderID+"/release", nil).status)
	sub.await(c)
	assert.Equal(c.t, []string{pattern, "inventory.reserved", "inventory.confirmed"}, patterns(sub.of(orderID)))
	assert.Equal(c.t, theirTrace, reserved.Headers["traceparent"])
	assert.Empty(c.t, leftOver(sub.broker, c.t, bridge.DeadQueue), "what is refused for want of stock is a result, not poison")
	assert.Equal(c.t, share{sold: 4}, c.ledger(lamp)[orderID])
}

// leftOver says what a queue still holds; what a consumer has not acknowledged is not counted by the broker.
func leftOver(broker *bridgetest.Broker, t testing.TB, queue string) string {
	q, err := broker.Channel(t).QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil || q.Messages > 0 {
		return fmt.Sprintf("%s holds %d messages (%v)", queue, q.Messages, err)
	}
	return ""
}

func inboundPayment(c client, sub *subscriber) {
	const pattern = "payment.process.requested"
	orderID := fmt.Sprintf("their-order-%d", serial.Add(1))
	message := command(c.t, pattern, object{"orderId": orderID, "customerId": "cust-9", "amount": 4711, "currency": "eur",
		"customerEmail": "ada@example.com", "paymentMethodId": "pm_card_visa", "orderItems": []object{{"productId": "theirs", "quantity": 1, "unitPrice": 4711}}})
	for range 3 {
		send(c.t, sub.broker, pattern, message)
	}
	paid := sub.hears(orderID, "payment.confirmed")
	eventually(c.t, func() string { return leftOver(sub.broker, c.t, bridge.CommandsQueue) })
	sub.await(c)
	assert.Equal(c.t, []string{"payment.intent.created", "payment.confirmed"}, patterns(sub.of(orderID)), "the repeats charge nothing")
	assert.EqualValues(c.t, 4711, paid.Data["amount"])
	assert.Equal(c.t, "eur", paid.Data["currency"])
	eventually(c.t, func() string { // lists may be a moment behind
		list := all[paymentView](c, "/payments/order/"+orderID)
		if len(list) != 1 || list[0].Status != "succeeded" {
			return fmt.Sprintf("payments of the order: %+v", list)
		}
		return ""
	})
}

func poison(c client, broker *bridgetest.Broker) {
	const pattern = "inventory.reservation.requested"
	for _, body := range []string{`not JSON`, `{"pattern":"inventory.reservation.requested","data":{"orderId":"their-1"}}`} {
		send(c.t, broker, pattern, []byte(body))
		var parked amqp.Delivery
		eventually(c.t, func() string {
			d, ok, err := broker.Channel(c.t).Get(bridge.DeadQueue, true)
			if err != nil || !ok {
				return fmt.Sprintf("nothing in %s (%v)", bridge.DeadQueue, err)
			}
			parked = d
			return ""
		})
		assert.Equal(c.t, body, string(parked.Body))
		assert.NotEmpty(c.t, parked.Headers, "the reason is in a header")
		c.t.Logf("parked with %v", parked.Headers)
	}
}

// brokerAway kills the broker, and later stops it, while orders come in.
func brokerAway(c client, sub *subscriber) {
	sub.broker.MayBreak(c.t)
	lamp := c.stock(100, 10_000)
	var mu sync.Mutex
	var orders []string
	buy := func(n int) {
		together(4, func(int) {
			for range n {
				id := c.place("pm_card_visa", line(lamp, 1))
				mu.Lock()
				orders = append(orders, id)
				mu.Unlock()
			}
		})
	}
	for _, end := range []func(testing.TB){sub.broker.Kill, sub.broker.Stop} {
		var load sync.WaitGroup
		load.Go(func() { buy(25) })
		end(c.t)
		load.Wait()
		buy(10)
		eventually(c.t, func() string {
			a := c.get("/health")
			h := expect[struct{ Status string }](c, http.StatusOK, a)
			if h.Status != "degraded" {
				return "the broker is away: " + a.String()
			}
			return ""
		})
		ready := c.get("/health/ready")
		assert.Equal(c.t, http.StatusOK, ready.status, "orders are still taken: %s", ready)
		load.Go(func() { buy(10) })
		sub.broker.Start(c.t)
		load.Wait()
	}
	for id, end := range c.booksBalance(orders, lamp) {
		assert.Equal(c.t, "confirmed", end.order.Status, id)
	}
	sub.await(c)
	wantRising(c.t, sub.list)
	for _, id := range orders {
		got := patterns(sub.of(id))
		assert.Len(c.t, got, len(paidEvents), "%v", got)
	}
	c.t.Logf("%d messages, %d of them repeated", len(sub.list), sub.repeats)
}

func wantOneEnd(c client, sub *subscriber, orderID string) {
	c.t.Helper()
	sub.await(c)
	got := counts(sub.of(orderID), func(h heard) string { return h.Pattern })
	assert.Equal(c.t, [2]int{1, 1}, [2]int{got["inventory.released"], got["order.cancelled"]}, "%v", patterns(sub.of(orderID)))
	assert.False(c.t, slices.Contains(patterns(sub.of(orderID)), "payment.confirmed"))
}

func expiry(c client, sub *subscriber) {
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	expires := c.reservationOf(id).ExpiresAt
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.False(c.t, time.Now().Before(expires), "it ended before its instant")
	assert.Equal(c.t, [2]string{"cancelled", "expired"}, [2]string{end.order.Status, end.reservation.Status})
	assert.NotEmpty(c.t, end.order.FailureReason)
	wantOneEnd(c, sub, id)
}

// reservationOf waits until the order has its stock.
func (c client) reservationOf(orderID string) (r reservationView) {
	c.t.Helper()
	eventually(c.t, func() string {
		if r = c.reservation(orderID); r.Status != "pending" {
			return fmt.Sprintf("reservation is %q", r.Status)
		}
		return ""
	})
	return r
}

func expiryWhileClosed(s *shop, t *testing.T, sub *subscriber) {
	c := s.client(t)
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	c.awaitingPayment(id)
	expires := c.reservationOf(id).ExpiresAt
	s.close()
	require.True(t, time.Now().Before(expires), "the shop took longer to close than the reservation lasts")
	eventually(t, func() string {
		if left := time.Until(expires); left >= 0 {
			return fmt.Sprintf("the instant is %v away", left)
		}
		return ""
	})
	s.open()
	c = s.client(t)
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(t, [2]string{"cancelled", "expired"}, [2]string{end.order.Status, end.reservation.Status})
	wantOneEnd(c, sub, id)
}
