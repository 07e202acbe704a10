package verify

import (
	"cmp"
	"math/bits"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

// How an order begins: its sums, and its reservation.

func (g *saga) place(s *step, e *order.Placed) {
	f := &g.order
	s.require(s.Sequence == 1, G7, "placed as event %d", s.Sequence)
	s.require(domain.IsID(e.ID) && domain.OrderIdentity(e.ID) == s.identity, G7, "order %s is not the one of this stream", e.ID)
	s.require(e.Number == domain.OrderNumber(e.ID), G7, "number %s is not that of order %s", e.Number, e.ID)
	s.require(isCurrency(e.Currency), G7, "%q is no currency", e.Currency)
	s.require(len(e.Items) > 0, G7, "an order without items")
	subtotal := int64(0)
	for i, item := range e.Items {
		s.require(item.Quantity > 0 && item.UnitPrice >= 0 && times(item.Quantity, item.UnitPrice) == item.TotalPrice, G7,
			"item %d: %d at %d do not make %d", i, item.Quantity, item.UnitPrice, item.TotalPrice)
		subtotal += item.TotalPrice
		d, quote := g.demand(s.shelfNumber(item.ProductID)), s.digestQuote(item.ProductName, item.UnitPrice, e.Currency)
		s.require(d.quote == 0 || d.quote == quote, G7, "item %d: another name or price of %s than in an item before", i, item.ProductID)
		d.quote = quote
	}
	s.require(subtotal == e.Subtotal, G7, "the items make %d, subtotal is %d", subtotal, e.Subtotal)
	s.require(e.Tax >= 0 && e.ShippingCost >= 0 && e.Subtotal+e.Tax+e.ShippingCost == e.Total, G7,
		"%d and tax %d and shipping %d do not make %d", e.Subtotal, e.Tax, e.ShippingCost, e.Total)

	f.prefix, f.total, f.items = prefixOf(e.ID), e.Total, s.digestLines(sums(e.Items))
	f.customer, f.email, f.method = s.digest(e.Customer.CustomerID), s.digest(e.Customer.Email), s.digest(e.PaymentMethod)
	f.currency, f.charged = s.currencies.number(e.Currency), strings.HasPrefix(e.PaymentMethod, "pm_")
	f.status, f.expect = statusPending, kindRequested
}

// times multiplies; it is -1 where it does not fit.
func times(quantity, price int64) int64 {
	high, low := bits.Mul64(uint64(quantity), uint64(price))
	if high != 0 || low > 1<<62 {
		return -1
	}
	return int64(low)
}

func isCurrency(text string) bool {
	return len(text) == 3 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
}

func byProduct(x, y order.Line) int { return cmp.Compare(x.ProductID, y.ProductID) }

// reservationPrefix and the identity make the reservation's public id.
const reservationPrefix = "RES-"

func (g *saga) request(s *step, e *order.ReservationRequested, expected kinds) {
	f := &g.order
	lines := s.digestLines(e.Lines)
	if f.status == statusNone {
		s.require(s.Sequence == 1, G7, "a reservation is requested as event %d", s.Sequence)
		s.require(domain.OrderIdentity(e.OrderID) == s.identity, G7, "order %s is not the one of this stream", e.OrderID)
		f.prefix, f.customer = prefixOf(e.OrderID), s.digest(e.CustomerID)
	} else {
		s.require(expected&kindRequested != 0, G7, "the reservation is requested again")
		s.same(is(e.OrderID, s.identity, f.prefix), G7, "the order's id", 1)
		s.same(s.digest(e.CustomerID) == f.customer, G7, "the customer", 1)
		s.same(lines == f.items, G4, "the sum of the items per product", 1)
	}
	s.require(domain.IsID(e.ID), G7, "%q is no id", e.ID)
	s.require(e.ReservationID == reservationPrefix+s.identity, G7, "reservation %s is not the one of this stream", e.ReservationID)
	s.require(len(e.Lines) > 0, G4, "a reservation without lines")
	const minute = 60_000
	s.require(e.ExpiresAt > e.At && (int64(e.ExpiresAt-e.At)+minute-1)/minute == e.TimeoutMinutes, G4,
		"expires at %s, which is not %d minutes after %s", e.ExpiresAt, e.TimeoutMinutes, e.At)
	for i, line := range e.Lines {
		s.require(line.Quantity > 0 && (i == 0 || e.Lines[i-1].ProductID < line.ProductID), G4, "line %d: a quantity of %d of %s, out of order", i, line.Quantity, line.ProductID)
		g.demand(s.shelfNumber(line.ProductID)).wanted += line.Quantity
	}
	f.lines, f.expires, f.requestedAt, f.phase = lines, e.ExpiresAt, s.seq(), phaseReserving
}

func (f *orderFold) reserve(s *step, e *order.Reserved) {
	s.require(f.phase == phaseReserving, G4, "reserved while %s", f.phase)
	f.sameReservation(s, e.OrderID, e.ReservationID, e.CustomerID, e.Lines)
	s.same(e.ExpiresAt == f.expires, G4, "the deadline", f.requestedAt)
	f.reservation, f.phase = reservationPending, phaseHolding
	if f.status != statusNone {
		f.expect = kindPaymentRequested
		if f.total == 0 {
			f.expect = kindConfirmRequested
		}
	}
}

// sameReservation checks what every event of the reservation repeats.
func (f *orderFold) sameReservation(s *step, orderID, reservationID, customerID string, lines []order.Line) {
	s.same(is(orderID, s.identity, f.prefix), G7, "the order's id", f.requestedAt)
	s.require(reservationID == reservationPrefix+s.identity, G7, "reservation %s is not the one of this stream", reservationID)
	s.same(s.digest(customerID) == f.customer, G7, "the customer", f.requestedAt)
	s.same(s.digestLines(lines) == f.lines, G4, "a line", f.requestedAt)
}

func (g *saga) fail(s *step, e *order.ReservationFailed) {
	f := &g.order
	s.require(f.phase == phaseReserving, G4, "the reservation fails while %s", f.phase)
	s.same(is(e.OrderID, s.identity, f.prefix), G7, "the order's id", f.requestedAt)
	s.same(s.digest(e.CustomerID) == f.customer, G7, "the customer", f.requestedAt)
	for _, short := range e.Shortages {
		s.same(g.wanted(s.shelfNumber(short.ProductID)) == short.RequestedQuantity, G4, "the quantity of "+short.ProductID, f.requestedAt)
	}
	f.phase, f.undo, f.reason, f.changedAt = phaseNone, e.Undo, s.digest(e.Reason), s.seq()
	if e.Undo {
		f.phase, f.undoingAt = phaseUndoing, s.seq()
	}
	if f.status != statusNone {
		f.expect = kindCancelled
	}
}
