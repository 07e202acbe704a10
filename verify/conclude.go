package verify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// What can be said only when every stream has been read: whether orders, products and payments agree. They are compared
// as they are at the end; a stream that could not be followed takes part in nothing.

func (a *audit) conclude(marks []storage.Marks) {
	a.over = a.longOver(marks)
	a.report.Now = cmp.Or(domain.At(a.opts.Now), a.latest()).Std()
	for _, identity := range slices.Sorted(maps.Keys(a.sagas)) {
		a.concludeSaga(identity, a.sagas[identity])
	}
	for _, f := range a.shelves {
		a.concludeShelf(f)
	}
	a.concludeClaims()
	a.concludeWriters(marks)
}

func (a *audit) concludeSaga(identity string, g *saga) {
	c := &conclusion{audit: a, identity: identity, saga: g}
	c.count()
	if c.fresh() {
		a.report.Fresh++
		return
	}
	if g.order.broken {
		return
	}
	if g.order.next <= 1 {
		c.orphans()
		return
	}
	c.demandsAgree()
	c.paymentAgrees()
	c.stuck()
}

// conclusion is the comparison of one order with its payment and its products.
type conclusion struct {
	*audit
	*saga
	identity string
}

func (c *conclusion) orderPlace(sequence uint32) Place {
	return Place{storage.StreamOf(kindOrder, c.identity), uint64(sequence)}
}

func (c *conclusion) paymentPlace(sequence uint32) Place {
	return Place{storage.StreamOf(kindPayment, c.identity), uint64(sequence)}
}

func (f *shelf) place(sequence uint32) Place {
	return Place{storage.StreamOf(kindProduct, f.productID), uint64(sequence)}
}

// fresh says that somebody has written to the order, to its payment, or to a product on its behalf, since the run began:
// the streams were read at different moments.
func (c *conclusion) fresh() bool {
	return c.order.fresh || (c.payment != nil && c.payment.fresh) || slices.ContainsFunc(c.demands, func(d demand) bool { return d.fresh })
}

// count adds the saga to the report.
func (c *conclusion) count() {
	o := &c.order
	switch {
	case o.next <= 1:
	case o.status != statusNone:
		c.report.Orders[o.status.String()]++
	case o.reservation == reservationNone && !o.finished():
		c.report.Reservations["requested"]++
	default:
		c.report.Reservations[string(reservationNames[o.reservation])]++
	}
	if o.next > 1 && !o.finished() {
		c.report.Open++
	}
	if p := c.payment; p != nil && p.next > 1 {
		c.report.Payments[p.status.String()]++
		if p.exists {
			name := c.currencies.names[p.currency]
			money := c.report.Money[name]
			if p.paid {
				money.Charged += p.amount
			}
			money.Refunded += p.refunded
			money.RefundsPending += p.refunding
			c.report.Money[name] = money
		}
	}
}

// orphans are demands and payments of an order that does not exist. Other systems' orders may have a payment here.
func (c *conclusion) orphans() {
	for _, d := range c.demands {
		f := c.shelves[d.shelf]
		if !f.broken && d.changedAt != 0 {
			c.violate(Violation{Guarantee: G4, Place: f.place(d.changedAt), Detail: "order " + orderID(c.identity, d.prefix) + " does not exist"})
		}
	}
	if p := c.payment; p != nil && p.known() && (p.byOrder || p.void) {
		c.violate(Violation{Guarantee: G5, Place: c.paymentPlace(max(1, p.voidAt)), Detail: "an order speaks here that does not exist"})
	}
}

// stuck warns of an order whose deadline has passed and that has not given up.
func (c *conclusion) stuck() {
	o := &c.order
	if o.finished() || o.at > c.over || (o.phase != phaseUndoing && o.expires > c.over) {
		return
	}
	c.warn(Violation{Guarantee: G6, Place: c.orderPlace(uint32(o.next - 1)), Detail: "still " + o.phase.String() + " although its deadline was " + o.expires.String()})
}

// concludeShelf adds a product's stock to the report, and proves that it is what came less what went.
func (a *audit) concludeShelf(f *shelf) {
	if f.next <= 1 {
		return
	}
	t := f.totals
	t.OnHand, t.Reserved = f.balance.Stock, f.balance.Reserved
	if made := t.Initial + t.Adjusted - t.Sold + t.Restocked - t.WrittenOff; made != t.OnHand && !f.broken {
		a.violate(Violation{Guarantee: G3, Place: f.place(uint32(f.next - 1)), Detail: "the stock is not what came less what was sold"})
	}
	sum := &a.report.Stock
	sum.Initial += t.Initial
	sum.Adjusted += t.Adjusted
	sum.Sold += t.Sold
	sum.Restocked += t.Restocked
	sum.WrittenOff += t.WrittenOff
	sum.OnHand += t.OnHand
	sum.Reserved += t.Reserved
}
