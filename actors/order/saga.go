package order

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What the saga's steps report. A report that comes too late, because the order has moved on, records nothing: whatever
// the late step did is undone by the phase that the order is in now.

func decideReserved(s *State, c RecordReserved) ([]Event, error) {
	if s.Phase != PhaseReserving {
		return nil, nil
	}
	r := s.Reservation
	events := []Event{Reserved{OrderID: r.OrderID, ReservationID: r.ReservationID, CustomerID: r.CustomerID,
		Lines: r.Lines, ExpiresAt: r.ExpiresAt, At: c.At}}
	if s.Status == "" {
		return events, nil
	}
	if s.Placed.Total == 0 { // nothing to pay, and no provider takes a payment of nothing
		return append(events, ReservationConfirmRequested{At: c.At}), nil
	}
	payment := PaymentRequested{OrderID: s.Placed.ID, CustomerID: s.Placed.Customer.CustomerID, Email: s.Placed.Customer.Email,
		Amount: s.Placed.Total, Currency: s.Placed.Currency, Lines: r.Lines, At: c.At}
	if chargedAtOnce(s.Placed.PaymentMethod) {
		payment.Method = s.Placed.PaymentMethod
	}
	return append(events, payment), nil
}

func decideShortage(s *State, c RecordShortage) ([]Event, error) {
	if s.Phase != PhaseReserving {
		return nil, nil
	}
	const reason = "insufficient stock"
	failed := s.reservationFailed(c.At, reason, c.Shortages, c.Undo)
	if s.Status == "" {
		return []Event{failed}, nil
	}
	cancelled := s.cancelled(c.At, "", reason)
	cancelled.Undo = c.Undo
	return []Event{failed, cancelled}, nil
}

func (s *State) reservationFailed(at domain.Time, reason string, shortages []Shortage, undo bool) ReservationFailed {
	return ReservationFailed{OrderID: s.Reservation.OrderID, CustomerID: s.Reservation.CustomerID,
		Shortages: append([]Shortage{}, shortages...), Reason: reason, Undo: undo, At: at}
}

func decideDeclined(s *State, c RecordDeclined) ([]Event, error) {
	if s.Phase != PhasePaying {
		return nil, nil
	}
	return []Event{s.cancelled(c.At, "", c.Message)}, nil
}

func decidePaid(s *State, c RecordPaid) ([]Event, error) {
	if s.Phase != PhasePaying {
		return nil, nil
	}
	var events []Event
	if !s.Sold() {
		events = append(events, s.reservationConfirmed(c.At))
	}
	return append(events, Confirmed{Number: s.Placed.Number, At: c.At}), nil
}

func decideTaken(s *State, c RecordTaken) ([]Event, error) {
	if s.Phase != PhaseConfirming {
		return nil, nil
	}
	events := []Event{s.reservationConfirmed(c.At)}
	if s.Status != "" && s.PaymentRequested == nil {
		events = append(events, Confirmed{Number: s.Placed.Number, At: c.At})
	}
	return events, nil
}

func (s *State) reservationConfirmed(at domain.Time) ReservationConfirmed {
	r := s.Reservation
	return ReservationConfirmed{OrderID: r.OrderID, ReservationID: r.ReservationID, CustomerID: r.CustomerID, Lines: r.Lines, At: at}
}

func decideUndone(s *State, c RecordUndone) ([]Event, error) {
	if s.Phase != PhaseUndoing {
		return nil, nil
	}
	var events []Event
	if s.ReservationStatus == ReservationPending {
		r := s.Reservation
		events = append(events, ReservationReleased{OrderID: r.OrderID, ReservationID: r.ReservationID, CustomerID: r.CustomerID,
			Lines: r.Lines, Reason: s.UndoReason, Expired: s.Expired, At: c.At})
	}
	return append(events, Settled{At: c.At}), nil
}
