package order

import (
	"fmt"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Decide returns what happens when the state is asked for the command: events; none, if it is so already; or a refusal
// (*domain.Error), and then nothing happens. It neither changes the state nor looks at anything else.
func Decide(s *State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Place:
		return decidePlace(s, c)
	case Amend:
		return decideAmend(s, c)
	case Cancel:
		return decideCancel(s, c)
	case Hide:
		return decideHide(s, c)
	case Reserve:
		return decideReserve(s, c)
	case Release:
		return decideRelease(s, c)
	case ConfirmReservation:
		return decideConfirmReservation(s, c)
	case RecordReserved:
		return decideReserved(s, c)
	case RecordShortage:
		return decideShortage(s, c)
	case RecordDeclined:
		return decideDeclined(s, c)
	case RecordPaid:
		return decidePaid(s, c)
	case RecordTaken:
		return decideTaken(s, c)
	case RecordUndone:
		return decideUndone(s, c)
	case Tick:
		return decideTick(s, c)
	}
	return nil, fmt.Errorf("order: unknown command %T", command)
}

// Visible returns a refusal unless the order with that id was placed here and is not hidden.
func (s *State) Visible(id string) error {
	if s.Status == "" || s.Hidden || (id != "" && s.Placed.ID != id) {
		return domain.Errorf(domain.KindNotFound, "order_not_found", "there is no order %s", id)
	}
	return nil
}

func decideAmend(s *State, c Amend) ([]Event, error) {
	if err := s.Visible(c.ID); err != nil {
		return nil, err
	}
	var events []Event
	if c.Notes != nil || c.ShippingAddress != nil {
		if c.ShippingAddress != nil && (s.Status == StatusShipped || s.Status == StatusDelivered || s.Status == StatusCancelled) {
			return nil, domain.Errorf(domain.KindConflict, "address_fixed", "the address of a %s order can't be changed", s.Status)
		}
		if amended := changes(s, c); amended != nil {
			events = append(events, *amended)
		}
	}
	if c.Status != nil {
		step, err := decideStatus(s, c)
		if err != nil {
			return nil, err
		}
		events = append(events, step...)
	}
	return events, nil
}

// changes leaves out what is so already; nil when nothing is left.
func changes(s *State, c Amend) *Amended {
	a := Amended{Number: s.Placed.Number, Status: s.Status, At: c.At}
	if c.Notes != nil && *c.Notes != s.Placed.Notes {
		a.Notes = c.Notes
	}
	if c.ShippingAddress != nil && *c.ShippingAddress != s.Placed.ShippingAddress {
		a.ShippingAddress = c.ShippingAddress
	}
	if a.Notes == nil && a.ShippingAddress == nil {
		return nil
	}
	return &a
}

func decideStatus(s *State, c Amend) ([]Event, error) {
	next, ok := ParseStatus(*c.Status)
	if !ok {
		return nil, domain.Errorf(domain.KindInvalid, "unknown_status", "status must be one of %v", statuses)
	}
	if next == s.Status {
		return nil, nil
	}
	if next == StatusCancelled {
		return decideCancel(s, Cancel{ID: c.ID, At: c.At})
	}
	// Only the saga confirms, because only it knows that the money is there.
	follows := map[Status]Status{StatusConfirmed: StatusProcessing, StatusProcessing: StatusShipped, StatusShipped: StatusDelivered}
	if follows[s.Status] != next {
		return nil, domain.Errorf(domain.KindConflict, "illegal_transition", "a %s order can't become %s", s.Status, next)
	}
	return []Event{StatusChanged{Number: s.Placed.Number, Status: next, At: c.At}}, nil
}

func decideCancel(s *State, c Cancel) ([]Event, error) {
	if err := s.Visible(c.ID); err != nil {
		return nil, err
	}
	switch s.Status {
	case StatusCancelled:
		return nil, nil
	case StatusShipped, StatusDelivered:
		return nil, domain.Errorf(domain.KindConflict, "order_not_cancellable", "order %s is %s and can't be cancelled", s.Placed.Number, s.Status)
	}
	return []Event{s.cancelled(c.At, c.Reason, "")}, nil
}

// cancelled ends the order; every order was reserving at least, so that there is always something to give back.
func (s *State) cancelled(at domain.Time, reason, failure string) Cancelled {
	return Cancelled{Number: s.Placed.Number, CustomerID: s.Placed.Customer.CustomerID,
		Reason: reason, Failure: failure, Undo: true, At: at}
}

func decideHide(s *State, c Hide) ([]Event, error) {
	if err := s.Visible(c.ID); err != nil {
		return nil, err
	}
	if s.Status != StatusCancelled {
		return nil, domain.Errorf(domain.KindConflict, "order_not_cancelled", "only a cancelled order can be deleted; this one is %s", s.Status)
	}
	return []Event{Hidden{At: c.At}}, nil
}

func decideTick(s *State, c Tick) ([]Event, error) {
	deadline, ok := s.deadline()
	if !ok || c.At < deadline {
		return nil, nil
	}
	const reason = "reservation expired"
	var events []Event
	if s.Phase == PhaseReserving { // whoever asked for the reservation is told that there will be none
		events = append(events, s.reservationFailed(c.At, reason, nil, true))
	}
	if s.Status != "" {
		expired := s.cancelled(c.At, "", reason)
		expired.Expired = true
		return append(events, expired), nil
	}
	if events == nil {
		events = append(events, ReleaseRequested{Reason: reason, Expired: true, At: c.At})
	}
	return events, nil
}
