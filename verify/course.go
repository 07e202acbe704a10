package verify

import (
	"cmp"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

// How an order goes on: payment, sale, delivery, or back out.

func (f *orderFold) requestPayment(s *step, e *order.PaymentRequested, expected kinds) {
	s.require(expected&kindPaymentRequested != 0, G5, "a payment is requested while %s", f.phase)
	s.same(is(e.OrderID, s.identity, f.prefix), G7, "the order's id", 1)
	s.same(s.digest(e.CustomerID) == f.customer, G7, "the customer", 1)
	s.same(s.digest(e.Email) == f.email, G7, "the e-mail address", 1)
	s.same(e.Amount == f.total, G5, "the amount", 1)
	s.same(s.currencies.number(e.Currency) == f.currency, G5, "the currency", 1)
	s.same(s.digestLines(e.Lines) == f.lines, G5, "a line", f.requestedAt)
	method := s.digest(e.Method)
	s.same((f.charged && method == f.method) || (!f.charged && e.Method == ""), G5, "the payment method", 1)
	f.method, f.paymentAt, f.phase = method, s.seq(), phasePaying
}

func (f *orderFold) requestConfirm(s *step, expected kinds) {
	free := f.phase == phaseHolding && (f.status == statusNone || expected&kindConfirmRequested != 0)
	s.require(f.reservation == reservationPending && (f.phase == phasePaying || free), G4, "a sale is asked for while %s", f.phase)
	f.phase = phaseConfirming
}

func (f *orderFold) sell(s *step, e *order.ReservationConfirmed) {
	s.require(f.reservation == reservationPending && (f.phase == phasePaying || f.phase == phaseConfirming), G4, "sold while %s", f.phase)
	f.sameReservation(s, e.OrderID, e.ReservationID, e.CustomerID, e.Lines)
	if f.status != statusNone && (f.phase == phasePaying || f.paymentAt == 0) {
		f.expect = kindConfirmed
	}
	f.reservation, f.phase, f.changedAt = reservationSold, phaseNone, s.seq()
	if f.paymentAt != 0 {
		f.phase = phasePaying
	}
}

func (f *orderFold) requestRelease(s *step, e *order.ReleaseRequested) {
	s.require(f.status == statusNone && f.phase == phaseHolding, G4, "a release is asked for while %s", f.phase)
	f.lapse(s, e.Expired, e.At)
	f.phase, f.reason, f.undoingAt, f.changedAt = phaseUndoing, s.digest(e.Reason), s.seq(), s.seq()
}

// lapse notes whether the deadline ended the order; it must have come then.
func (f *orderFold) lapse(s *step, expired bool, at domain.Time) {
	s.same(!expired || at >= f.expires, G4, "the deadline, which is yet to come,", f.requestedAt)
	f.expired = expired
}

func (f *orderFold) release(s *step, e *order.ReservationReleased) {
	s.require(f.phase == phaseUndoing && f.reservation == reservationPending, G4, "released while %s", f.phase)
	f.sameReservation(s, e.OrderID, e.ReservationID, e.CustomerID, e.Lines)
	s.same(s.digest(e.Reason) == f.reason, G7, "the reason", f.changedAt)
	s.same(e.Expired == f.expired, G4, "whether the deadline ended it", f.changedAt)
	f.reservation, f.expect = reservationFreed, kindSettled
	if e.Expired {
		f.reservation = reservationLapsed
	}
}

func (f *orderFold) confirm(s *step, e *order.Confirmed, expected kinds) {
	f.sameNumber(s, e.Number)
	s.require(f.status == statusPending && f.reservation == reservationSold && (f.phase == phasePaying || expected&kindConfirmed != 0), G5,
		"confirmed while %s and %s", f.status, f.phase)
	s.require(f.paymentAt != 0 || f.total == 0, G5, "confirmed without a payment")
	f.status, f.phase, f.confirmedAt, f.changedAt = statusConfirmed, phaseNone, s.seq(), s.seq()
}

func (f *orderFold) sameNumber(s *step, number string) {
	s.same(number == domain.OrderNumber(f.id(s.identity)), G7, "the order's number", 1)
}

func (f *orderFold) changeStatus(s *step, e *order.StatusChanged) {
	f.sameNumber(s, e.Number)
	next := f.status + 1
	legal := f.status >= statusConfirmed && f.status <= statusShipped && !f.hidden
	s.require(legal && e.Status == statusNames[min(next, statusCancelled)], G7, "a %s order becomes %q", f.status, string(e.Status))
	if legal {
		f.status, f.changedAt = next, s.seq()
	}
}

func (f *orderFold) amend(s *step, e *order.Amended) {
	f.sameNumber(s, e.Number)
	s.require(e.Notes != nil || e.ShippingAddress != nil, G7, "amended, but nothing")
	s.require(f.status != statusNone && !f.hidden, G7, "amended, but there is no order")
	s.same(e.Status == statusNames[f.status], G7, "the status", max(1, f.changedAt))
	s.require(e.ShippingAddress == nil || f.status < statusShipped, G7, "the address changes of an order that is %s", f.status)
}

func (f *orderFold) cancel(s *step, e *order.Cancelled, expected kinds) {
	f.sameNumber(s, e.Number)
	s.same(s.digest(e.CustomerID) == f.customer, G7, "the customer", 1)
	s.require(f.status >= statusPending && f.status <= statusProcessing && !f.hidden, G7, "cancelled while %s", f.status)
	s.require(e.Reason == "" || e.Failure == "", G7, "cancelled by a person and by the shop")
	f.lapse(s, e.Expired, e.At)
	if expected&kindCancelled != 0 {
		s.same(s.digest(e.Failure) == f.reason, G7, "the reason", f.changedAt)
		s.same(e.Undo == f.undo, G4, "whether there is something to give back", f.changedAt)
	} else {
		s.require(e.Undo, G4, "cancelled without giving anything back")
	}
	f.reason = s.digest(cmp.Or(e.Failure, e.Reason, "order cancelled"))
	f.status, f.phase, f.cancelledAt, f.changedAt = statusCancelled, phaseNone, s.seq(), s.seq()
	if e.Undo {
		f.phase, f.undoingAt = phaseUndoing, s.seq()
	}
}

func (f *orderFold) settle(s *step) {
	if f.phase != phaseUndoing || f.reservation == reservationPending {
		s.against(G4, Place{s.Stream, uint64(max(1, f.changedAt))}, "settled while "+f.phase.String())
	}
	f.phase, f.settledAt = phaseNone, s.seq()
}
