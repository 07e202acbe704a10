package simulation

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

func TestShop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed") // decides the run; a shorter run of the same seed begins the same way
		w := newShop(t, seed)
		for range 100 + rapid.IntRange(0, 400).Draw(t, "steps") {
			w.act()
			w.check()
		}
		w.comeToRest()
		w.checkAtRest()
	})
}

// act is one step of the world.
func (w *shop) act() {
	switch n := w.upTo(99); {
	case n < 4:
		w.open()
	case n < 60:
		for range 1 + w.upTo(4) {
			w.carry()
		}
	case n < 80:
		w.attendAll()
	case n < 85:
		w.now += domain.Time(pick(w, w.weather.pace))
	case n < 91:
		w.interfere()
	case n < 92:
		w.crashSomething()
	case n < 97 && len(w.provider.intents) > 0:
		w.provider.moves(pick(w, w.provider.intents))
	default:
		w.upkeep(pick(w, w.products))
	}
	for _, o := range w.orders {
		if at := o.State.Due().Deadline; at != 0 && w.now >= at && w.upTo(3) > 0 {
			_ = w.order(o, order.Tick{At: w.now})
		}
	}
}

// carry delivers, doubles or loses a message.
func (w *shop) carry() {
	if len(w.soup) == 0 {
		return
	}
	i := w.upTo(len(w.soup) - 1)
	switch fate := w.upTo(9); {
	case fate < w.weather.lossy && w.soup[i].expires != 0:
		w.note("lose %s", w.soup[i].name)
		w.soup = append(w.soup[:i:i], w.soup[i+1:]...)
	case fate < w.weather.lossy+w.weather.doubly:
		w.deliver(i, true)
	default:
		w.deliver(i, false)
	}
}

// attendAll lets every entity look at its agenda, and some step repeat its question.
func (w *shop) attendAll() {
	for _, o := range w.orders {
		w.attend(o)
		for _, s := range o.steps {
			if s.repeat != nil && w.upTo(3) == 0 {
				s.sure = false
				s.repeat()
			}
		}
	}
	for _, o := range w.orders {
		if p := w.payments[o.id]; p != nil {
			w.work(p)
		}
	}
}

func (w *shop) crashSomething() {
	if len(w.orders) == 0 {
		return
	}
	o := pick(w, w.orders)
	switch w.upTo(2) {
	case 0:
		w.note("%s crashes", o.id)
		w.crash(o, w.upTo(1) == 0)
	case 1:
		if p := w.payments[o.id]; p != nil {
			w.note("payment %s crashes", o.id)
			p.calling = false
			p.life++
		}
	default:
		p := pick(w, w.products)
		w.note("%s crashes", p.id)
		p.forget = nil
	}
}

// open places an order, or reserves for another system's.
func (w *shop) open() {
	if len(w.orders) >= 12 {
		return
	}
	o := &orderEntity{orderSubject: orderRules.New(), fresh: true}
	place := order.Place{Number: "N", ReservationDocID: "d", ReservationID: "R", Customer: order.Customer{CustomerID: "c"},
		PaymentMethod: pick(w, []string{"card", "pm_card"}),
		Policy:        order.Policy{TaxPPM: 100_000, ShippingFlat: 1000, Currency: "usd", ReservationTTL: ttl}, At: w.now}
	free := w.upTo(9) == 0
	var lines []order.Line
	for _, p := range w.products {
		n := w.between(0, 2)
		if n == 0 {
			continue
		}
		d := order.Demand{ProductID: p.id, Quantity: n, Known: true, Name: "n", Price: 100, Currency: "usd", Active: true}
		if free {
			d.Price, place.Policy.ShippingFlat = 0, 0
		}
		place.Demands = append(place.Demands, d)
		lines = append(lines, order.Line{ProductID: d.ProductID, ProductName: "n", Quantity: n, UnitPrice: d.Price})
	}
	if len(lines) == 0 {
		return
	}
	var command order.Command
	if w.upTo(3) == 0 {
		o.id = fmt.Sprintf("their-%d", len(w.orders))
		command = order.Reserve{OrderID: o.id, CustomerID: "c", ReservationDocID: "d", ReservationID: "R", Lines: lines, TTL: ttl, At: w.now}
	} else {
		o.id = domain.NewID(w.now, [8]byte{byte(len(w.orders))})
		place.ID = o.id
		command = place
	}
	w.orders = append(w.orders, o)
	if err := w.order(o, command); err != nil {
		w.fail("not placed: %v", err)
	}
}

// interfere is a buyer, the staff or another system doing something to an order, whether it fits or not.
func (w *shop) interfere() {
	if w.upTo(5) == 0 {
		w.restock(pick(w, w.products))
		return
	}
	if len(w.orders) == 0 {
		return
	}
	o := pick(w, w.orders)
	p := w.payments[o.id]
	switch w.upTo(7) {
	case 0, 1:
		_ = w.order(o, order.Cancel{ID: o.id, Reason: "changed my mind", At: w.now})
	case 2:
		_ = w.order(o, order.Release{OrderID: o.id, Reason: "by hand", At: w.now})
	case 3:
		_ = w.order(o, order.ConfirmReservation{OrderID: o.id, At: w.now})
	case 4:
		status := pick(w, []string{"processing", "shipped", "delivered"})
		_ = w.order(o, order.Amend{ID: o.id, Status: &status, At: w.now})
	case 5:
		_ = w.order(o, order.Hide{ID: o.id, At: w.now})
	case 6:
		if p != nil {
			_ = w.pay(p, payment.Confirm{Method: "pm_other", At: w.now})
		}
	case 7:
		if p != nil {
			amount := w.between(1, 800)
			_ = w.pay(p, payment.GiveBack{Amount: &amount, Reason: "damaged", At: w.now})
		}
	}
}

func (w *shop) restock(p *productEntity) {
	if w.upTo(9) == 0 && p.id == "LAMP" {
		if err := w.product(p, product.Delete{ID: p.State.Entry.ID, At: w.now}); err == nil {
			p.deleted = true
		}
		return
	}
	delta := w.between(-2, 2)
	if err := w.product(p, product.Adjust{Delta: delta, Reason: "count", At: w.now}); err == nil {
		p.initial += delta
	}
}
