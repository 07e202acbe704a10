package verify

import (
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

// saga is what is kept of an order, its payment, and what products have recorded for it.
type saga struct {
	order   orderFold
	payment *paymentFold // nil: there is no such stream
	demands []demand
}

func (a *audit) sagaOf(identity string) *saga {
	s, ok := a.sagas[identity]
	if !ok {
		s = &saga{}
		a.sagas[cloned(identity)] = s
	}
	return s
}

// phase is what an order works on, as order.Phase.
type phase uint8

const (
	phaseNone phase = iota
	phaseReserving
	phaseHolding
	phasePaying
	phaseConfirming
	phaseUndoing
)

var phaseNames = [...]order.Phase{"finished", order.PhaseReserving, order.PhaseHolding, order.PhasePaying, order.PhaseConfirming, order.PhaseUndoing}

func (p phase) String() string { return string(phaseNames[p]) }

// status of an order, as order.Status; 0: no order was placed here.
type status uint8

const (
	statusNone status = iota
	statusPending
	statusConfirmed
	statusProcessing
	statusShipped
	statusDelivered
	statusCancelled
)

var statusNames = [...]order.Status{"", order.StatusPending, order.StatusConfirmed, order.StatusProcessing, order.StatusShipped,
	order.StatusDelivered, order.StatusCancelled}

func (s status) String() string { return string(statusNames[s]) }

// reservation is how the order's reservation stands, as order.ReservationStatus.
type reservation uint8

const (
	reservationNone reservation = iota
	reservationPending
	reservationSold
	reservationFreed
	reservationLapsed
)

var reservationNames = [...]order.ReservationStatus{"failed", order.ReservationPending, order.ReservationSold, order.ReservationFreed, order.ReservationLapsed}

// orderFold is an order as its journal tells it, as small as the checks allow: there may be millions.
type orderFold struct {
	cursor
	prefix  uint32 // of its id; see prefixOf
	items   digest // what the items add up to per product
	lines   digest
	total   int64
	expires domain.Time

	customer, email, method, reason digest // reason: why it gives everything back
	currency                        uint16

	// Sequences of what other streams are compared with; 0: it has not happened.
	requestedAt, paymentAt, confirmedAt, undoingAt, settledAt, cancelledAt, changedAt uint32

	expect      kinds // what the decision that is being folded still has to record
	phase       phase
	status      status
	reservation reservation
	hidden      bool
	expired     bool
	undo        bool // what the last failure said: there is something to give back
	charged     bool // the payment method is charged at once
}

// kinds is a set of event types that may, or must, come next.
type kinds uint8

const (
	kindRequested kinds = 1 << iota
	kindPaymentRequested
	kindConfirmRequested
	kindConfirmed
	kindCancelled
	kindSettled
)

type orderStream saga

func (o *orderStream) position() *cursor { return &o.order.cursor }

func (o *orderStream) endEntry(s *step) {
	s.require(o.order.expect == 0, G7, "the decision that led to this event has recorded more, which is missing")
	o.order.expect = 0
}

// fold checks an event of the order and makes it part of what is known.
func (o *orderStream) fold(s *step, event any) {
	f := &o.order
	expected := f.expect
	f.expect = 0
	if expected != 0 && expected&kindOf(event) == 0 {
		s.wrong(G7, "another event had to come here: the decision that led to the event before is not complete")
	}
	switch e := event.(type) {
	case order.Placed:
		(*saga)(o).place(s, &e)
	case order.ReservationRequested:
		(*saga)(o).request(s, &e, expected)
	case order.Reserved:
		f.reserve(s, &e)
	case order.ReservationFailed:
		(*saga)(o).fail(s, &e)
	case order.PaymentRequested:
		f.requestPayment(s, &e, expected)
	case order.ReservationConfirmRequested:
		f.requestConfirm(s, expected)
	case order.ReservationConfirmed:
		f.sell(s, &e)
	case order.ReleaseRequested:
		f.requestRelease(s, &e)
	case order.ReservationReleased:
		f.release(s, &e)
	case order.Confirmed:
		f.confirm(s, &e, expected)
	case order.StatusChanged:
		f.changeStatus(s, &e)
	case order.Amended:
		f.amend(s, &e)
	case order.Cancelled:
		f.cancel(s, &e, expected)
	case order.Settled:
		f.settle(s)
	case order.Hidden:
		s.require(f.status == statusCancelled && !f.hidden, G7, "hidden while %s", f.status)
		f.hidden = true
	default:
		s.wrong(G7, "this version can't check %s", s.stored.Type)
	}
}

func kindOf(event any) kinds {
	switch event.(type) {
	case order.ReservationRequested:
		return kindRequested
	case order.PaymentRequested:
		return kindPaymentRequested
	case order.ReservationConfirmRequested:
		return kindConfirmRequested
	case order.Confirmed:
		return kindConfirmed
	case order.Cancelled:
		return kindCancelled
	case order.Settled:
		return kindSettled
	}
	return 0
}

// id is the order's id, for people.
func (f *orderFold) id(identity string) string { return orderID(identity, f.prefix) }

// finished says that the order will do nothing more by itself.
func (f *orderFold) finished() bool { return f.phase == phaseNone }

// sums adds up the lines per product, in the order in which products are reserved.
func sums(items []order.Item) []order.Line {
	var lines []order.Line
	for _, item := range items {
		i := slices.IndexFunc(lines, func(l order.Line) bool { return l.ProductID == item.ProductID })
		if i < 0 {
			lines = append(lines, order.Line{ProductID: item.ProductID, ProductName: item.ProductName, UnitPrice: item.UnitPrice})
			i = len(lines) - 1
		}
		lines[i].Quantity += item.Quantity
	}
	slices.SortFunc(lines, byProduct)
	return lines
}
