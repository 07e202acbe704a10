package order_test

import (
	"math"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

func quantities(list ...int64) func(*order.Reserve) {
	return func(r *order.Reserve) {
		r.Lines = nil
		for _, q := range list {
			r.Lines = append(r.Lines, order.Line{ProductID: "LAMP", Quantity: q})
		}
	}
}

func TestReserveForAnotherSystem(t *testing.T) {
	requested := order.ReservationRequested{ID: "0000000a8899aabbccddeeff", ReservationID: "RES-x:their-7", OrderID: "their-7",
		CustomerID: "cust-1", Lines: lines(), TimeoutMinutes: 15, ExpiresAt: deadline, At: t0}
	at, short := t0+9, order.Shortage{ProductID: "DESK", ProductName: "the DESK", RequestedQuantity: 1}
	held := order.Reserved{OrderID: "their-7", ReservationID: "RES-x:their-7", CustomerID: "cust-1", Lines: lines(), ExpiresAt: deadline, At: at}
	nothing := order.ReservationFailed{OrderID: "their-7", CustomerID: "cust-1", Shortages: []order.Shortage{}, Reason: "reservation expired", Undo: true, At: deadline}
	unsorted := reserve(func(r *order.Reserve) { r.Lines[0], r.Lines[1] = r.Lines[1], r.Lines[0] })
	domaintest.Table(t, rules, []row{
		{Name: "it is opened, lines in the order of products", When: unsorted, Then: []order.Event{requested}},
		{Name: "asked again, in any order of lines, it is the same", Given: after(t, holding()...), When: unsorted},
		{Name: "asked again when it has ended it is the same", Given: after(t, append(asked(), order.RecordShortage{At: t0})...), When: reserve()},
		{Name: "asked again with another quantity", Given: after(t, holding()...), When: reserve(func(r *order.Reserve) { r.Lines[0].Quantity++ }),
			Kind: domain.KindConflict, Code: "reservation_exists"},
		{Name: "asked again with a line more", Given: after(t, holding()...), When: reserve(func(r *order.Reserve) { r.Lines = append(r.Lines, order.Line{ProductID: "Z", Quantity: 1}) }),
			Kind: domain.KindConflict, Code: "reservation_exists"},
		{Name: "asked again for another customer", Given: after(t, holding()...), When: reserve(func(r *order.Reserve) { r.CustomerID = "cust-2" }),
			Kind: domain.KindConflict, Code: "reservation_exists"},
		{Name: "lines of one product are one demand", When: reserve(quantities(1, 2)), Then: []order.Event{order.ReservationRequested{ID: requested.ID,
			ReservationID: requested.ReservationID, OrderID: "their-7", CustomerID: "cust-1", Lines: []order.Line{{ProductID: "LAMP", Quantity: 3}},
			TimeoutMinutes: 15, ExpiresAt: deadline, At: t0}}},
		{Name: "no lines", When: reserve(quantities()), Kind: domain.KindInvalid, Code: "no_items"},
		{Name: "quantity 0", When: reserve(quantities(0)), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "a negative quantity does not hide behind a larger one", When: reserve(quantities(5, -1)), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "quantities do not overflow into a small one", When: reserve(quantities(math.MaxInt64, math.MaxInt64, 3)), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "when all is held it waits", Given: after(t, asked()...), When: order.RecordReserved{At: at}, Then: []order.Event{held}},
		{Name: "shortage", Given: after(t, asked()...), When: order.RecordShortage{Shortages: []order.Shortage{short}, Undo: true, At: at},
			Then: []order.Event{order.ReservationFailed{OrderID: "their-7", CustomerID: "cust-1", Shortages: []order.Shortage{short}, Reason: "insufficient stock", Undo: true, At: at}}},
		{Name: "just before its deadline it still waits", Given: after(t, holding()...), When: order.Tick{At: deadline - 1}},
		{Name: "at its deadline it is given back", Given: after(t, holding()...), When: order.Tick{At: deadline},
			Then: []order.Event{order.ReleaseRequested{Reason: "reservation expired", Expired: true, At: deadline}}},
		{Name: "at its deadline before all was held: it has failed, and says so", Given: after(t, asked()...), When: order.Tick{At: deadline}, Then: []order.Event{nothing}},
	})
}

func TestReleaseByHand(t *testing.T) {
	release := order.Release{OrderID: orderID, Reason: "stocktaking", At: t0 + 9}
	theirs := order.Release{OrderID: "their-7", Reason: "stocktaking", At: t0 + 9}
	confirm := order.ConfirmReservation{OrderID: "their-7", At: t0 + 5}
	domaintest.Table(t, rules, []row{
		{Name: "of another system's order", Given: after(t, holding()...), When: theirs,
			Then: []order.Event{order.ReleaseRequested{Reason: "stocktaking", At: t0 + 9}}},
		{Name: "of an order that is paying ends the order", Given: after(t, paying()...), When: release,
			Then: []order.Event{ended("reservation released: stocktaking", true)}},
		{Name: "without a reason", Given: after(t, paying()...), When: order.Release{OrderID: orderID, At: t0 + 9},
			Then: []order.Event{ended("reservation released", true)}},
		{Name: "before it is held there is none", Given: after(t, reserving()...), When: release, Kind: domain.KindNotFound, Code: "reservation_not_found"},
		{Name: "that never was", When: release, Kind: domain.KindNotFound, Code: "reservation_not_found"},
		{Name: "of another order id", Given: after(t, paying()...), When: order.Release{OrderID: "0000000b0011223344556677", At: t0 + 9},
			Kind: domain.KindNotFound, Code: "reservation_not_found"},
		{Name: "when it is confirmed", Given: after(t, confirmed()...), When: release, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "when it is released", Given: after(t, cancelled()...), When: release, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "while it is being released", Given: after(t, append(holding(), theirs)...), When: theirs, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "while it is being confirmed", Given: after(t, append(holding(), confirm)...), When: theirs, Kind: domain.KindConflict, Code: "reservation_final"},
	})
}

func TestConfirmByHand(t *testing.T) {
	confirm := order.ConfirmReservation{OrderID: orderID, At: t0 + 9}
	theirs := order.ConfirmReservation{OrderID: "their-7", At: t0 + 9}
	byHand := append(paying(), order.ConfirmReservation{OrderID: orderID, At: t0 + 5}, order.RecordTaken{At: t0 + 6})
	late := theirs
	late.At = deadline
	domaintest.Table(t, rules, []row{
		{Name: "of another system's order", Given: after(t, holding()...), When: theirs, Then: []order.Event{order.ReservationConfirmRequested{At: t0 + 9}}},
		{Name: "of an order that is paying", Given: after(t, paying()...), When: confirm, Then: []order.Event{order.ReservationConfirmRequested{At: t0 + 9}}},
		{Name: "again while it is carried out", Given: after(t, append(holding(), theirs)...), When: theirs},
		{Name: "again when it is done: stock moves once", Given: after(t, append(holding(), theirs, order.RecordTaken{At: t0 + 10})...), When: theirs,
			Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "when it has been released", Given: after(t, cancelled()...), When: confirm, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "while it is being released", Given: after(t, undoing()...), When: confirm, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "one millisecond before its deadline", Given: after(t, holding()...), When: order.ConfirmReservation{OrderID: "their-7", At: deadline - 1},
			Then: []order.Event{order.ReservationConfirmRequested{At: deadline - 1}}},
		{Name: "at its deadline, though nobody has looked at the clock yet", Given: after(t, holding()...), When: late, Kind: domain.KindConflict, Code: "reservation_final"},
		{Name: "that never was", When: confirm, Kind: domain.KindNotFound, Code: "reservation_not_found"},
		{Name: "before it is held there is none", Given: after(t, reserving()...), When: confirm, Kind: domain.KindNotFound, Code: "reservation_not_found"},
		{Name: "the money that comes later confirms the order, and the stock moves once", Given: after(t, byHand...), When: order.RecordPaid{At: t0 + 9},
			Then: []order.Event{order.Confirmed{Number: number, At: t0 + 9}}},
		{Name: "no money later ends the order", Given: after(t, byHand...), When: order.RecordDeclined{Message: "no", At: t0 + 9}, Then: []order.Event{ended("no", true)}},
	})
	if s := subject(t, byHand...).State; !s.Sold() || s.Phase != order.PhasePaying || s.Status != order.StatusPending {
		t.Errorf("confirmed by hand: sold %v, phase %q, status %q", s.Sold(), s.Phase, s.Status)
	}
	s := subject(t, append(byHand, order.Cancel{ID: orderID, At: t0 + 9}, order.RecordUndone{At: t0 + 10})...).State
	if s.ReservationStatus != order.ReservationSold || s.Due() != (order.Agenda{}) {
		t.Errorf("confirmed by hand, then cancelled: reservation %s, due %+v", s.ReservationStatus, s.Due())
	}
}
