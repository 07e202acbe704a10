package order

import (
	"cmp"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Evolve makes the event part of the state. It never refuses: what is in the journal has happened.
func (s *State) Evolve(event Event) {
	s.Version++
	switch e := event.(type) {
	case Placed:
		s.Placed, s.Status = e, StatusPending
		s.UpdatedAt = e.At
	case ReservationRequested:
		s.Reservation, s.Phase = e, PhaseReserving
		s.touch(e.At)
	case Reserved:
		s.ReservationStatus, s.ReservationSince, s.ReservationAt = ReservationPending, e.At, e.At
		s.Phase = PhaseHolding
		s.touch(e.At)
	case ReservationFailed:
		s.Phase = PhaseNone
		if e.Undo {
			s.Phase, s.UndoReason = PhaseUndoing, e.Reason
		}
		s.touch(e.At)
	case PaymentRequested:
		s.PaymentRequested, s.Phase = &e, PhasePaying
		s.touch(e.At)
	case ReservationConfirmRequested:
		s.Phase = PhaseConfirming
		s.touch(e.At)
	case ReservationConfirmed:
		s.ReservationStatus, s.ReservationAt = ReservationSold, e.At
		s.Phase = PhaseNone
		if s.PaymentRequested != nil {
			s.Phase = PhasePaying // confirmed by hand; the money is still to come
		}
		s.touch(e.At)
	case ReleaseRequested:
		s.Phase, s.UndoReason, s.Expired = PhaseUndoing, e.Reason, e.Expired
		s.touch(e.At)
	case ReservationReleased:
		s.ReservationStatus, s.StatusReason, s.ReservationAt = ReservationFreed, e.Reason, e.At
		if e.Expired {
			s.ReservationStatus = ReservationLapsed
		}
		s.touch(e.At)
	case Confirmed:
		s.Status, s.Phase = StatusConfirmed, PhaseNone
		s.touch(e.At)
	case StatusChanged:
		s.Status = e.Status
		s.touch(e.At)
	case Amended:
		if e.Notes != nil {
			s.Placed.Notes = *e.Notes
		}
		if e.ShippingAddress != nil {
			s.Placed.ShippingAddress = *e.ShippingAddress
		}
		s.touch(e.At)
	case Cancelled:
		s.Status, s.CancelReason, s.FailureReason, s.Expired = StatusCancelled, e.Reason, e.Failure, e.Expired
		s.UndoReason = cmp.Or(e.Failure, e.Reason, "order cancelled")
		s.Phase = PhaseNone
		if e.Undo {
			s.Phase = PhaseUndoing
		}
		s.touch(e.At)
	case Settled:
		s.Phase = PhaseNone
		s.touch(e.At)
	case Hidden:
		s.Hidden = true
		s.touch(e.At)
	}
}

func (s *State) touch(at domain.Time) { s.UpdatedAt = at }

// deadline is the instant at which the order gives up, if there is one.
func (s *State) deadline() (domain.Time, bool) {
	switch s.Phase {
	case PhaseReserving, PhaseHolding, PhasePaying, PhaseConfirming:
		if s.Phase == PhaseConfirming && s.Status == "" {
			return 0, false // the sale was decided in time; it only has to be carried out
		}
		return s.Reservation.ExpiresAt, true
	}
	return 0, false
}

// Agenda says what the order still has to do: work on its phase, and give up at the deadline. A function of the state
// alone, so that it is the same after a crash.
type Agenda struct {
	Phase    Phase
	Deadline domain.Time // zero: none
}

// Due returns the agenda; its zero value means that there is nothing left.
func (s *State) Due() Agenda {
	deadline, _ := s.deadline()
	return Agenda{Phase: s.Phase, Deadline: deadline}
}
