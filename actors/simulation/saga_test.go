package simulation

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// step is one run of what an order's phase asks for. It is volatile: a crash ends it anywhere, and the order's agenda
// starts another. It asks one question at a time and repeats it until it has an answer.
type step struct {
	order  *orderEntity
	phase  order.Phase
	ended  bool
	dies   domain.Time // zero, or when its member notices that it is not the owner any more
	asked  int         // counts questions, so that a late answer to an earlier one is recognised
	repeat func()      // asks the pending question again; nil: none is pending
	sure   bool        // the pending question was asked once only
}

// answer of whoever was asked.
type answer struct {
	refusal *domain.Error
	payment payment.State
}

// ask sends a question; do runs at the receiver, then at the step.
func (w *shop) ask(s *step, name string, do func() answer, then func(answer)) {
	s.asked++
	token := s.asked
	question := func() {
		a := do()
		w.send("answer to "+name, func() {
			if w.over(s) || s.asked != token || s.repeat == nil {
				return
			}
			s.repeat = nil
			then(a)
		})
	}
	s.sure = true
	s.repeat = func() { w.send(name, question) }
	s.repeat()
}

func refusalOf(err error) *domain.Error {
	refusal, _ := domain.AsRefusal(err)
	return refusal
}

// begin starts a step for the order's phase, if there is one to work on.
func (w *shop) begin(o *orderEntity) {
	s := &step{order: o, phase: o.State.Phase}
	switch s.phase {
	case order.PhaseReserving:
		w.reserve(s, o.State.Reservation, 0, !o.fresh)
	case order.PhasePaying:
		w.collect(s, *o.State.PaymentRequested, o.State.Reservation.Lines, o.State.Sold())
	case order.PhaseConfirming:
		w.take(s, o.State.Reservation.Lines, func() { w.report(s, order.RecordTaken{At: w.now}) })
	case order.PhaseUndoing:
		w.undo(s, o.State)
	default:
		return
	}
	o.steps = append(o.steps, s)
}

// report ends the step. What it says may reach the order late.
func (w *shop) report(s *step, c order.Command) {
	s.ended = true
	w.send("report to "+s.order.id, func() { _ = w.order(s.order, c) })
}

func (w *shop) reserve(s *step, r order.ReservationRequested, i int, undo bool) {
	if i == len(r.Lines) {
		w.report(s, order.RecordReserved{At: w.now})
		return
	}
	line, p := r.Lines[i], w.find(r.Lines[i].ProductID)
	w.ask(s, "hold "+p.id+" for "+s.order.id, func() answer {
		return answer{refusal: refusalOf(w.product(p, product.Hold{OrderID: r.OrderID, Quantity: line.Quantity, ExpiresAt: r.ExpiresAt, At: w.now}))}
	}, func(a answer) {
		if a.refusal != nil {
			w.report(s, order.RecordShortage{Shortages: []order.Shortage{{ProductID: p.id}}, Undo: undo || !s.sure, At: w.now})
			return
		}
		w.reserve(s, r, i+1, true)
	})
}

func (w *shop) collect(s *step, r order.PaymentRequested, lines []order.Line, sold bool) {
	p := w.payment(r.OrderID)
	w.ask(s, "request payment of "+s.order.id, func() answer {
		err := w.pay(p, payment.Request{Payment: payment.Requested{ID: "p", OrderID: r.OrderID, CustomerID: r.CustomerID, Amount: r.Amount,
			Currency: r.Currency, Method: r.Method, Items: []payment.Item{}, At: w.now}})
		return answer{refusal: refusalOf(err), payment: p.State}
	}, func(a answer) {
		switch {
		case a.refusal != nil:
			w.report(s, order.RecordDeclined{Message: a.refusal.Detail, At: w.now})
		case a.payment.Status == payment.StatusSucceeded && sold:
			w.report(s, order.RecordPaid{At: w.now})
		case a.payment.Status == payment.StatusSucceeded:
			w.take(s, lines, func() { w.report(s, order.RecordPaid{At: w.now}) })
		case a.payment.Final() || (a.payment.Status == payment.StatusFailed && r.Method != ""):
			w.report(s, order.RecordDeclined{Message: "not paid", At: w.now})
		default:
			s.ended = true // another one looks again later
		}
	})
}

func (w *shop) take(s *step, lines []order.Line, then func()) {
	if len(lines) == 0 {
		then()
		return
	}
	o, p := s.order, w.find(lines[0].ProductID)
	w.ask(s, "take "+p.id+" for "+o.id, func() answer {
		refusal := refusalOf(w.product(p, product.Take{OrderID: o.id, At: w.now}))
		if refusal != nil && o.State.Phase == s.phase && (s.phase == order.PhasePaying || s.phase == order.PhaseConfirming) {
			w.fail("%s has lost its hold at %s while it is %s: %v", o.id, p.id, s.phase, refusal)
		}
		return answer{refusal: refusal}
	}, func(a answer) {
		if a.refusal != nil {
			s.ended = true
			return
		}
		w.take(s, lines[1:], then)
	})
}

func (w *shop) undo(s *step, state order.State) {
	if state.PaymentRequested == nil {
		w.giveBack(s, state, 0)
		return
	}
	p := w.payment(s.order.id)
	w.ask(s, "void payment of "+s.order.id, func() answer {
		return answer{refusal: refusalOf(w.pay(p, payment.VoidPayment{Reason: state.UndoReason, At: w.now}))}
	}, func(answer) { w.giveBack(s, state, 0) })
}

func (w *shop) giveBack(s *step, state order.State, i int) {
	if i == len(state.Reservation.Lines) {
		w.report(s, order.RecordUndone{At: w.now})
		return
	}
	line := state.Reservation.Lines[i]
	p := w.find(line.ProductID)
	w.ask(s, "return "+p.id+" of "+s.order.id, func() answer {
		return answer{refusal: refusalOf(w.product(p, product.Return{OrderID: s.order.id, Quantity: line.Quantity, Sold: state.Sold(), Reason: state.UndoReason, At: w.now}))}
	}, func(answer) { w.giveBack(s, state, i+1) })
}

// over says whether the step has ended, by itself or because its member has noticed that it is not the owner any more.
func (w *shop) over(s *step) bool {
	s.ended = s.ended || (s.dies != 0 && w.now >= s.dies)
	return s.ended
}

// attend ends the steps that are over and starts one where none works on the order's phase.
func (w *shop) attend(o *orderEntity) {
	working := false
	var alive []*step
	for _, s := range o.steps {
		if !w.over(s) {
			alive = append(alive, s)
			working = working || s.dies == 0
		}
	}
	o.steps = alive
	if !working {
		w.begin(o)
	}
}

// crash forgets all that is volatile; with echo the old activation does not know that it is dead, and works on for a while.
func (w *shop) crash(o *orderEntity, echo bool) {
	o.fresh = false
	for _, s := range o.steps {
		switch {
		case !echo:
			s.ended = true
		case s.dies == 0:
			s.dies = w.now + leaseLife
		}
	}
}

// upkeep does what a product does besides selling: it forgets orders that said that they have ended, and asks after those
// that say nothing.
func (w *shop) upkeep(p *productEntity) {
	var forget product.Forget
	var later []forgettable
	for _, f := range p.forget {
		switch {
		case w.now < f.at+forgetAfter:
			later = append(later, f)
		case f.sold:
			forget.Sold = append(forget.Sold, f.order)
		default:
			forget.OrderIDs = append(forget.OrderIDs, f.order)
		}
	}
	p.forget = later
	if len(forget.OrderIDs)+len(forget.Sold) > 0 {
		forget.At = w.now
		_ = w.product(p, forget)
	}
	for _, o := range w.orders { // not the map's own order: a run must be repeatable
		if d, ok := p.State.Orders[o.id]; ok && d.CheckAt() <= w.now {
			w.askAfter(p, o, d)
		}
	}
}

func (w *shop) askAfter(p *productEntity, o *orderEntity, d product.Demand) {
	w.send(p.id+" asks after "+o.id, func() {
		holds := o.State.HoldsAt(w.now)
		w.send(o.id+" tells "+p.id, func() {
			switch {
			case holds:
			case d.Standing == product.StandingHeld:
				_ = w.product(p, product.Return{OrderID: o.id, Quantity: d.Quantity, HoldOnly: true, Reason: "abandoned", At: w.now})
			case d.Standing == product.StandingTaken:
				_ = w.product(p, product.Forget{Sold: []string{o.id}, At: w.now})
			default:
				_ = w.product(p, product.Forget{OrderIDs: []string{o.id}, At: w.now})
			}
		})
	})
}
