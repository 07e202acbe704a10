package actors

import (
	"cmp"
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// task is the work of the moment, under way outside the actor or waiting to be run again.
type task struct {
	name   string
	run    int // counts, so that a report of an earlier run is recognised
	active bool
	again  time.Time // when to run it again, if it is not active
	hasty  bool      // somebody says that it is worth trying at once
	stop   context.CancelFunc
}

func (t *task) cancel() {
	if t.stop != nil {
		t.stop()
		t.stop = nil
	}
	t.active = false
}

// hurry makes a waiting task run now.
func (t *task) hurry() {
	if !t.active {
		t.again = time.Time{}
	} else {
		t.hasty = true
	}
}

// retryTask is when a task runs again that has changed nothing.
const retryTask = time.Second

// work starts what the agenda asks for and sets the timer. It goes by the newest agenda that is durable: what is still
// being written gives no reason to act.
func (g *grain) work(ctx actor.Context) {
	if g.broken != nil || g.stopping {
		return
	}
	if g.inflight == nil && g.pending == nil {
		g.durable = g.entity.agenda()
	}
	a := g.durable
	if a.task != g.task.name {
		g.task.cancel()
		g.task = task{name: a.task, run: g.task.run}
	}
	switch {
	case a.task == "" || g.task.active || g.now.Before(g.task.again):
	case g.host.mayAct():
		g.begin(a)
	default:
		g.task.again = g.now.Add(retryTask)
	}
	g.arm(a)
}

func (g *grain) begin(a agenda) {
	ctx, cancel := context.WithCancel(withTrace(g.host.ctx, g.trace))
	g.task.run++
	g.task.active, g.task.stop, g.task.hasty, g.task.again = true, cancel, false, time.Time{}
	run, self, root := g.task.run, g.self, g.root
	g.host.crew.Go(func() {
		defer cancel()
		r := a.run(ctx)
		if ctx.Err() == nil {
			root.Send(self, &taskDone{run: run, report: r})
		}
	})
}

func (g *grain) taskDone(ctx actor.Context, m *taskDone) {
	if g.broken != nil || m.run != g.task.run {
		return
	}
	g.task.cancel()
	if !g.task.hasty || len(m.report.commands) > 0 { // what they do may be the end of it
		g.task.again = g.now.Add(cmp.Or(m.report.again, retryTask))
	}
	for _, command := range m.report.commands {
		if err := g.execute(command, "", g.task.name, ""); err != nil {
			if _, ok := domain.AsRefusal(err); !ok {
				panic(err)
			}
			g.host.Logger.Warn("report refused", "stream", string(g.stream), "task", g.task.name, "err", err)
		}
	}
	g.flush()
	g.work(ctx)
}

// tick looks at the clock: deadlines, questions, the task's next run, and whether anybody still needs this activation.
func (g *grain) tick(ctx actor.Context) {
	g.timerAt = time.Time{}
	if g.broken != nil || g.stopping {
		return
	}
	now := domain.At(g.now)
	if a := g.entity.agenda(); (reached(a.wake, now) || reached(a.leisure, now)) && a.tick != nil {
		g.rested = now.Add(retryTask).Std()
		if command := a.tick(now); command != nil {
			if err := g.execute(command, "", "deadline", ""); err != nil {
				panic(err)
			}
		}
	}
	g.flush()
	if g.idle() {
		g.halt(ctx)
		return
	}
	g.work(ctx)
}

func (g *grain) idle() bool {
	return g.inflight == nil && g.pending == nil && len(g.parked) == 0 && !g.task.active &&
		!g.now.Before(g.needed(g.entity.agenda()))
}

// needed is until when the activation stays although nothing happens: as long as it lingers, and as there are refusals to
// remember, unless there are so many activations that nobody could afford that.
func (g *grain) needed(a agenda) time.Time {
	until := g.touched.Add(g.linger(a))
	if g.host.crowded() {
		return until
	}
	return later(until, g.refusals.until)
}

func (g *grain) linger(a agenda) time.Duration {
	if a.task == "" && a.wake == 0 && g.kind != KindProduct {
		return lingerFinished
	}
	if g.host.crowded() {
		return min(lingerCrowded, g.host.IdleAfter)
	}
	return g.host.IdleAfter
}

// arm sets the one timer to the next instant at which there is something to look at.
func (g *grain) arm(a agenda) {
	next := g.needed(a)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if wake := first(a.wake, a.leisure).Std(); !wake.IsZero() {
		sooner(later(wake, g.rested))
	}
	for _, p := range g.parked {
		sooner(p.until)
	}
	if a.task != "" && !g.task.active {
		sooner(g.task.again)
	}
	if !g.timerAt.IsZero() && !next.Before(g.timerAt) && g.timerAt.After(g.now) {
		return // it will look at the clock early enough
	}
	g.timerAt = next
	wait := max(next.Sub(g.now), time.Millisecond)
	if g.timer != nil {
		g.timer.Reset(wait)
		return
	}
	self, root := g.self, g.root
	g.timer = time.AfterFunc(wait, func() { root.Send(self, &tick{}) })
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// answerBy is when a question that has to wait must be answered with whatever there is by then.
func answerBy(m *messages.Command, now time.Time) time.Time {
	if wait := m.GetGetOrder().GetWaitUntil(); wait != 0 {
		return domain.Time(wait).Std()
	}
	const margin = 250 * time.Millisecond
	by := now.Add(8 * time.Second)
	if m.GetCancelOrder() != nil || m.GetAmendOrder() != nil {
		by = now.Add(3 * time.Second)
	}
	if left := time.Until(time.UnixMilli(m.GetDeadline())) - margin; m.GetDeadline() != 0 && by.After(now.Add(left)) {
		by = now.Add(left)
	}
	return by
}

// waits says whether a command is answered only when something else has happened, so that its answer can't be had from
// the state right after it.
func waits(m *messages.Command) bool {
	switch m.GetBody().(type) {
	case *messages.Command_CancelOrder, *messages.Command_ReleaseReservation, *messages.Command_ConfirmReservation,
		*messages.Command_RequestPayment, *messages.Command_ConfirmPayment, *messages.Command_RefundPayment:
		return true
	}
	return false
}
