package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryOrderEndsAsTheContractSays(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		rule string
		run  func(client)
	}{
		{"a paid order of two lines ends confirmed", paidOrder},
		{"two lines of one product are one demand", sameProductTwice},
		{"an order that can't be filled whole takes nothing", refusedOrder},
		{"an order whose card is declined ends cancelled", declinedOrder},
		{"an unpaid order that is cancelled gives everything back", cancelledUnpaid},
		{"a paid order that is cancelled is refunded once and restocked", cancelledPaid},
		{"a shipped order can't be cancelled", shippedOrder},
		{"an order that waits for its money is confirmed when it comes", paidLater},
		{"a declined attempt leaves the order payable", paidAtTheSecondAttempt},
		{"refunds in parts never exceed the payment", refundedInParts},
	} {
		t.Run(test.rule, func(t *testing.T) { test.run(s.client(t)) })
	}
}

func paidOrder(c client) {
	lamp, chair := c.stock(1999, 10), c.stock(3, 10)
	id := c.place("pm_card_visa", line(lamp, 2), line(chair, 3))
	end := c.booksBalance([]string{id}, lamp, chair)[id]
	assert.Equal(c.t, "confirmed", end.order.Status)
	assert.Equal(c.t, "succeeded", end.payment.Status)
	// 2*1999 + 3*3 = 4007; a tenth of it is 400.7, which is rounded once, for the order.
	assert.Equal(c.t, [4]int64{4007, 401, 1000, 5408}, [4]int64{end.order.Subtotal, end.order.Tax, end.order.ShippingCost, end.order.Total})
	assert.Equal(c.t, end.order.ReservationID, end.reservation.ReservationID)
	assert.EqualValues(c.t, 8, c.product(lamp).AvailableQuantity)
	byNumber := expect[orderView](c, http.StatusOK, c.get("/orders/number/"+end.order.OrderNumber))
	assert.Equal(c.t, end.order, byNumber)
}

func sameProductTwice(c client) {
	lamp := c.stock(100, 5)
	refused := c.place("pm_card_visa", line(lamp, 3), line(lamp, 3))
	served := c.place("pm_card_visa", line(lamp, 2), line(lamp, 3))
	ends := c.booksBalance([]string{refused, served}, lamp)
	assert.Equal(c.t, "cancelled", ends[refused].order.Status)
	assert.Equal(c.t, "confirmed", ends[served].order.Status)
	assert.Len(c.t, ends[served].reservation.Items, 1)
}

func refusedOrder(c client) {
	plenty, scarce := c.stock(100, 10), c.stock(100, 1)
	id := c.place("pm_card_visa", line(plenty, 1), line(scarce, 2))
	end := c.booksBalance([]string{id}, plenty, scarce)[id]
	assert.Equal(c.t, "cancelled", end.order.Status)
	assert.NotEmpty(c.t, end.order.FailureReason)
	assert.Empty(c.t, end.payment.Status, "nothing was to be paid")
	assert.Empty(c.t, end.reservation.Status)
}

func declinedOrder(c client) {
	lamp := c.stock(100, 10)
	id := c.place("pm_card_chargeDeclined", line(lamp, 4))
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "cancelled", end.order.Status)
	assert.Contains(c.t, end.order.FailureReason, "declined")
	assert.Equal(c.t, "released", end.reservation.Status)
	assert.EqualValues(c.t, 10, c.product(lamp).AvailableQuantity)
}

func cancelledUnpaid(c client) {
	lamp := c.stock(100, 10)
	id := c.place(invoice, line(lamp, 4))
	paymentIntentID := c.awaitingPayment(id).PaymentIntentID
	assert.EqualValues(c.t, 4, c.product(lamp).ReservedQuantity)
	first := c.post("/orders/"+id+"/cancel", object{"reason": "second thoughts"})
	cancelled := expect[orderView](c, http.StatusOK, first)
	assert.Equal(c.t, "second thoughts", cancelled.CancelReason)
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "released", end.reservation.Status)
	assert.Equal(c.t, "cancelled", end.payment.Status)
	assert.Equal(c.t, http.StatusConflict, c.confirm(paymentIntentID, "pm_card_visa").status, "nobody can pay for it any more")

	again := c.post("/orders/"+id+"/cancel", object{"reason": "another reason"})
	assert.Equal(c.t, first.String(), again.String(), "repeated: the same body, no second effect")
}

func cancelledPaid(c client) {
	lamp := c.stock(100, 10)
	id := c.place("pm_card_visa", line(lamp, 4))
	require.Equal(c.t, "confirmed", c.settled(id).order.Status)
	first := c.post("/orders/"+id+"/cancel", object{"reason": "second thoughts"})
	require.Equal(c.t, http.StatusOK, first.status, "%s", first)
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "refunded", end.payment.Status)
	assert.Len(c.t, end.payment.Refunds, 1)
	assert.EqualValues(c.t, 10, c.product(lamp).AvailableQuantity)
	require.Equal(c.t, http.StatusOK, c.post("/orders/"+id+"/cancel", nil).status)
	assert.Equal(c.t, end, c.look(id))
}

func shippedOrder(c client) {
	lamp := c.stock(100, 10)
	id := c.place("pm_card_visa", line(lamp, 1))
	require.Equal(c.t, "confirmed", c.settled(id).order.Status)
	for _, next := range []string{"processing", "shipped"} {
		o := expect[orderView](c, http.StatusOK, c.call(http.MethodPatch, "/orders/"+id, object{"status": next}))
		assert.Equal(c.t, next, o.Status)
	}
	assert.Equal(c.t, http.StatusConflict, c.post("/orders/"+id+"/cancel", nil).status)
	assert.Equal(c.t, "shipped", c.booksBalance([]string{id}, lamp)[id].order.Status)
}

func paidLater(c client) {
	lamp := c.stock(100, 10)
	id := c.place(invoice, line(lamp, 1))
	p := c.awaitingPayment(id)
	paid := expect[paymentView](c, http.StatusOK, c.confirm(p.PaymentIntentID, "pm_card_visa"))
	assert.Equal(c.t, "succeeded", paid.Status)
	assert.Equal(c.t, "confirmed", c.booksBalance([]string{id}, lamp)[id].order.Status)
}

func paidAtTheSecondAttempt(c client) {
	lamp := c.stock(100, 10)
	id := c.place(invoice, line(lamp, 1))
	p := c.awaitingPayment(id)
	assert.Equal(c.t, http.StatusPaymentRequired, c.confirm(p.PaymentIntentID, "pm_card_chargeDeclined").status)
	assert.Equal(c.t, "failed", c.payment(p.PaymentIntentID).Status)
	assert.Equal(c.t, "pending", c.order(id).Status)
	assert.Equal(c.t, http.StatusOK, c.confirm(p.PaymentIntentID, "pm_card_visa").status)
	assert.Equal(c.t, "confirmed", c.booksBalance([]string{id}, lamp)[id].order.Status)
}

func refundedInParts(c client) {
	lamp := c.stock(1000, 10)
	id := c.place("pm_card_visa", line(lamp, 1)) // 1000 + 100 tax + 1000 shipping
	p := c.settled(id).payment
	refund := func(body object) answer { return c.post("/payments/"+p.PaymentIntentID+"/refund", body) }
	part := expect[paymentView](c, http.StatusOK, refund(object{"amount": 600}))
	assert.Equal(c.t, "partially_refunded", part.Status)
	assert.Equal(c.t, http.StatusConflict, refund(object{"amount": 1501}).status)
	rest := expect[paymentView](c, http.StatusOK, refund(object{}))
	assert.Equal(c.t, "refunded", rest.Status)
	assert.Equal(c.t, []refundView{{600}, {1500}}, rest.Refunds)
	assert.Equal(c.t, http.StatusConflict, refund(object{}).status)
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "confirmed", end.order.Status, "what was sold stays sold: %v", end)
}

func TestNothingIsOversold(t *testing.T) {
	s := open(t)
	t.Run("300 buyers of 100 units", func(t *testing.T) { oneProductForMany(t, s.client(t)) })
	t.Run("100 crossed orders over 30 and 30 units", func(t *testing.T) { crossedOrders(t, s.client(t)) })
}

func oneProductForMany(t *testing.T, c client) {
	lamp := c.stock(100, 100)
	orders := gather(300, func(int) string { return c.place("pm_card_visa", line(lamp, 1)) })
	ends := c.booksBalance(orders, lamp)
	require.Len(t, ends, 300)
	n := map[string]int{}
	for _, end := range ends {
		n[end.order.Status]++
		if end.order.Status == "cancelled" {
			assert.NotEmpty(t, end.order.FailureReason)
		}
	}
	assert.Equal(t, map[string]int{"confirmed": 100, "cancelled": 200}, n)
	p := c.product(lamp)
	assert.Equal(t, [2]int64{0, 0}, [2]int64{p.StockQuantity, p.ReservedQuantity})
}

func crossedOrders(t *testing.T, c client) {
	lamp, chair := c.stock(100, 30), c.stock(100, 30)
	orders := gather(100, func(i int) string {
		if i%2 == 0 {
			return c.place("pm_card_visa", line(lamp, 1), line(chair, 1))
		}
		return c.place("pm_card_visa", line(chair, 1), line(lamp, 1))
	})
	ends := c.booksBalance(orders, lamp, chair)
	n := map[string]int{}
	for _, end := range ends {
		n[end.order.Status]++
	}
	assert.Equal(t, map[string]int{"confirmed": 30, "cancelled": 70}, n)
	for _, product := range []string{lamp, chair} {
		assert.Equal(t, "0 0", fmt.Sprint(c.product(product).StockQuantity, " ", c.product(product).ReservedQuantity))
	}
}
