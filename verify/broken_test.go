package verify_test

import (
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// Faults of the rules: the events agree with each other, as the rules write them, and break a guarantee all the same.

// force journals events that no rule has decided.
func force[S any, E event](s *shop, kind, identity string, states map[string]*S, evolve func(*S, E), codec domain.Codec[E], events ...E) verify.Place {
	s.t.Helper()
	_, err := run(s, kind, identity, "", states, struct{}{}, func(*S, struct{}) ([]E, error) { return events, nil }, evolve, codec)
	s.must(err)
	last := s.entries[len(s.entries)-1]
	return verify.Place{Stream: last.Stream, Sequence: last.First}
}

func (s *shop) forceProduct(id string, events ...product.Event) verify.Place {
	return force(s, "product", id, s.products, (*product.State).Evolve, product.Codec, events...)
}

func (s *shop) forcePayment(id string, events ...payment.Event) verify.Place {
	return force(s, "payment", id, s.payments, (*payment.State).Evolve, payment.Codec, events...)
}

// heldFor is a hold as a product without a limit would record it.
func (s *shop) heldFor(productID, orderID string, quantity int64, expires domain.Time) product.Held {
	b := s.products[productID].Balance
	b.Reserved += quantity
	return product.Held{OrderID: orderID, Quantity: quantity, ExpiresAt: expires, At: s.pass(step), Balance: b}
}

func (s *shop) succeeded(id string) payment.Succeeded {
	r := s.payments[id].Requested
	return payment.Succeeded{PaymentIntentID: s.payments[id].PaymentIntentID(), OrderID: r.OrderID, CustomerID: r.CustomerID, Amount: r.Amount,
		Currency: r.Currency, IntentID: "pi_" + id, Method: r.Method, At: s.pass(step)}
}

// last is the newest event of a stream.
func (s *shop) last(stream storage.Stream) verify.Place {
	for i := len(s.entries) - 1; i >= 0; i-- {
		if e := s.entries[i]; e.Stream == stream {
			return verify.Place{Stream: stream, Sequence: e.Last()}
		}
	}
	s.t.Fatalf("%s has no entry", stream)
	return verify.Place{}
}

func TestBrokenRulesAreNoticed(t *testing.T) {
	for _, c := range []struct {
		name      string
		guarantee verify.Guarantee
		story     func(s *shop) verify.Place
	}{
		{"oversold", verify.G3, func(s *shop) verify.Place {
			id := s.place("card", want{"crate", 7})
			return s.forceProduct("crate", s.heldFor("crate", s.orders[id].OrderID(), 7, s.orders[id].Reservation.ExpiresAt),
				product.LowStock{ProductID: "crate", ProductName: "The crate", Available: -1, Threshold: 5, At: s.now})
		}},
		{"stock taken by hand from under the reservations", verify.G3, func(s *shop) verify.Place {
			s.reserve(s.place("card", want{"anvil", 50}))
			return s.forceProduct("anvil", product.Adjusted{ID: s.newID(), Delta: -80, Reason: "lost", At: s.now, Balance: product.Balance{Stock: 20, Reserved: 50}},
				product.LowStock{ProductID: "anvil", ProductName: "The anvil", Available: -30, Threshold: 10, At: s.now})
		}},
		{"sold without a hold", verify.G3, func(s *shop) verify.Place {
			id := s.place("card", want{"anvil", 1})
			return s.forceProduct("anvil", product.Taken{OrderID: s.orders[id].OrderID(), Quantity: 1, At: s.now, Balance: product.Balance{Stock: 99, Reserved: -1}})
		}},
		{"the second line is missing", verify.G4, func(s *shop) verify.Place {
			id := s.place("card", want{"anvil", 1}, want{"bolt", 1})
			s.must(s.hold(id, s.orders[id].Reservation.Lines[0]))
			s.must(s.order(id, order.RecordReserved{At: s.pass(step)}))
			return verify.Place{Stream: "order/" + storage.Stream(id), Sequence: 2}
		}},
		{"confirmed with one line taken", verify.G4, func(s *shop) verify.Place {
			id := s.place("pm_card", want{"anvil", 1}, want{"bolt", 1})
			s.reserve(id)
			s.must(s.ask(id))
			s.provider(id, payment.OutcomeSucceeded, 0)
			s.must(s.product("anvil", product.Take{OrderID: s.orders[id].OrderID(), At: s.pass(step)}))
			s.must(s.order(id, order.RecordPaid{At: s.pass(step)}))
			return s.last(storage.StreamOf("order", id))
		}},
		{"a hold outlives its order", verify.G4, func(s *shop) verify.Place {
			id := s.place("card", want{"anvil", 1}, want{"bolt", 1})
			s.reserve(id)
			held := s.last("product/bolt")
			s.cancel(id, "")
			s.must(s.payment(id, "order/"+s.orders[id].OrderID(), payment.VoidPayment{Reason: s.orders[id].UndoReason, At: s.now}))
			s.must(s.giveBack(id, s.orders[id].Reservation.Lines[0]))
			s.must(s.order(id, order.RecordUndone{At: s.pass(step)}))
			return held
		}},
		{"a hold outlives its deadline", verify.G4, func(s *shop) verify.Place {
			s.reserve(s.place("card", want{"bolt", 1}))
			held := s.last("product/bolt")
			s.pass(40 * time.Minute)
			s.goOn()
			return held
		}},
		{"a late hold outlives its deadline", verify.G4, func(s *shop) verify.Place {
			id := s.buy(want{"bolt", 1})
			s.must(s.product("bolt", product.Forget{OrderIDs: []string{s.orders[id].OrderID()}, At: s.pass(time.Minute)}))
			s.must(s.hold(id, s.orders[id].Reservation.Lines[0]))
			held := s.last("product/bolt")
			s.pass(40 * time.Minute)
			s.goOn()
			return held
		}},
		{"a hold of nobody's", verify.G4, func(s *shop) verify.Place {
			return s.forceProduct("bolt", s.heldFor("bolt", s.newID(), 1, s.now.Add(time.Hour)))
		}},
		{"a hold that the order did not ask for", verify.G4, func(s *shop) verify.Place {
			id := s.place("card", want{"anvil", 1})
			return s.forceProduct("bolt", s.heldFor("bolt", s.orders[id].OrderID(), 1, s.orders[id].Reservation.ExpiresAt))
		}},
		{"a sale that is not given back", verify.G4, func(s *shop) verify.Place {
			id := s.buy(want{"bolt", 1})
			s.cancel(id, "")
			s.must(s.payment(id, "order/"+s.orders[id].OrderID(), payment.VoidPayment{Reason: s.orders[id].UndoReason, At: s.now}))
			s.must(s.order(id, order.RecordUndone{At: s.pass(step)}))
			return s.last(storage.StreamOf("order", id))
		}},
		{"charged twice", verify.G5, func(s *shop) verify.Place {
			id := s.buy(want{"bolt", 1})
			return s.forcePayment(id, s.succeeded(id))
		}},
		{"confirmed without money", verify.G5, func(s *shop) verify.Place {
			id := s.place("pm_card", want{"bolt", 1})
			s.reserve(id)
			s.must(s.ask(id))
			s.provider(id, payment.OutcomeDeclined, 0)
			s.take(id)
			s.must(s.order(id, order.RecordPaid{At: s.pass(step)}))
			return s.last(storage.StreamOf("order", id))
		}},
		{"confirmed without a payment", verify.G5, func(s *shop) verify.Place {
			id := s.place("pm_card", want{"bolt", 1})
			s.reserve(id)
			s.take(id)
			s.must(s.order(id, order.RecordPaid{At: s.pass(step)}))
			return s.last(storage.StreamOf("order", id))
		}},
		{"more refunded than paid", verify.G5, func(s *shop) verify.Place {
			id := s.buy(want{"bolt", 1})
			p := s.payments[id]
			s.must(s.payment(id, "", payment.GiveBack{PaymentIntentID: p.PaymentIntentID(), At: s.now}))
			s.work(id)
			return s.forcePayment(id, payment.RefundRequested{Index: 1, Amount: 1, At: s.now})
		}},
		{"money stays for an order that is not filled", verify.G5, func(s *shop) verify.Place {
			id := s.buy(want{"bolt", 1})
			s.cancel(id, "")
			voided := s.forcePayment(id, payment.VoidRequested{Reason: s.orders[id].UndoReason, At: s.now})
			s.undo(id)
			return voided
		}},
		{"settled with an open payment", verify.G5, func(s *shop) verify.Place {
			id := s.place("card", want{"bolt", 1})
			s.reserve(id)
			s.must(s.ask(id))
			s.cancel(id, "")
			s.must(s.giveBack(id, s.orders[id].Reservation.Lines[0]))
			s.must(s.order(id, order.RecordUndone{At: s.pass(step)}))
			return s.last(storage.StreamOf("order", id))
		}},
		{"a payment voided under its order", verify.G5, func(s *shop) verify.Place {
			id := s.place("card", want{"bolt", 1})
			s.reserve(id)
			s.must(s.ask(id))
			s.must(s.payment(id, "", payment.VoidPayment{Reason: "why not", At: s.now}))
			return s.last(storage.StreamOf("payment", id))
		}},
		{"a payment that the order did not ask for", verify.G5, func(s *shop) verify.Place {
			id := s.place("card", want{"bolt", 1})
			orderID := s.orders[id].OrderID()
			s.must(s.payment(id, "order/"+orderID, payment.Request{Payment: payment.Requested{ID: s.newID(), OrderID: orderID, CustomerID: "c", Amount: 5, Currency: "usd", At: s.now}}))
			return s.last(storage.StreamOf("payment", id))
		}},
		{"an order at a price that never was", verify.G7, func(s *shop) verify.Place {
			kept := s.products["bolt"].Entry.Price
			s.products["bolt"].Entry.Price = 1
			id := s.place("card", want{"bolt", 1})
			s.products["bolt"].Entry.Price = kept
			return verify.Place{Stream: storage.StreamOf("order", id), Sequence: 1}
		}},
		{"an sku that another product has", verify.G7, func(s *shop) verify.Place {
			sku := "ANV-1"
			changed := s.forceProduct("bolt", product.Updated{SKU: &sku, At: s.now})
			s.forceProduct("bolt", product.ClaimsSettled{SKU: sku, At: s.now})
			return changed
		}},
		{"low stock that is not announced", verify.G7, func(s *shop) verify.Place {
			return s.forceProduct("anvil", product.Adjusted{ID: s.newID(), Delta: -95, Reason: "lost", At: s.now, Balance: product.Balance{Stock: 5}})
		}},
	} {
		for clocks, prepare := range clockModes {
			t.Run(c.name+"/"+clocks, func(t *testing.T) {
				s := newShop(t, 5)
				prepare(s)
				s.catalogue("anvil", "ANV-1", 4999, 100, 10)
				s.catalogue("bolt", "BLT-1", 25, 1000, 10)
				s.catalogue("crate", "CRT-1", 1200, 6, 5)
				s.buy(want{"anvil", 1})
				s.must(s.product("anvil", product.Adjust{MovementID: s.newID(), Delta: 1, Reason: "counted", At: s.now}))
				clean(t, s.tape(), verify.Options{})
				place := c.story(s)
				if report := check(t, s.tape(), verify.Options{}); !has(report, c.guarantee, place) {
					t.Errorf("at rest: want %s at %s:\n%s", c.guarantee, place, report)
				}
				begun := len(s.entries)
				s.goOn()
				s.place("card", want{"anvil", 1})
				if report := check(t, s.running(begun), verify.Options{Now: s.now.Std()}); !has(report, c.guarantee, place) {
					t.Errorf("while the shop goes on: want %s at %s:\n%s", c.guarantee, place, report)
				}
			})
		}
	}
}

// TestOpenOrdersAreNoViolation stops one order at every entry of its way.
func TestOpenOrdersAreNoViolation(t *testing.T) {
	s := newShop(t, 5)
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	begun := len(s.entries)
	s.buy(want{"anvil", 1})
	for n := begun + 1; n < len(s.entries); n++ {
		tape := tape{entries: s.entries[:n]}
		if report := clean(t, tape, verify.Options{}); report.Open != 1 || report.WarningCount != 0 {
			t.Errorf("after %d entries: want one open order, and no warning:\n%s", n-begun, report)
		}
		// A day later it should have given up: a hold by then is a violation, and an order that waits is worth a look.
		report := check(t, tape, verify.Options{Now: s.now.Add(24 * time.Hour).Std()})
		if report.WarningCount != 1 || report.Warnings[0].Guarantee != verify.G6 {
			t.Errorf("after %d entries and a day: want a warning:\n%s", n-begun, report)
		}
	}
	if report := clean(t, s.tape(), verify.Options{Now: s.now.Add(24 * time.Hour).Std()}); report.Open != 0 || report.WarningCount != 0 {
		t.Errorf("want nothing open:\n%s", report)
	}
}

// TestLateHoldIsTolerated: a message that was under way while the product forgot the order holds once more, until the
// product finds out.
func TestLateHoldIsTolerated(t *testing.T) {
	s := newShop(t, 5)
	s.catalogue("bolt", "BLT-1", 25, 1000, 10)
	id := s.buy(want{"bolt", 1})
	orderID := s.orders[id].OrderID()
	s.must(s.product("bolt", product.Forget{OrderIDs: []string{orderID}, At: s.pass(time.Minute)}))
	s.must(s.hold(id, s.orders[id].Reservation.Lines[0]))
	clean(t, s.tape(), verify.Options{})
	s.pass(15 * time.Minute)
	s.must(s.product("bolt", product.Return{OrderID: orderID, HoldOnly: true, Reason: "abandoned by its order", At: s.now}))
	if report := clean(t, s.tape(), verify.Options{}); report.Stock.Sold != 1 || report.Stock.Reserved != 0 {
		t.Errorf("want one sold, and nothing reserved:\n%s", report)
	}
}
