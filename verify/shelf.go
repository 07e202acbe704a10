package verify

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// What orders have of a product.

// demandOf is what the product knows of that order. Another order's id with the same tail would be the same entity: it
// is a violation where the product has heard of the other one.
func (f *shelf) demandOf(s *step, orderID string) *demand {
	d := s.sagaOf(domain.OrderIdentity(orderID)).demand(f.number)
	prefix := prefixOf(orderID)
	if d.changedAt == 0 {
		d.prefix = prefix
	}
	s.same(d.prefix == prefix, G4, "the id of order "+orderID, d.changedAt)
	return d
}

func (f *shelf) hold(s *step, e *product.Held) {
	d := f.demandOf(s, e.OrderID)
	s.require(f.exists, G4, "held of a product that does not exist")
	s.require(e.Quantity > 0, G3, "a hold of %d", e.Quantity)
	s.require(e.At < e.ExpiresAt, G4, "held after its deadline")
	s.require(!d.remembered, G4, "order %s is known here already and holds again", e.OrderID)
	d.late = d.changedAt != 0
	d.held, d.remembered, d.returned = true, true, false
	d.quantity, d.expires, d.heldAt = e.Quantity, e.ExpiresAt, s.seq()
	d.change(s)
	f.move(s, product.Balance{Stock: f.balance.Stock, Reserved: f.balance.Reserved + e.Quantity}, e.Balance)
}

func (f *shelf) take(s *step, e *product.Taken) {
	d := f.demandOf(s, e.OrderID)
	s.require(d.held, G3, "order %s holds nothing that could be taken", e.OrderID)
	s.same(!d.held || e.Quantity == d.quantity, G3, "the quantity", d.heldAt)
	d.held, d.remembered, d.returned = false, true, false
	d.change(s)
	d.sold += e.Quantity
	f.totals.Sold += e.Quantity
	f.move(s, product.Balance{Stock: f.balance.Stock - e.Quantity, Reserved: f.balance.Reserved - e.Quantity}, e.Balance)
}

func (f *shelf) release(s *step, e *product.Released) {
	d := f.demandOf(s, e.OrderID)
	if d.held {
		s.same(e.Quantity == d.quantity, G3, "the quantity", d.heldAt)
	} else {
		// Nothing is given back, and a hold that may still be on its way will be refused.
		s.require(e.Quantity == 0, G3, "%d are released of order %s, which holds nothing", e.Quantity, e.OrderID)
		s.require(!d.remembered || !d.returned, G4, "order %s gives back what it has given back", e.OrderID)
		s.require(d.sold == 0 || !f.exists, G4, "order %s gives back nothing of the %d that it has taken", e.OrderID, d.sold)
		d.sold = 0 // the product was deleted meanwhile: there is no shelf to put it on
	}
	d.held, d.remembered, d.returned = false, true, true
	d.change(s)
	f.move(s, product.Balance{Stock: f.balance.Stock, Reserved: f.balance.Reserved - e.Quantity}, e.Balance)
}

func (f *shelf) restock(s *step, e *product.Restocked) {
	d := f.demandOf(s, e.OrderID)
	s.require(f.exists, G4, "restocked, but the product does not exist")
	s.require(!d.held && d.sold > 0, G3, "order %s has taken nothing that could be restocked", e.OrderID)
	s.same(d.sold == 0 || e.Quantity == d.sold, G3, "the quantity", max(1, d.heldAt))
	d.sold = 0
	d.remembered, d.returned = true, true
	d.change(s)
	f.totals.Restocked += e.Quantity
	f.move(s, product.Balance{Stock: f.balance.Stock + e.Quantity, Reserved: f.balance.Reserved}, e.Balance)
}

func (f *shelf) forget(s *step, e *product.Forgotten) {
	s.require(len(e.OrderIDs) > 0, G7, "nothing is forgotten")
	for _, id := range e.OrderIDs {
		d := f.demandOf(s, id)
		if d.changedAt == s.seq() {
			continue // named twice: it is forgotten all the same
		}
		s.require(d.remembered, G7, "order %s is forgotten, which is not known here", id)
		s.require(!d.held, G4, "order %s is forgotten while it holds %d", id, d.quantity)
		d.remembered = false
		d.change(s)
	}
}
