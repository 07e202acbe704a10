package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/stretchr/testify/assert"
)

// sight is an order with everything that belongs to it, at one moment or at several close to each other.
type sight struct {
	order       orderView
	reservation reservationView
	payment     paymentView
}

func (v sight) String() string {
	return fmt.Sprintf("order %s is %s (failure %q, cancel %q), reservation %q (%s), payment %q of %d, refunded %d",
		v.order.ID, v.order.Status, v.order.FailureReason, v.order.CancelReason, v.reservation.Status, v.reservation.StatusReason,
		v.payment.Status, v.payment.Amount, v.payment.RefundedAmount)
}

func (c client) look(orderID string) (v sight) {
	c.t.Helper()
	v.order, v.reservation = c.order(orderID), c.reservation(orderID)
	// The order knows the payment's id before there is a payment; it never comes to be when the order ends before that.
	if id := v.order.PaymentIntentID; id != "" {
		if a := c.get("/payments/" + id); a.status != http.StatusNotFound {
			v.payment = expect[paymentView](c, http.StatusOK, a)
		}
	}
	return v
}

// settled says whether the order has ended, and its reservation and payment with it.
func (v sight) settled() bool {
	switch v.payment.Status {
	case "pending", "processing":
		return false
	}
	switch v.order.Status {
	case "pending":
		return false
	case "cancelled":
		paid := slices.Contains([]string{"succeeded", "partially_refunded"}, v.payment.Status)
		return v.reservation.Status != "pending" && !paid
	}
	return v.reservation.Status == "confirmed"
}

// disagreement says what is wrong with an order that has settled: whoever got goods has paid for them, and whoever did
// not has all of the money.
func (v sight) disagreement() string {
	p := v.payment
	var refunds int64
	for _, r := range p.Refunds {
		refunds += r.Amount
	}
	switch {
	case p.Status != "" && (p.Amount != v.order.Total || p.OrderID != v.order.ID):
		return "the payment is of another order"
	case refunds != p.RefundedAmount || p.RefundedAmount > p.Amount:
		return fmt.Sprintf("refunds of %d", refunds)
	case v.order.Status != "cancelled" && !slices.Contains([]string{"succeeded", "partially_refunded", "refunded"}, p.Status):
		return "sold and not paid"
	case v.order.Status == "cancelled" && !slices.Contains([]string{"", "cancelled", "failed", "refunded"}, p.Status):
		return "cancelled and paid"
	case v.order.Status == "cancelled" && (p.Status == "refunded") != (p.RefundedAmount == p.Amount && p.Amount > 0):
		return "money is left"
	case v.order.Status == "cancelled" && v.order.FailureReason == "" && v.order.CancelReason == "" && !slices.Contains([]string{"confirmed", "released"}, v.reservation.Status) && p.Status != "":
		return "ended without a cause"
	}
	return ""
}

// settled waits until the order has ended, and returns what became of it.
func (c client) settled(orderID string) (v sight) {
	c.t.Helper()
	eventually(c.t, func() string {
		if v = c.look(orderID); !v.settled() {
			return "not settled: " + v.String()
		}
		return ""
	})
	if wrong := v.disagreement(); wrong != "" {
		c.t.Errorf("%s: %v", wrong, v)
	}
	return v
}

// awaitingPayment waits until the order has its stock and a payment that its buyer can make, which it returns.
func (c client) awaitingPayment(orderID string) (p paymentView) {
	c.t.Helper()
	eventually(c.t, func() string {
		v := c.look(orderID)
		if p = v.payment; p.StripePaymentIntentID == "" {
			return "no payment yet: " + v.String()
		}
		return ""
	})
	return p
}

// share is what one order has of one product, by the product's ledger.
type share struct{ held, sold int64 }

// ledger goes through a product's ledger from its beginning, checks every line's balance against those before it and
// the last one against the product, and returns what each order has.
func (c client) ledger(productID string) map[string]share {
	c.t.Helper()
	movements := all[movementView](c, "/products/"+productID+"/stock-movements?limit=100")
	slices.Reverse(movements)
	var stock, reserved int64
	shares := map[string]share{}
	for _, m := range movements {
		s := shares[m.OrderID]
		switch m.Type {
		case "initial", "adjustment":
			stock += m.Quantity
		case "reserve":
			reserved += m.Quantity
			s.held += m.Quantity
		case "release":
			reserved -= m.Quantity
			s.held -= m.Quantity
		case "sale":
			stock, reserved = stock-m.Quantity, reserved-m.Quantity
			s = share{held: s.held - m.Quantity, sold: s.sold + m.Quantity}
		case "restock":
			stock += m.Quantity
			s.sold -= m.Quantity
		default:
			c.t.Errorf("ledger of %s: unknown movement %q", productID, m.Type)
		}
		shares[m.OrderID] = s
		if m.StockQuantity != stock || m.ReservedQuantity != reserved || m.AvailableQuantity != stock-reserved || stock < reserved || s.held < 0 || s.sold < 0 {
			c.t.Errorf("ledger of %s: %+v, but the lines up to it give stock %d, reserved %d, and the order %+v", productID, m, stock, reserved, s)
		}
	}
	p := c.product(productID)
	assert.Equal(c.t, [3]int64{stock, reserved, stock - reserved}, [3]int64{p.StockQuantity, p.ReservedQuantity, p.AvailableQuantity},
		"stock, reserved and available of %s, and its ledger", productID)
	return shares
}

// booksBalance checks that the orders, which are all that there are of the products, have settled, and that the products
// have given exactly what was sold, and hold nothing.
func (c client) booksBalance(orders []string, products ...string) (ends map[string]sight) {
	c.t.Helper()
	ends = make(map[string]sight, len(orders))
	demand := map[string]map[string]int64{}
	for _, id := range orders {
		ends[id] = c.settled(id)
		for _, item := range ends[id].order.Items {
			if demand[item.ProductID] == nil {
				demand[item.ProductID] = map[string]int64{}
			}
			if ends[id].order.Status != "cancelled" {
				demand[item.ProductID][id] += item.Quantity
			}
		}
	}
	for _, product := range products {
		eventually(c.t, func() string {
			if p := c.product(product); p.ReservedQuantity != 0 {
				return fmt.Sprintf("%s still holds: %+v", product, p)
			}
			return ""
		})
		shares := c.ledger(product)
		for id := range ends {
			if got, want := shares[id], (share{sold: demand[product][id]}); got != want {
				c.t.Errorf("%v: has %+v of %s, is due %+v", ends[id], got, product, want)
			}
			delete(shares, id)
		}
		delete(shares, "")
		assert.Empty(c.t, shares, "orders that nobody placed have a share of %s", product)
	}
	return ends
}

// counts how often each thing occurs.
func counts[T any, K comparable](list []T, key func(T) K) map[K]int {
	n := map[K]int{}
	for _, element := range list {
		n[key(element)]++
	}
	return n
}

// gather runs n callers at the same moment and returns what they got, in any order.
func gather[T any](n int, call func(i int) T) []T {
	var mu sync.Mutex
	got := make([]T, 0, n)
	together(n, func(i int) {
		one := call(i)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, one)
	})
	return got
}

func status(a answer) int { return a.status }
