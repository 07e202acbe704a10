package main

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

// openWithStripe serves a shop that is paid through a stand-in for Stripe, which sends its webhooks to the shop.
func openWithStripe(t *testing.T) (*shop, *gatewaytest.Server) {
	t.Helper()
	const key, secret = "sk_test_x", "whsec_test"
	stripe := gatewaytest.NewServer(gatewaytest.Config{SecretKey: key, WebhookSecret: secret})
	t.Cleanup(stripe.Close)
	s := open(t, func(c *Config) { c.StripeKey, c.StripeBase, c.StripeWebhookSecret = key, stripe.URL, secret })
	stripe.DeliverTo(gatewaytest.PostTo(s.url + "/payments/webhook/stripe"))
	return s, stripe
}

func TestStripeInAllItsMoods(t *testing.T) {
	s, stripe := openWithStripe(t)
	for _, test := range []struct {
		rule string
		run  func(client, *gatewaytest.Server)
	}{
		{"a refund reaches Stripe once", refundAtStripe},
		{"a webhook and the answer to the same charge", webhookAgainstConfirm},
		{"five deliveries of one webhook at once", sameWebhook},
		{"webhooks that are repeated and come in the wrong order", webhooksOutOfOrder},
		{"a webhook of an intent that nobody knows, or without a signature", foreignWebhook},
		{"an order that is placed while Stripe is away is paid when it is back", stripeAway},
		{"an order that is cancelled while Stripe is away is never charged", cancelledWhileAway},
		{"a charge whose answer is lost is not made again", answersLost},
	} {
		t.Run(test.rule, func(t *testing.T) {
			defer stripe.Heal()
			test.run(s.client(t), stripe)
		})
	}
}

// charges of one order, at Stripe.
func charges(stripe *gatewaytest.Server, orderID string) int {
	return counts(stripe.Charges(), func(c gatewaytest.Charge) string { return c.OrderID })[orderID]
}

// wantMoney checks that Stripe's books say the same of the order as ours.
func (c client) wantMoney(stripe *gatewaytest.Server, end sight) {
	c.t.Helper()
	paid, refunded := 0, int64(0)
	for _, charge := range stripe.Charges() {
		if charge.OrderID == end.order.ID {
			paid++
			assert.Equal(c.t, end.order.Total, charge.Amount)
		}
	}
	for _, intent := range stripe.Intents() {
		if intent.OrderID == end.order.ID {
			refunded += intent.Refunded
		}
	}
	if end.order.Status == "cancelled" {
		assert.LessOrEqual(c.t, paid, 1, "charges")
		assert.Equal(c.t, int64(paid)*end.order.Total, refunded, "money that is given back: %v", end)
	} else {
		assert.Equal(c.t, 1, paid, "charges of %v", end)
	}
	assert.Equal(c.t, refunded, end.payment.RefundedAmount)
}

func refundAtStripe(c client, stripe *gatewaytest.Server) {
	lamp := c.stock(100, 5)
	p := c.sold(lamp).payment
	stripe.Inject(gatewaytest.StepRefund, gatewaytest.LoseAnswer)
	answers := gather(10, func(int) answer { return c.post("/payments/"+p.PaymentIntentID+"/refund", nil) })
	assert.Equal(c.t, map[int]int{http.StatusOK: 1, http.StatusConflict: 9}, counts(answers, status), "%v", answers)
	c.wantMoney(stripe, c.look(p.OrderID))
	assert.Equal(c.t, 1, counts(stripe.Refunds(), func(r gatewaytest.Refund) string { return r.IntentID })[p.StripePaymentIntentID])
}

func webhookAgainstConfirm(c client, stripe *gatewaytest.Server) {
	stripe.Repeat(3)
	defer stripe.Repeat(1)
	for round := range 30 {
		lamp := c.stock(100, 5)
		id := c.place(invoice, line(lamp, 2))
		paid := expect[paymentView](c, http.StatusOK, c.confirm(c.awaitingPayment(id).PaymentIntentID, "pm_card_visa"))
		assert.Equal(c.t, "succeeded", paid.Status)
		end := c.booksBalance([]string{id}, lamp)[id]
		assert.Equal(c.t, "confirmed", end.order.Status)
		c.wantMoney(stripe, end)
		require.False(c.t, c.t.Failed(), "in round %d", round)
	}
}

// completed has the buyer pay at the bank's page, which only a webhook tells the shop, and returns that webhook, not yet
// delivered.
func (c client) completed(stripe *gatewaytest.Server, orderID string) gatewaytest.Webhook {
	c.t.Helper()
	p := c.awaitingPayment(orderID)
	asked := expect[paymentView](c, http.StatusOK, c.confirm(p.PaymentIntentID, "pm_card_authenticationRequired"))
	require.Equal(c.t, "processing", asked.Status)
	stripe.Hold()
	require.NoError(c.t, stripe.CompleteAction(p.StripePaymentIntentID, true))
	all := stripe.Webhooks()
	return all[len(all)-1]
}

func sameWebhook(c client, stripe *gatewaytest.Server) {
	for range 20 {
		lamp := c.stock(100, 5)
		id := c.place(invoice, line(lamp, 2))
		event := c.completed(stripe, id)
		answers := gather(5, func(int) answer { return c.webhook(event.Payload) })
		assert.Equal(c.t, map[int]int{http.StatusOK: 5}, counts(answers, status), "%v", answers)
		stripe.Release(nil) // and once more, late
		end := c.booksBalance([]string{id}, lamp)[id]
		assert.Equal(c.t, "confirmed", end.order.Status)
		c.wantMoney(stripe, end)
		assert.Equal(c.t, 1, c.published(id)["payment.confirmed"])
		require.False(c.t, c.t.Failed())
	}
}

func webhooksOutOfOrder(c client, stripe *gatewaytest.Server) {
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	p := c.awaitingPayment(id)
	stripe.Hold()
	assert.Equal(c.t, http.StatusPaymentRequired, c.confirm(p.PaymentIntentID, "pm_card_chargeDeclined").status)
	assert.Equal(c.t, http.StatusOK, c.confirm(p.PaymentIntentID, "pm_card_visa").status)
	assert.Equal(c.t, http.StatusOK, c.post("/payments/"+p.PaymentIntentID+"/refund", object{"amount": 100}).status)
	before := c.settled(id)
	require.Equal(c.t, "partially_refunded", before.payment.Status)
	stripe.Release(func(held []gatewaytest.Webhook) []gatewaytest.Webhook {
		assert.Equal(c.t, map[string]int{gateway.TypePaymentFailed: 1, gateway.TypeSucceeded: 1, gateway.TypeRefunded: 1},
			counts(held, func(w gatewaytest.Webhook) string { return w.Type }))
		slices.Reverse(held)
		return append(held, held...)
	})
	eventually(c.t, func() string {
		if n := stripe.Undelivered(); n > 0 {
			return fmt.Sprintf("%d webhooks are not delivered", n)
		}
		return ""
	})
	assert.Equal(c.t, before, c.look(id), "a later state never goes back")
	c.wantMoney(stripe, before)
}

func foreignWebhook(c client, _ *gatewaytest.Server) {
	event := []byte(`{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_unknown","object":"payment_intent","amount":1,"metadata":{}}}}`)
	assert.Equal(c.t, http.StatusOK, c.webhook(event).status)
	assert.Equal(c.t, http.StatusOK, c.webhook([]byte(`{"id":"evt_2","object":"event","type":"customer.created","data":{"object":{"id":"cus_1"}}}`)).status)
	unsigned, err := c.send(http.MethodPost, "/payments/webhook/stripe", event)
	require.NoError(c.t, err)
	assert.Equal(c.t, http.StatusBadRequest, unsigned.status)
}

func stripeAway(c client, stripe *gatewaytest.Server) {
	lamp := c.stock(100, 50)
	stripe.Down()
	orders := gather(10, func(int) string { return c.place("pm_card_visa", line(lamp, 1)) })
	eventually(c.t, func() string {
		if p := c.product(lamp); p.ReservedQuantity != 10 {
			return fmt.Sprintf("not all orders have their stock: %+v", p)
		}
		return ""
	})
	for _, id := range orders {
		assert.Equal(c.t, "pending", c.order(id).Status)
	}
	ready := c.get("/health/ready")
	assert.Equal(c.t, http.StatusOK, ready.status, "orders are still taken: %s", ready)
	stripe.Up()
	for _, end := range c.booksBalance(orders, lamp) {
		assert.Equal(c.t, "confirmed", end.order.Status)
		c.wantMoney(stripe, end)
	}
}

func cancelledWhileAway(c client, stripe *gatewaytest.Server) {
	lamp := c.stock(100, 5)
	stripe.Down()
	id := c.place("pm_card_visa", line(lamp, 1))
	eventually(c.t, func() string {
		if o := c.order(id); o.PaymentIntentID == "" {
			return "no payment was asked for: " + o.Status
		}
		return ""
	})
	a := c.post("/orders/"+id+"/cancel", nil)
	assert.Equal(c.t, http.StatusOK, a.status, "%s", a)
	stripe.Up()
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "cancelled", end.order.Status)
	c.wantMoney(stripe, end)
}

func answersLost(c client, stripe *gatewaytest.Server) {
	lamp := c.stock(100, 50)
	var orders []string
	for _, fault := range []gatewaytest.Fault{gatewaytest.LoseAnswer, gatewaytest.Crash, gatewaytest.Garbage, gatewaytest.Unavailable, gatewaytest.Reset} {
		stripe.Inject(gatewaytest.StepCreate, fault, fault)
		id := c.place("pm_card_visa", line(lamp, 1))
		end := c.settled(id)
		assert.Equal(c.t, "confirmed", end.order.Status, "after %s: %v", fault, end)
		assert.Equal(c.t, 1, charges(stripe, id), "charges after %s", fault)
		orders = append(orders, id)
		stripe.Heal()
	}
	for _, end := range c.booksBalance(orders, lamp) {
		c.wantMoney(stripe, end)
	}
}
