package simulation

import (
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// check is what holds at every instant. That no product is oversold is checked with every event, that every refusal is
// one and every stored event is what was decided by domaintest.
func (w *shop) check() {
	for _, i := range w.provider.intents {
		if i.charges > 1 || i.refunded > i.amount*int64(i.charges) {
			w.fail("order %s was charged %d times and refunded %d of %d", i.orderID, i.charges, i.refunded, i.amount)
		}
		if first := w.provider.of(i.orderID); first != i {
			w.fail("order %s has intents %s and %s", i.orderID, first.id, i.id)
		}
	}
	for _, o := range w.orders {
		if o.State.Status != order.StatusConfirmed || o.State.PaymentRequested == nil {
			continue
		}
		if i := w.provider.of(o.id); i == nil || i.charges != 1 {
			w.fail("order %s is confirmed without its money", o.id)
		}
	}
	for _, p := range w.products {
		checkBalances(w, p)
	}
}

// checkBalances folds the ledger without looking at the balances in it.
func checkBalances(w *shop, p *productEntity) {
	var stock, reserved int64
	for _, e := range p.Events {
		switch e := e.(type) {
		case product.Created:
			stock = e.Stock
		case product.Adjusted:
			stock += e.Delta
		case product.Held:
			reserved += e.Quantity
		case product.Taken:
			stock, reserved = stock-e.Quantity, reserved-e.Quantity
		case product.Released:
			reserved -= e.Quantity
		case product.Restocked:
			stock += e.Quantity
		case product.Deleted:
			stock = 0
		}
	}
	if p.State.Balance != (product.Balance{Stock: stock, Reserved: reserved}) {
		w.fail("%s has %+v, its ledger adds up to %d and %d", p.id, p.State.Balance, stock, reserved)
	}
}

// comeToRest lets time pass without accidents until nobody has anything left to do.
func (w *shop) comeToRest() {
	w.calm = true
	w.note("calm")
	for range 400 {
		for len(w.soup) > 0 {
			w.deliver(0, false)
			w.check()
		}
		for _, i := range w.provider.intents {
			if i.status == payment.OutcomeProcessing {
				w.provider.becomes(i, payment.OutcomeSucceeded)
			}
		}
		busy := false
		for _, o := range w.orders {
			if at := o.State.Due().Deadline; at != 0 && w.now >= at {
				_ = w.order(o, order.Tick{At: w.now})
			}
			w.attend(o)
			for _, s := range o.steps {
				if s.repeat != nil {
					s.sure = false
					s.repeat()
				}
			}
			busy = busy || o.State.Due() != (order.Agenda{})
			if p := w.payments[o.id]; p != nil {
				p.calling = false
				w.work(p)
				work, _ := p.State.Due()
				busy = busy || work != payment.WorkNone
			}
		}
		for _, p := range w.products {
			w.upkeep(p)
			busy = busy || len(p.State.Orders) > 0
		}
		if !busy && len(w.soup) == 0 {
			return
		}
		w.now += 2_000
	}
	for _, o := range w.orders {
		w.note("%s: due %+v, steps %d", o.id, o.State.Due(), len(o.steps))
	}
	for _, p := range w.products {
		w.note("%s remembers %s", p.id, domaintest.JSON(w.t, p.State.Orders))
	}
	w.fail("it never comes to rest")
}

// checkAtRest is what holds when nobody has anything left to do.
func (w *shop) checkAtRest() {
	sold := map[string]int64{}
	for _, o := range w.orders {
		s := &o.State
		switch {
		case s.Status == order.StatusPending, s.Due() != (order.Agenda{}), s.ReservationStatus == order.ReservationPending:
			w.fail("%s is %q, its reservation %q, due %+v", o.id, s.Status, s.ReservationStatus, s.Due())
		case s.Status != "" && s.Status != order.StatusCancelled && !s.Sold():
			w.fail("%s is %s and has not got its stock", o.id, s.Status)
		}
		if s.Sold() && s.Status != order.StatusCancelled {
			for _, line := range s.Reservation.Lines {
				sold[line.ProductID] += line.Quantity
			}
		}
		w.checkMoney(o)
	}
	for _, p := range w.products {
		if p.State.Reserved != 0 || len(p.State.Orders) != 0 {
			w.fail("%s still has %d reserved, and remembers %d orders", p.id, p.State.Reserved, len(p.State.Orders))
		}
		if !p.deleted && p.State.Stock+sold[p.id] != p.initial {
			w.fail("%s has %d in stock and %d sold, and %d came in", p.id, p.State.Stock, sold[p.id], p.initial)
		}
	}
}

// checkMoney compares the order, its payment and the provider's books.
func (w *shop) checkMoney(o *orderEntity) {
	p, i := w.payments[o.id], w.provider.of(o.id)
	charged, refunded := int64(0), int64(0)
	if i != nil {
		charged, refunded = i.amount*int64(i.charges), i.refunded
	}
	if p == nil {
		if charged != 0 {
			w.fail("%s was charged without a payment", o.id)
		}
		return
	}
	if p.State.Paid() != (charged > 0) || p.State.Refunded() != refunded {
		w.fail("%s: paid %v and refunded %d, at the provider %d and %d", o.id, p.State.Paid(), p.State.Refunded(), charged, refunded)
	}
	if work, number := p.State.Due(); work != payment.WorkNone {
		w.fail("%s: %s/%d is due", o.id, work, number)
	}
	switch o.State.Status {
	case order.StatusCancelled:
		if charged != refunded {
			w.fail("%s is cancelled, %d was paid and %d given back", o.id, charged, refunded)
		}
		if i != nil && i.status != payment.OutcomeSucceeded && i.status != payment.OutcomeCanceled {
			w.fail("%s is cancelled, and its intent can still be paid: %s", o.id, i.status)
		}
	case "":
	default:
		if charged != o.State.Placed.Total {
			w.fail("%s is %s, charged %d of %d", o.id, o.State.Status, charged, o.State.Placed.Total)
		}
	}
}
