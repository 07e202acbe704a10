package main

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What two clients do to one order at the same moment has one outcome, whoever is first: order, reservation, payment and
// stock agree on it. Who is first is up to the machine, so there are many rounds.
func TestRacesHaveOneOutcome(t *testing.T) {
	s := open(t)
	for _, test := range []struct {
		rule   string
		rounds int
		run    func(c client, round int)
	}{
		{"cancel and confirm of a payment", 40, cancelAgainstConfirm},
		{"cancel and an order that is being paid", 40, cancelAgainstSaga},
		{"release and confirm of a reservation", 40, releaseAgainstConfirm},
		{"confirm of a payment and confirm of its reservation", 20, paymentAgainstReservation},
		{"ten full refunds", 15, fullRefunds},
		{"ten refunds of a quarter", 15, quarterRefunds},
		{"refund and cancel", 20, refundAgainstCancel},
		{"one Idempotency-Key from ten clients", 10, sameKey},
		{"one Idempotency-Key with two bodies", 20, sameKeyOtherBody},
		{"one productId from five clients", 20, sameProductID},
		{"one sku from five clients", 20, sameSKU},
	} {
		t.Run(test.rule, func(t *testing.T) {
			for round := range test.rounds {
				if test.run(s.client(t), round); t.Failed() {
					t.Fatalf("in round %d", round)
				}
			}
		})
	}
}

// either runs two calls at the same moment, and lets each begin first in half of the rounds.
func either(round int, one, other func() answer) (first, second answer) {
	calls, answers := []func() answer{one, other}, [2]answer{}
	together(2, func(i int) { answers[(i+round)%2] = calls[(i+round)%2]() })
	return answers[0], answers[1]
}

func cancelAgainstConfirm(c client, round int) {
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	paymentIntentID := c.awaitingPayment(id).PaymentIntentID
	cancelled, confirmed := either(round, func() answer { return c.post("/orders/"+id+"/cancel", nil) },
		func() answer { return c.confirm(paymentIntentID, "pm_card_visa") })
	assert.Equal(c.t, http.StatusOK, cancelled.status, "%s", cancelled)
	assert.Contains(c.t, []int{http.StatusOK, http.StatusConflict}, confirmed.status, "%s", confirmed)
	end := c.booksBalance([]string{id}, lamp)[id]
	assert.Equal(c.t, "cancelled", end.order.Status)
	assert.EqualValues(c.t, 5, c.product(lamp).AvailableQuantity)
	if confirmed.status == http.StatusOK {
		assert.Equal(c.t, "refunded", end.payment.Status, "the client was told that it has paid")
	}
}

func cancelAgainstSaga(c client, _ int) {
	lamp := c.stock(100, 5)
	id := c.place("pm_card_visa", line(lamp, 2))
	a := c.post("/orders/"+id+"/cancel", nil)
	assert.Equal(c.t, http.StatusOK, a.status, "%s", a)
	assert.Equal(c.t, "cancelled", c.booksBalance([]string{id}, lamp)[id].order.Status)
	assert.EqualValues(c.t, 5, c.product(lamp).AvailableQuantity)
}

func releaseAgainstConfirm(c client, round int) {
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	c.awaitingPayment(id)
	released, confirmed := either(round, func() answer { return c.post("/inventory/reservations/"+id+"/release", nil) },
		func() answer { return c.post("/inventory/reservations/"+id+"/confirm", nil) })
	switch [2]int{released.status, confirmed.status} {
	case [2]int{http.StatusOK, http.StatusConflict}:
		end := c.booksBalance([]string{id}, lamp)[id]
		assert.Equal(c.t, [2]string{"cancelled", "released"}, [2]string{end.order.Status, end.reservation.Status})
	case [2]int{http.StatusConflict, http.StatusOK}:
		assert.Equal(c.t, "confirmed", c.reservation(id).Status)
		assert.Equal(c.t, share{sold: 2}, c.ledger(lamp)[id])
		assert.Equal(c.t, "pending", c.order(id).Status, "the money is still to come")
	default:
		c.t.Errorf("release: %s; confirm: %s", released, confirmed)
	}
}

func paymentAgainstReservation(c client, round int) {
	lamp := c.stock(100, 5)
	id := c.place(invoice, line(lamp, 2))
	paymentIntentID := c.awaitingPayment(id).PaymentIntentID
	reserved, paid := either(round, func() answer { return c.post("/inventory/reservations/"+id+"/confirm", nil) },
		func() answer { return c.confirm(paymentIntentID, "pm_card_visa") })
	assert.Contains(c.t, []int{http.StatusOK, http.StatusConflict}, reserved.status, "%s", reserved)
	assert.Equal(c.t, http.StatusOK, paid.status, "%s", paid)
	assert.Equal(c.t, "confirmed", c.booksBalance([]string{id}, lamp)[id].order.Status)
}

// sold places an order that is paid, and returns it.
func (c client) sold(product string) sight {
	c.t.Helper()
	end := c.settled(c.place("pm_card_visa", line(product, 1)))
	require.Equal(c.t, "confirmed", end.order.Status)
	return end
}

func fullRefunds(c client, _ int) {
	lamp := c.stock(300, 5)
	p := c.sold(lamp).payment
	answers := gather(10, func(int) answer { return c.post("/payments/"+p.PaymentIntentID+"/refund", nil) })
	assert.Equal(c.t, map[int]int{http.StatusOK: 1, http.StatusConflict: 9}, counts(answers, status), "%v", answers)
	after := c.payment(p.PaymentIntentID)
	assert.Equal(c.t, "refunded", after.Status)
	assert.Equal(c.t, []refundView{{p.Amount}}, after.Refunds)
}

func quarterRefunds(c client, _ int) {
	lamp := c.stock(2000-1000, 5) // with tax and shipping 2100
	p := c.sold(lamp).payment
	require.EqualValues(c.t, 2100, p.Amount)
	answers := gather(10, func(int) answer {
		return c.post("/payments/"+p.PaymentIntentID+"/refund", object{"amount": p.Amount / 4})
	})
	assert.Equal(c.t, map[int]int{http.StatusOK: 4, http.StatusConflict: 6}, counts(answers, status), "%v", answers)
	after := c.payment(p.PaymentIntentID)
	assert.Equal(c.t, "refunded", after.Status)
	assert.Len(c.t, after.Refunds, 4)
	assert.Equal(c.t, p.Amount, after.RefundedAmount)
}

func refundAgainstCancel(c client, round int) {
	lamp := c.stock(300, 5)
	end := c.sold(lamp)
	refunded, cancelled := either(round,
		func() answer {
			return c.post("/payments/"+end.payment.PaymentIntentID+"/refund", object{"amount": 500})
		},
		func() answer { return c.post("/orders/"+end.order.ID+"/cancel", nil) })
	assert.Equal(c.t, http.StatusOK, cancelled.status, "%s", cancelled)
	assert.Contains(c.t, []int{http.StatusOK, http.StatusConflict}, refunded.status, "%s", refunded)
	after := c.booksBalance([]string{end.order.ID}, lamp)[end.order.ID]
	assert.Equal(c.t, "refunded", after.payment.Status)
	assert.EqualValues(c.t, 5, c.product(lamp).AvailableQuantity)
}

func sameKey(c client, round int) {
	lamp := c.stock(100, 100)
	body, key := orderOf("pm_card_visa", line(lamp, 1)), fmt.Sprintf("same-%d", round)
	answers := gather(10, func(int) answer { return c.post("/orders", body, "Idempotency-Key", key) })
	assert.Equal(c.t, map[int]int{http.StatusCreated: 10}, counts(answers, status), "%v", answers)
	ids := counts(answers, func(a answer) string { return expect[orderView](c, http.StatusCreated, a).ID })
	require.Len(c.t, ids, 1, "orders")
	for id := range ids {
		c.booksBalance([]string{id}, lamp)
	}
	assert.EqualValues(c.t, 99, c.product(lamp).StockQuantity)
	customer := body["customer"].(object)["customerId"].(string)
	eventually(c.t, func() string { // lists may be a moment behind
		if n := len(all[orderView](c, "/orders?customerId="+customer)); n != 1 {
			return fmt.Sprintf("%d orders of %s are listed", n, customer)
		}
		return ""
	})
}

func sameKeyOtherBody(c client, round int) {
	lamp := c.stock(100, 100)
	bodies := []object{orderOf("pm_card_visa", line(lamp, 1)), orderOf("pm_card_visa", line(lamp, 2))}
	key := fmt.Sprintf("two-%d", round)
	one, other := either(round, func() answer { return c.post("/orders", bodies[0], "Idempotency-Key", key) },
		func() answer { return c.post("/orders", bodies[1], "Idempotency-Key", key) })
	placed := one
	if other.status == http.StatusCreated {
		placed = other
	}
	assert.Equal(c.t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 1}, counts([]answer{one, other}, status), "%s and %s", one, other)
	c.booksBalance([]string{expect[orderView](c, http.StatusCreated, placed).ID}, lamp)
}

func sameProductID(c client, round int) {
	productID := fmt.Sprintf("contested-%d", round)
	answers := gather(5, func(i int) answer {
		return c.post("/products", productOf(productID, fmt.Sprintf("%s-sku-%d", productID, i), 100, int64(i)))
	})
	c.wantOneProduct(answers)
	// The skus of those who lost are free again, or will be: only the winner's is taken for good.
	won := expect[productView](c, http.StatusOK, c.get("/products/by-product-id/"+productID))
	c.ledger(won.ProductID)
}

func sameSKU(c client, round int) {
	answers := gather(5, func(i int) answer {
		return c.post("/products", productOf(fmt.Sprintf("sharer-%d-%d", round, i), fmt.Sprintf("shared-sku-%d", round), 100, 1))
	})
	c.wantOneProduct(answers)
	exist := 0
	for i := range 5 {
		if c.get(fmt.Sprintf("/products/by-product-id/sharer-%d-%d", round, i)).status == http.StatusOK {
			exist++
		}
	}
	assert.Equal(c.t, 1, exist, "products with that sku")
}

func (c client) wantOneProduct(answers []answer) {
	c.t.Helper()
	assert.Equal(c.t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 4}, counts(answers, status), "%v", answers)
}
