package order_test

import (
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

func reserved() order.Reserved {
	return order.Reserved{OrderID: orderID, ReservationID: "RES-0011223344556677", CustomerID: "cust-1", Lines: lines(), ExpiresAt: deadline, At: t0 + 9}
}

func sold() order.ReservationConfirmed {
	return order.ReservationConfirmed{OrderID: orderID, ReservationID: "RES-0011223344556677", CustomerID: "cust-1", Lines: lines(), At: t0 + 9}
}

func payment(method string) order.PaymentRequested {
	return order.PaymentRequested{OrderID: orderID, CustomerID: "cust-1", Email: "ada@example.com", Amount: 32_898, Currency: "usd",
		Lines: lines(), Method: method, At: t0 + 9}
}

func failed(reason string, undo bool, shortages ...order.Shortage) order.ReservationFailed {
	return order.ReservationFailed{OrderID: orderID, CustomerID: "cust-1", Shortages: append([]order.Shortage{}, shortages...), Reason: reason, Undo: undo, At: t0 + 9}
}

func ended(failure string, undo bool) order.Cancelled {
	return order.Cancelled{Number: number, CustomerID: "cust-1", Failure: failure, Undo: undo, At: t0 + 9}
}

func TestSaga(t *testing.T) {
	byCard := place(func(p *order.Place) { p.PaymentMethod = "pm_card_visa" })
	free := place(demands(demand("GIFT", 1, 0)), func(p *order.Place) { p.Policy.ShippingFlat = 0 })
	gift := []order.Line{{ProductID: "GIFT", ProductName: "the GIFT", Quantity: 1}}
	short := order.Shortage{ProductID: "DESK", ProductName: "the DESK", RequestedQuantity: 1}
	at := t0 + 9
	domaintest.Table(t, rules, []row{
		{Name: "all lines held: only then the payment is asked for", Given: after(t, place()), When: order.RecordReserved{At: at},
			Then: []order.Event{reserved(), payment("")}},
		{Name: "a Stripe payment method is charged at once", Given: after(t, byCard), When: order.RecordReserved{At: at},
			Then: []order.Event{reserved(), payment("pm_card_visa")}},
		{Name: "an order for nothing needs no payment", Given: after(t, free), When: order.RecordReserved{At: at},
			Then: []order.Event{order.Reserved{OrderID: orderID, ReservationID: "RES-0011223344556677", CustomerID: "cust-1", Lines: gift, ExpiresAt: deadline, At: at},
				order.ReservationConfirmRequested{At: at}}},
		{Name: "an order for nothing is confirmed when its stock is taken", Given: after(t, free, order.RecordReserved{At: at}), When: order.RecordTaken{At: at},
			Then: []order.Event{order.ReservationConfirmed{OrderID: orderID, ReservationID: "RES-0011223344556677", CustomerID: "cust-1", Lines: gift, At: at},
				order.Confirmed{Number: number, At: at}}},
		{Name: "shortage with nothing held ends the order", Given: after(t, place()), When: order.RecordShortage{Shortages: []order.Shortage{short}, At: at},
			Then: []order.Event{failed("insufficient stock", false, short), ended("insufficient stock", false)}},
		{Name: "shortage with something held ends it and gives back", Given: after(t, place()), When: order.RecordShortage{Shortages: []order.Shortage{short}, Undo: true, At: at},
			Then: []order.Event{failed("insufficient stock", true, short), ended("insufficient stock", true)}},
		{Name: "no money ends it and gives back", Given: after(t, paying()...), When: order.RecordDeclined{Message: "card declined", At: at},
			Then: []order.Event{ended("card declined", true)}},
		{Name: "money and stock confirm reservation and order", Given: after(t, paying()...), When: order.RecordPaid{At: at},
			Then: []order.Event{sold(), order.Confirmed{Number: number, At: at}}},
		{Name: "undone: the reservation is released", Given: after(t, undoing()...), When: order.RecordUndone{At: at},
			Then: []order.Event{order.ReservationReleased{OrderID: orderID, ReservationID: "RES-0011223344556677", CustomerID: "cust-1", Lines: lines(),
				Reason: "changed my mind", At: at}, order.Settled{At: at}}},
		{Name: "undone before all was held: there was no reservation to release",
			Given: after(t, place(), order.Cancel{ID: orderID, At: t0}), When: order.RecordUndone{At: at}, Then: []order.Event{order.Settled{At: at}}},
		{Name: "undone after the sale: the reservation stays confirmed",
			Given: after(t, append(confirmed(), order.Cancel{ID: orderID, At: t0})...), When: order.RecordUndone{At: at}, Then: []order.Event{order.Settled{At: at}}},
	})
}

func TestExpiry(t *testing.T) {
	tick := func(at domain.Time) order.Tick { return order.Tick{At: at} }
	ends := ended("reservation expired", true)
	ends.Expired, ends.At = true, deadline
	lost := failed("reservation expired", true)
	lost.At = deadline
	byHand := append(paying(), order.ConfirmReservation{OrderID: orderID, At: t0 + 5})
	domaintest.Table(t, rules, []row{
		{Name: "one millisecond before the deadline nothing happens", Given: after(t, paying()...), When: tick(deadline - 1)},
		{Name: "exactly at the deadline a never-paid order ends", Given: after(t, paying()...), When: tick(deadline), Then: []order.Event{ends}},
		{Name: "an order that could not be reserved in time ends, and says so", Given: after(t, reserving()...), When: tick(deadline), Then: []order.Event{lost, ends}},
		{Name: "an order confirmed by hand and never paid ends too", Given: after(t, append(byHand, order.RecordTaken{At: t0 + 6})...), When: tick(deadline), Then: []order.Event{ends}},
		{Name: "an order whose confirming by hand never finished ends too", Given: after(t, byHand...), When: tick(deadline), Then: []order.Event{ends}},
		{Name: "a paid order has no deadline", Given: after(t, confirmed()...), When: tick(deadline + 1)},
		{Name: "an order being undone has no deadline", Given: after(t, undoing()...), When: tick(deadline + 1)},
		{Name: "an ended order has no deadline", Given: after(t, cancelled()...), When: tick(deadline + 1)},
		{Name: "nothing is there", When: tick(deadline)},
	})
	s := subject(t, append(paying(), tick(deadline), order.RecordUndone{At: deadline + 1})...).State
	if s.ReservationStatus != order.ReservationLapsed || s.Status != order.StatusCancelled || s.FailureReason != "reservation expired" || s.CancelReason != "" {
		t.Errorf("ended as %s, reservation %s, failure %q, cancel reason %q", s.Status, s.ReservationStatus, s.FailureReason, s.CancelReason)
	}
}

// A report of a step that belongs to another phase records nothing, whatever it says.
func TestLateReports(t *testing.T) {
	reports := map[order.Phase][]order.Command{
		order.PhaseReserving:  {order.RecordReserved{At: t0 + 9}, order.RecordShortage{Undo: true, At: t0 + 9}},
		order.PhasePaying:     {order.RecordPaid{At: t0 + 9}, order.RecordDeclined{Message: "no", At: t0 + 9}},
		order.PhaseConfirming: {order.RecordTaken{At: t0 + 9}},
		order.PhaseUndoing:    {order.RecordUndone{At: t0 + 9}},
	}
	histories := map[string][]order.Command{
		"nothing": nil, "reserving": reserving(), "paying": paying(), "confirmed": confirmed(), "shipped": shipped(), "undoing": undoing(),
		"cancelled": cancelled(), "hidden": hidden(), "holding": holding(), "asked": asked(),
		"confirming": append(paying(), order.ConfirmReservation{OrderID: orderID, At: t0 + 5}),
		"sold":       append(holding(), order.ConfirmReservation{OrderID: "their-7", At: t0 + 5}, order.RecordTaken{At: t0 + 6}),
		"short":      append(reserving(), order.RecordShortage{At: t0 + 5}),
	}
	var rows []row
	for name, history := range histories {
		given := subject(t, history...)
		for phase, list := range reports {
			if phase == given.State.Phase {
				continue
			}
			for _, report := range list {
				rows = append(rows, row{Name: fmt.Sprintf("%T when %s", report, name), Given: given.Events, When: report})
			}
		}
	}
	domaintest.Table(t, rules, rows)
}

func TestDue(t *testing.T) {
	ended := subject(t, cancelled()...).State // at t0+4
	if !ended.HoldsAt(t0+30_003) || ended.HoldsAt(t0+30_004) {
		t.Error("an order that has just ended is remembered for 30 s, so that a step repeated elsewhere does no harm")
	}
	for name, c := range map[string]struct {
		commands []order.Command
		want     order.Agenda
		holds    bool
	}{
		"nothing":              {nil, order.Agenda{}, false},
		"reserving":            {reserving(), order.Agenda{Phase: order.PhaseReserving, Deadline: deadline}, true},
		"paying":               {paying(), order.Agenda{Phase: order.PhasePaying, Deadline: deadline}, true},
		"undoing":              {undoing(), order.Agenda{Phase: order.PhaseUndoing}, true},
		"cancelled":            {cancelled(), order.Agenda{}, false},
		"confirmed":            {confirmed(), order.Agenda{}, false},
		"holding":              {holding(), order.Agenda{Phase: order.PhaseHolding, Deadline: deadline}, true},
		"confirming":           {append(paying(), order.ConfirmReservation{OrderID: orderID, At: t0}), order.Agenda{Phase: order.PhaseConfirming, Deadline: deadline}, true},
		"confirming of others": {append(holding(), order.ConfirmReservation{OrderID: "their-7", At: t0}), order.Agenda{Phase: order.PhaseConfirming}, true},
	} {
		s := subject(t, c.commands...).State
		if got := s.Due(); got != c.want || s.Holds() != c.holds {
			t.Errorf("%s: due %+v, holds %v; wanted %+v, %v", name, got, s.Holds(), c.want, c.holds)
		}
	}
}
