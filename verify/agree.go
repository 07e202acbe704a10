package verify

import (
	"fmt"
	"slices"
)

// demandsAgree compares what the order's journal says of its lines with what the products' journals say.
func (c *conclusion) demandsAgree() {
	for i := range c.demands {
		d := &c.demands[i]
		f := c.shelves[d.shelf]
		if f.broken {
			continue
		}
		if d.quote != 0 && !slices.Contains(f.quotes, d.quote) {
			v := Violation{Guarantee: G7, Place: c.orderPlace(1), Detail: "product " + f.productID + " was never called that at that price"}
			if f.quoteAt != 0 {
				v.Against = new(f.place(f.quoteAt))
			}
			c.violate(v)
		}
		if d.changedAt != 0 && !c.sameDemand(f, d) {
			continue
		}
		switch o := &c.order; {
		case d.wanted == 0: // sameDemand has complained
		case !o.finished():
			c.openDemand(f, d)
		case o.settledAt != 0 || (o.reservation != reservationSold && o.phase == phaseNone):
			c.returned(f, d)
		default:
			c.sold(f, d)
		}
	}
}

func (c *conclusion) demandDiffers(g Guarantee, f *shelf, sequence uint32, against uint32, format string, args ...any) {
	c.violate(Violation{Guarantee: g, Place: f.place(sequence), Detail: fmt.Sprintf(format, args...), Against: new(c.orderPlace(max(1, against)))})
}

// lineDiffers reports what the order says and the product's journal does not bear out.
func (c *conclusion) lineDiffers(f *shelf, d *demand, sequence uint32, format string, args ...any) {
	v := Violation{Guarantee: G4, Place: c.orderPlace(max(1, sequence)), Detail: fmt.Sprintf(format, args...)}
	if d.changedAt != 0 {
		v.Against = new(f.place(d.changedAt))
	}
	c.violate(v)
}

// sameDemand says whether the product speaks of this order, and of what it has asked.
func (c *conclusion) sameDemand(f *shelf, d *demand) bool {
	o := &c.order
	first := d.changedAt
	if d.heldAt != 0 {
		first = d.heldAt
	}
	switch {
	case d.prefix != o.prefix:
		c.demandDiffers(G4, f, first, 1, "order %s does not exist", orderID(c.identity, d.prefix))
	case d.wanted == 0:
		c.demandDiffers(G4, f, first, o.requestedAt, "order %s does not name this product", o.id(c.identity))
	case d.heldAt != 0 && d.quantity != d.wanted:
		c.demandDiffers(G4, f, d.heldAt, o.requestedAt, "%d are held for order %s, which wants %d", d.quantity, o.id(c.identity), d.wanted)
	case d.heldAt != 0 && d.expires != o.expires:
		c.demandDiffers(G4, f, d.heldAt, o.requestedAt, "held for order %s until %s, its deadline is %s", o.id(c.identity), d.expires, o.expires)
	default:
		return true
	}
	return false
}

// openDemand: an order that may still go either way has all of its lines, and none beyond its deadline.
func (c *conclusion) openDemand(f *shelf, d *demand) {
	o := &c.order
	if o.reservation == reservationPending && o.phase != phaseUndoing && !d.held && d.sold != d.wanted {
		c.lineDiffers(f, d, o.requestedAt, "reserved, but product %s holds nothing for it", f.productID)
	}
	if o.reservation == reservationSold && o.phase != phaseUndoing && d.sold != d.wanted {
		c.lineDiffers(f, d, o.changedAt, "sold, but product %s has sold it %d of %d", f.productID, d.sold, d.wanted)
	}
	// A sale that was decided in time may be carried out after the deadline.
	if d.held && o.phase != phaseConfirming {
		c.overdue(f, d)
	}
}

func (c *conclusion) overdue(f *shelf, d *demand) {
	if d.expires <= c.over {
		c.demandDiffers(G4, f, d.heldAt, c.order.requestedAt, "%d are held for order %s, whose deadline was %s", d.quantity, c.order.id(c.identity), d.expires)
	}
}

// returned: an order that was not filled, or that was undone, has nothing, and gets nothing any more.
func (c *conclusion) returned(f *shelf, d *demand) {
	o := &c.order
	c.leftover(f, d)
	if d.sold != 0 {
		c.lineDiffers(f, d, max(o.settledAt, o.cancelledAt, o.requestedAt), "finished without a sale, but product %s has sold it %d", f.productID, d.sold)
	}
	if o.settledAt != 0 && !d.returned && !d.late {
		c.lineDiffers(f, d, o.settledAt, "settled, but product %s was never told", f.productID)
	}
}

// sold: a finished sale has taken exactly its lines.
func (c *conclusion) sold(f *shelf, d *demand) {
	o := &c.order
	c.leftover(f, d)
	if d.sold != d.wanted {
		c.lineDiffers(f, d, max(o.confirmedAt, o.changedAt), "sold, but product %s has sold it %d of %d", f.productID, d.sold, d.wanted)
	}
}

// leftover: nothing is held for a finished order. Only a message that came when the product had forgotten the order may
// hold once more, until the deadline.
func (c *conclusion) leftover(f *shelf, d *demand) {
	switch {
	case d.held && d.late:
		c.overdue(f, d)
	case d.held:
		c.demandDiffers(G4, f, d.heldAt, max(c.order.settledAt, c.order.changedAt), "%d are held for order %s, which is finished", d.quantity, c.order.id(c.identity))
	}
}

// paymentAgrees compares the order with its payment.
func (c *conclusion) paymentAgrees() {
	o, p := &c.order, c.payment
	if p != nil && p.broken {
		return
	}
	if o.confirmedAt != 0 && o.paymentAt != 0 {
		c.charged()
	}
	if p == nil || p.next <= 1 {
		if o.settledAt != 0 && o.paymentAt != 0 {
			c.orderDiffers(o.settledAt, nil, "settled, but its payment was not voided")
		}
		return
	}
	if p.exists && p.byOrder {
		c.asAsked()
	}
	// A client may ask for a payment of whatever it likes; the order does not take it for its own.
	if p.exists && p.prefix != o.prefix && (p.byOrder || o.confirmedAt != 0) {
		c.paymentDiffers(1, 1, "the order's id differs from the order's own")
	}
	c.voided()
}

func (c *conclusion) orderDiffers(sequence uint32, other *Place, detail string) {
	c.violate(Violation{Guarantee: G5, Place: c.orderPlace(sequence), Detail: detail, Against: other})
}

func (c *conclusion) paymentDiffers(sequence, order uint32, detail string) {
	c.violate(Violation{Guarantee: G5, Place: c.paymentPlace(sequence), Detail: detail, Against: new(c.orderPlace(order))})
}

// charged: a confirmed order was paid, once, in full.
func (c *conclusion) charged() {
	o, p := &c.order, c.payment
	switch {
	case p == nil || p.next <= 1:
		c.orderDiffers(o.confirmedAt, nil, "confirmed, but there is no payment")
	case !p.paid:
		c.orderDiffers(o.confirmedAt, new(c.paymentPlace(uint32(p.next-1))), "confirmed, but nothing was charged")
	case p.amount != o.total || p.currency != o.currency || p.customer != o.customer:
		c.paymentDiffers(p.paidAt, o.confirmedAt, "what was charged is not the order's total, in its currency, to its customer")
	}
}

// asAsked: a payment that the order asked for is what it asked.
func (c *conclusion) asAsked() {
	o, p := &c.order, c.payment
	if o.paymentAt == 0 {
		c.paymentDiffers(1, max(1, o.requestedAt), "the order has not asked for a payment")
		return
	}
	for _, repeated := range []struct {
		what string
		same bool
	}{
		{"the amount", p.amount == o.total},
		{"the currency", p.currency == o.currency},
		{"the customer", p.customer == o.customer},
		{"the e-mail address", p.email == o.email},
		{"the payment method", p.method == o.method},
		{"a line", p.items == o.lines},
	} {
		if !repeated.same {
			c.paymentDiffers(1, o.paymentAt, repeated.what+" differs from what the order asked for")
		}
	}
}

// voided: an order that will not be filled has voided its payment, and no other one has.
func (c *conclusion) voided() {
	o, p := &c.order, c.payment
	switch {
	case p.void && o.undoingAt == 0:
		c.paymentDiffers(p.voidAt, max(1, o.changedAt), "voided, but the order is not being undone")
	case p.void && p.because != o.reason:
		c.paymentDiffers(p.voidAt, o.undoingAt, "the reason differs from the order's")
	case !p.void && o.settledAt != 0 && o.paymentAt != 0:
		c.orderDiffers(o.settledAt, new(c.paymentPlace(uint32(p.next-1))), "settled, but its payment was not voided")
	case p.void && p.left() > 0:
		c.warn(Violation{Guarantee: G5, Place: c.paymentPlace(p.rejectedAt), Detail: "the provider refuses a refund of an order that was not filled; money is to be given back by hand"})
	}
}
