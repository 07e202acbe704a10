package order

import (
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

func decideReserve(s *State, c Reserve) ([]Event, error) {
	for _, line := range c.Lines { // before they are summed: a negative one must not hide in the sum
		if line.Quantity < 1 || line.Quantity > maxQuantity {
			return nil, domain.Errorf(domain.KindInvalid, "quantity_out_of_range", "quantity of %q must be between 1 and %d", line.ProductID, maxQuantity)
		}
	}
	lines := sumPerProduct(slices.Clone(c.Lines))
	if s.Exists() {
		if s.Reservation.OrderID == c.OrderID && s.Reservation.CustomerID == c.CustomerID && sameDemand(s.Reservation.Lines, lines) {
			return nil, nil
		}
		return nil, domain.Errorf(domain.KindConflict, "reservation_exists", "order %s has a reservation with other data", c.OrderID)
	}
	if len(lines) == 0 {
		return nil, domain.Errorf(domain.KindInvalid, "no_items", "items must contain at least 1 elements")
	}
	return []Event{ReservationRequested{
		ID: c.ReservationDocID, ReservationID: c.ReservationID, OrderID: c.OrderID, CustomerID: c.CustomerID, Lines: lines,
		TimeoutMinutes: minutes(c.TTL.Milliseconds()), ExpiresAt: c.At.Add(c.TTL), At: c.At,
	}}, nil
}

func sameDemand(a, b []Line) bool {
	return slices.EqualFunc(a, b, func(x, y Line) bool { return x.ProductID == y.ProductID && x.Quantity == y.Quantity })
}

// Reserved returns a refusal unless there is, or was, a reservation under that order id.
func (s *State) Reserved(orderID string) error {
	if s.ReservationStatus == ReservationNone || s.Reservation.OrderID != orderID {
		return domain.Errorf(domain.KindNotFound, "reservation_not_found", "there is no reservation for order %s", orderID)
	}
	return nil
}

// pending returns a refusal unless the reservation can still go either way.
func (s *State) pending(orderID string) error {
	if err := s.Reserved(orderID); err != nil {
		return err
	}
	if s.ReservationStatus != ReservationPending {
		return domain.Errorf(domain.KindConflict, "reservation_final", "the reservation is %s", s.ReservationStatus)
	}
	if s.Phase == PhaseUndoing {
		return domain.Errorf(domain.KindConflict, "reservation_final", "the reservation is being released")
	}
	return nil
}

func decideRelease(s *State, c Release) ([]Event, error) {
	if err := s.pending(c.OrderID); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirming {
		return nil, domain.Errorf(domain.KindConflict, "reservation_final", "the reservation is being confirmed")
	}
	if s.Status == "" {
		return []Event{ReleaseRequested{Reason: c.Reason, At: c.At}}, nil
	}
	failure := "reservation released"
	if c.Reason != "" {
		failure += ": " + c.Reason
	}
	return []Event{s.cancelled(c.At, "", failure)}, nil
}

func decideConfirmReservation(s *State, c ConfirmReservation) ([]Event, error) {
	if err := s.pending(c.OrderID); err != nil {
		return nil, err
	}
	if s.Phase == PhaseConfirming {
		return nil, nil
	}
	if c.At >= s.Reservation.ExpiresAt {
		return nil, domain.Errorf(domain.KindConflict, "reservation_final", "the reservation has expired")
	}
	return []Event{ReservationConfirmRequested{At: c.At}}, nil
}
