package order_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

// anything is any command at that instant, reports of steps that nobody made included.
func anything(now domain.Time) *rapid.Generator[order.Command] {
	return rapid.Custom(func(t *rapid.T) order.Command {
		switch rapid.IntRange(0, 13).Draw(t, "command") {
		case 0:
			return place(func(p *order.Place) {
				p.At = now
				p.PaymentMethod = rapid.SampledFrom([]string{"card", "pm_card_visa"}).Draw(t, "method")
				if rapid.Bool().Draw(t, "free") {
					p.Demands, p.Policy.ShippingFlat = []order.Demand{demand("GIFT", 1, 0)}, 0
				}
			})
		case 1:
			return reserve(func(r *order.Reserve) { r.OrderID, r.At = orderID, now })
		case 2:
			a := order.Amend{ID: orderID, At: now}
			text := string(rapid.SampledFrom(life).Draw(t, "status"))
			a.Status = &text
			return a
		case 3:
			return order.Cancel{ID: orderID, Reason: "why not", At: now}
		case 4:
			return order.Hide{ID: orderID, At: now}
		case 5:
			return order.Release{OrderID: orderID, At: now}
		case 6:
			return order.ConfirmReservation{OrderID: orderID, At: now}
		case 7, 8:
			return order.RecordReserved{At: now}
		case 9:
			return order.RecordShortage{Undo: rapid.Bool().Draw(t, "undo"), At: now}
		case 10:
			return order.RecordDeclined{Message: "declined", At: now}
		case 11:
			return order.RecordPaid{At: now}
		case 12:
			return rapid.SampledFrom([]order.Command{order.RecordTaken{At: now}, order.RecordUndone{At: now}}).Draw(t, "report")
		}
		return order.Tick{At: now}
	})
}

// Whatever is asked in whatever order: what is final stays so, an order only moves along the contract's arrows, and from
// every state it finds to its end by itself.
func TestAnySequenceOfCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now := rules.New(), t0
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			now += domain.Time(rapid.SampledFrom([]int{0, 1, 60_000, 450_000}).Draw(t, "passes"))
			before := s.State
			command := anything(now).Draw(t, "do")
			happened, err := s.Do(t, command)
			if err != nil {
				continue
			}
			arrows(t, &before, &s.State, happened)
			if again, err := s.Do(t, command); err == nil && len(again) > 0 {
				t.Fatalf("%T twice:%s\nthen%s", command, domaintest.Show(happened), domaintest.Show(again))
			}
		}
		comesToAnEnd(t, s, now)
	})
}

func arrows(t *rapid.T, before, now *order.State, happened []order.Event) {
	t.Helper()
	allowed := map[order.Status][]order.Status{
		"":                     {order.StatusPending},
		order.StatusPending:    {order.StatusConfirmed, order.StatusCancelled},
		order.StatusConfirmed:  {order.StatusProcessing, order.StatusCancelled},
		order.StatusProcessing: {order.StatusShipped, order.StatusCancelled},
		order.StatusShipped:    {order.StatusDelivered},
	}
	legal := before.Status == now.Status
	for _, next := range allowed[before.Status] {
		legal = legal || now.Status == next
	}
	if !legal {
		t.Fatalf("from %q to %q:%s", before.Status, now.Status, domaintest.Show(happened))
	}
	final := before.ReservationStatus != order.ReservationNone && before.ReservationStatus != order.ReservationPending
	if final && now.ReservationStatus != before.ReservationStatus {
		t.Fatalf("a %s reservation became %s:%s", before.ReservationStatus, now.ReservationStatus, domaintest.Show(happened))
	}
	if now.Status == order.StatusConfirmed && !now.Sold() {
		t.Fatalf("confirmed without its stock:%s", domaintest.Show(happened))
	}
	if now.Status == order.StatusConfirmed && now.PaymentRequested == nil && now.Placed.Total > 0 {
		t.Fatalf("confirmed without a payment:%s", domaintest.Show(happened))
	}
}

// comesToAnEnd does what the agenda says, as a host does: time passes, money comes or not, steps succeed.
func comesToAnEnd(t *rapid.T, s *domaintest.Subject[order.State, order.Command, order.Event], now domain.Time) {
	t.Helper()
	lucky := rapid.Bool().Draw(t, "lucky")
	for range 10 {
		agenda := s.State.Due()
		if agenda == (order.Agenda{}) {
			break
		}
		if !lucky && agenda.Deadline != 0 {
			now = max(now, agenda.Deadline)
			mustHappen(t, s, order.Tick{At: now})
			continue
		}
		switch agenda.Phase {
		case order.PhaseReserving:
			mustHappen(t, s, order.RecordReserved{At: now})
		case order.PhasePaying:
			mustHappen(t, s, order.RecordPaid{At: now})
		case order.PhaseConfirming:
			mustHappen(t, s, order.RecordTaken{At: now})
		case order.PhaseUndoing:
			mustHappen(t, s, order.RecordUndone{At: now})
		case order.PhaseHolding:
			now = max(now, agenda.Deadline)
			mustHappen(t, s, order.Tick{At: now})
		default:
			t.Fatalf("deadline %s in phase %q", agenda.Deadline, agenda.Phase)
		}
	}
	if agenda := s.State.Due(); agenda != (order.Agenda{}) {
		t.Fatalf("still due: %+v%s", agenda, domaintest.Show(s.Events))
	}
	if s.State.ReservationStatus == order.ReservationPending || s.State.Status == order.StatusPending {
		t.Fatalf("nothing is due, and the order is %q, its reservation %q%s", s.State.Status, s.State.ReservationStatus, domaintest.Show(s.Events))
	}
}

func mustHappen(t *rapid.T, s *domaintest.Subject[order.State, order.Command, order.Event], c order.Command) {
	t.Helper()
	if happened, err := s.Do(t, c); err != nil || len(happened) == 0 {
		t.Fatalf("%T in phase %q: %v, nothing happened%s", c, s.State.Phase, err, domaintest.Show(s.Events))
	}
}
