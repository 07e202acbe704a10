package order_test

import (
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

var life = []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusProcessing, order.StatusShipped, order.StatusDelivered, order.StatusCancelled}

func lived(s order.Status) []order.Command {
	return map[order.Status]func() []order.Command{order.StatusPending: paying, order.StatusConfirmed: confirmed, order.StatusProcessing: processing,
		order.StatusShipped: shipped, order.StatusDelivered: delivered, order.StatusCancelled: cancelled}[s]()
}

// Every status to every other: what is not named here is a conflict.
func TestStatusByHand(t *testing.T) {
	next := map[order.Status]order.Status{order.StatusConfirmed: order.StatusProcessing, order.StatusProcessing: order.StatusShipped,
		order.StatusShipped: order.StatusDelivered}
	cancellable := map[order.Status]bool{order.StatusPending: true, order.StatusConfirmed: true, order.StatusProcessing: true}
	var rows []row
	for _, from := range life {
		for _, to := range life {
			r := row{Name: fmt.Sprintf("%s to %s", from, to), Given: after(t, lived(from)...), When: status(to)}
			switch {
			case from == to:
			case next[from] == to:
				r.Then = []order.Event{order.StatusChanged{Number: number, Status: to, At: t0 + 9}}
			case to == order.StatusCancelled && cancellable[from]:
				r.Then = []order.Event{order.Cancelled{Number: number, CustomerID: "cust-1", Undo: true, At: t0 + 9}}
			case to == order.StatusCancelled:
				r.Kind, r.Code = domain.KindConflict, "order_not_cancellable"
			default:
				r.Kind, r.Code = domain.KindConflict, "illegal_transition"
			}
			rows = append(rows, r)
		}
	}
	domaintest.Table(t, rules, rows)
}

func TestAmend(t *testing.T) {
	notes, same, moved := "ring twice", "leave at the door", address
	moved.Street = "1 New Road"
	amend := func(change func(*order.Amend)) order.Amend {
		a := order.Amend{ID: orderID, At: t0 + 9}
		change(&a)
		return a
	}
	toNew := amend(func(a *order.Amend) { a.ShippingAddress = &moved })
	ship, cancel := "shipped", "cancelled"
	rows := []row{
		{Name: "notes", Given: after(t, shipped()...), When: amend(func(a *order.Amend) { a.Notes = &notes }),
			Then: []order.Event{order.Amended{Number: number, Status: order.StatusShipped, Notes: &notes, At: t0 + 9}}},
		{Name: "notes and address that are so already", Given: after(t, paying()...), When: amend(func(a *order.Amend) { a.Notes, a.ShippingAddress = &same, &address })},
		{Name: "only what changes is recorded", Given: after(t, paying()...), When: amend(func(a *order.Amend) { a.Notes, a.ShippingAddress = &same, &moved }),
			Then: []order.Event{order.Amended{Number: number, Status: order.StatusPending, ShippingAddress: &moved, At: t0 + 9}}},
		{Name: "nothing asked", Given: after(t, paying()...), When: amend(func(*order.Amend) {})},
		{Name: "address and shipping at once", Given: after(t, processing()...), When: amend(func(a *order.Amend) { a.ShippingAddress, a.Status = &moved, &ship }),
			Then: []order.Event{order.Amended{Number: number, Status: order.StatusProcessing, ShippingAddress: &moved, At: t0 + 9},
				order.StatusChanged{Number: number, Status: order.StatusShipped, At: t0 + 9}}},
		{Name: "an illegal status takes the notes down with it", Given: after(t, paying()...), When: amend(func(a *order.Amend) { a.Notes, a.Status = &notes, &ship }),
			Kind: domain.KindConflict, Code: "illegal_transition"},
		{Name: "notes and cancel at once", Given: after(t, confirmed()...), When: amend(func(a *order.Amend) { a.Notes, a.Status = &notes, &cancel }),
			Then: []order.Event{order.Amended{Number: number, Status: order.StatusConfirmed, Notes: &notes, At: t0 + 9},
				order.Cancelled{Number: number, CustomerID: "cust-1", Undo: true, At: t0 + 9}}},
		{Name: "an unknown status is bad input", Given: after(t, paying()...), When: status("lost"), Kind: domain.KindInvalid, Code: "unknown_status"},
		{Name: "an order that is not there", When: toNew, Kind: domain.KindNotFound, Code: "order_not_found"},
		{Name: "another order of the same identity", Given: after(t, paying()...), When: amend(func(a *order.Amend) { a.ID = "0000000b0011223344556677" }),
			Kind: domain.KindNotFound, Code: "order_not_found"},
		{Name: "another system's order", Given: after(t, holding()...), When: amend(func(a *order.Amend) { a.ID = "" }), Kind: domain.KindNotFound, Code: "order_not_found"},
		{Name: "a hidden order", Given: after(t, hidden()...), When: amend(func(a *order.Amend) { a.Notes = &notes }), Kind: domain.KindNotFound, Code: "order_not_found"},
	}
	for _, s := range life {
		r := row{Name: "address of a " + string(s) + " order", Given: after(t, lived(s)...), When: toNew}
		switch s {
		case order.StatusShipped, order.StatusDelivered, order.StatusCancelled:
			r.Kind, r.Code = domain.KindConflict, "address_fixed"
		default:
			r.Then = []order.Event{order.Amended{Number: number, Status: s, ShippingAddress: &moved, At: t0 + 9}}
		}
		rows = append(rows, r)
	}
	domaintest.Table(t, rules, rows)
}

func TestCancel(t *testing.T) {
	cancel := order.Cancel{ID: orderID, Reason: "too late", At: t0 + 9}
	ends := []order.Event{order.Cancelled{Number: number, CustomerID: "cust-1", Reason: "too late", Undo: true, At: t0 + 9}}
	domaintest.Table(t, rules, []row{
		{Name: "while reserving", Given: after(t, reserving()...), When: cancel, Then: ends},
		{Name: "while paying", Given: after(t, paying()...), When: cancel, Then: ends},
		{Name: "when paid", Given: after(t, confirmed()...), When: cancel, Then: ends},
		{Name: "while the delivery is prepared", Given: after(t, processing()...), When: cancel, Then: ends},
		{Name: "once shipped it is too late", Given: after(t, shipped()...), When: cancel, Kind: domain.KindConflict, Code: "order_not_cancellable"},
		{Name: "once delivered it is too late", Given: after(t, delivered()...), When: cancel, Kind: domain.KindConflict, Code: "order_not_cancellable"},
		{Name: "again while it is undone: no second effect", Given: after(t, undoing()...), When: cancel},
		{Name: "again when it is done: no second effect", Given: after(t, cancelled()...), When: cancel},
		{Name: "an order that failed stays as it failed", Given: after(t, append(reserving(), order.RecordShortage{At: t0 + 2})...), When: cancel},
		{Name: "a hidden order", Given: after(t, hidden()...), When: cancel, Kind: domain.KindNotFound, Code: "order_not_found"},
		{Name: "an order that is not there", When: cancel, Kind: domain.KindNotFound, Code: "order_not_found"},
	})
	first := subject(t, cancelled()...)
	before := domaintest.JSON(t, first.State.Document())
	if _, err := first.Do(t, cancel); err != nil || domaintest.JSON(t, first.State.Document()) != before {
		t.Errorf("the repeated cancel answers %s (%v), the first answered %s", domaintest.JSON(t, first.State.Document()), err, before)
	}
}

func TestHide(t *testing.T) {
	hide := order.Hide{ID: orderID, At: t0 + 9}
	rows := []row{
		{Name: "while it is undone, which goes on", Given: after(t, undoing()...), When: hide, Then: []order.Event{order.Hidden{At: t0 + 9}}},
		{Name: "twice", Given: after(t, hidden()...), When: hide, Kind: domain.KindNotFound, Code: "order_not_found"},
		{Name: "an order that is not there", When: hide, Kind: domain.KindNotFound, Code: "order_not_found"},
	}
	for _, s := range life {
		r := row{Name: "a " + string(s) + " order", Given: after(t, lived(s)...), When: hide}
		if s == order.StatusCancelled {
			r.Then = []order.Event{order.Hidden{At: t0 + 9}}
		} else {
			r.Kind, r.Code = domain.KindConflict, "order_not_cancelled"
		}
		rows = append(rows, r)
	}
	domaintest.Table(t, rules, rows)
	s := subject(t, append(undoing(), hide)...)
	if s.State.Due().Phase != order.PhaseUndoing {
		t.Errorf("a hidden order is in phase %q, its hold is never given back", s.State.Due().Phase)
	}
	if err := s.State.Reserved(orderID); err != nil {
		t.Errorf("the reservation of a hidden order: %v", err)
	}
}

func TestUnknownCommand(t *testing.T) {
	if _, err := order.Decide(&order.State{}, nil); err == nil {
		t.Error("no command is decided on")
	}
}
