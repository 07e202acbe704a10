package actors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	// maxPending bounds what gathers behind a slow store: beyond it, "busy" is the honest answer.
	maxPending = 4096
	// maxEvents bounds one entry, so that it stays far below what a store takes as one document.
	maxEvents = 1024
	// loadTimeout bounds the recovery of an entity.
	loadTimeout = 5 * time.Second
	// lingerFinished is how long an entity stays when it has nothing left to do.
	lingerFinished = 300 * time.Millisecond
	// lingerCrowded is how long one stays that nobody asks for, where there are many.
	lingerCrowded = 2 * time.Second
	// snapshotAfter is how many events a snapshot may be behind; or, if it is large, as many as fill its size, eventSize
	// bytes each: so snapshots take no more to write, and the events behind one no more to read, than what they stand for.
	snapshotAfter = 500
	eventSize     = 200
	// snapshotCrowded is the same where there are so many entities that one goes soon and has to be loaded again soon.
	snapshotCrowded = 20
)

// grain is one activation of one entity.
type grain struct {
	host   *Host
	kind   string
	stream storage.Stream
	loaded
	refusals refusals
	self     *actor.PID
	root     *actor.RootContext
	now      time.Time // when the message came that is being handled

	broken   error // why this activation can't serve; it stops
	stopping bool

	pending  *batch // gathers while inflight is being written
	inflight *batch
	parked   []parked

	task      task
	durable   agenda // of the newest durable state
	timer     *time.Timer
	timerAt   time.Time
	touched   time.Time // last time that somebody needed it
	rested    time.Time // a deadline that nothing came of is not looked at again before
	lastState uint64    // version of the last snapshot
}

// waiting is an answer that leaves when its batch is durable.
type waiting struct {
	to     *actor.PID
	reply  *messages.Reply
	repeat func() *messages.Reply // makes the reply, from the journal, when it is not known yet
}

// parked is a question whose answer has to wait until the state has changed.
type parked struct {
	to      *actor.PID
	message *messages.Command
	since   uint64
	until   time.Time
}

// Messages to self; a *batch is one too, when it has been settled.
type (
	taskDone struct {
		run    int
		report report
	}
	tick struct{}
)

func newGrain(h *Host, kind string) *grain { return &grain{host: h, kind: kind} }

// Receive handles one message. A fault of ours must not leave callers waiting, nor go on with a state that nobody knows:
// the activation ends, and the next one reads the journal.
func (g *grain) Receive(ctx actor.Context) {
	defer func() {
		if fault := recover(); fault != nil {
			g.host.Logger.Error("entity failed", "stream", string(g.stream), "err", fmt.Sprint(fault), "stack", string(debug.Stack()))
			g.fail(ctx, fmt.Errorf("fault: %v", fault))
			if ctx.Sender() != nil {
				ctx.Respond(retry("the entity failed"))
			}
		}
	}()
	g.now = g.host.Clock()
	switch m := ctx.Message().(type) {
	case *cluster.ClusterInit:
		g.start(ctx, m.Identity.GetIdentity())
	case *messages.Command:
		g.touched = g.now
		g.command(ctx, m)
	case *batch:
		g.settle(ctx, m)
	case *taskDone:
		g.taskDone(ctx, m)
	case *tick:
		g.tick(ctx)
	case *actor.Stopping:
		g.stop()
	}
}

func (g *grain) start(ctx actor.Context, identity string) {
	g.self, g.root = ctx.Self(), ctx.ActorSystem().Root
	g.stream = storage.StreamOf(g.kind, identity)
	g.touched = g.now
	g.host.Stats.Activations.Add(1)
	g.host.Stats.Live.Add(1)
	load, cancel := context.WithTimeout(g.host.ctx, loadTimeout)
	defer cancel()
	l, err := g.host.load(load, g.stream)
	if err != nil {
		g.host.Logger.Error("entity not loaded", "stream", string(g.stream), "err", err)
		g.fail(ctx, err)
		return
	}
	g.loaded = l
	g.lastState = l.restored
	g.now = g.host.Clock()
	if r, ok := g.entity.(reader); ok {
		r.settled(g.entity.freeze())
	}
	g.work(ctx)
}

// fail ends the activation. Its state is not to be trusted any more: nobody gets an answer from it.
func (g *grain) fail(ctx actor.Context, err error) {
	if g.broken == nil {
		g.broken = err
		g.halt(ctx)
	}
}

func (g *grain) halt(ctx actor.Context) {
	if !g.stopping {
		g.stopping = true
		ctx.Stop(ctx.Self())
	}
}

func (g *grain) command(ctx actor.Context, m *messages.Command) {
	if reply := g.decide(ctx, m); reply != nil && ctx.Sender() != nil {
		g.reply(ctx.Sender(), g.proven(reply))
	}
	g.flush()
	g.work(ctx)
}

// proven is the reply, if a write goes before it, which another activation's write would refuse, or if there can be no
// other activation. Else it may be out of date.
func (g *grain) proven(reply *messages.Reply) *messages.Reply {
	if g.pending == nil && g.inflight == nil && !g.host.fresh() {
		return notFresh()
	}
	return reply
}

func notFresh() *messages.Reply { return retry("the member has to renew its lease first") }

// decide executes the command; the reply is nil when the answer comes later.
func (g *grain) decide(ctx actor.Context, m *messages.Command) *messages.Reply {
	g.host.Stats.Commands.Add(1)
	switch {
	case g.broken != nil:
		return retry("the entity could not be loaded")
	case m.GetDeadline() != 0 && time.Now().UnixMilli() >= m.GetDeadline(): // of this process, whatever the shop's clock says
		return retry("the command came too late")
	}
	if r, ok := g.entity.(reader); ok {
		if reply, ok := r.read(m); ok {
			if !g.host.fresh() {
				reply = notFresh()
			}
			g.root.Send(ctx.Sender(), reply)
			return nil
		}
	}
	if g.pending != nil && (len(g.pending.replies) >= maxPending || len(g.pending.entry.Events) >= maxEvents) {
		g.root.Send(ctx.Sender(), busy()) // at once: it must not join those who wait
		return nil
	}
	if known, ok := g.inbox[m.GetId()]; ok && m.GetId() != "" {
		return g.repeat(ctx, m, known)
	}
	if reply := g.refusals.of(m, g.now); reply != nil {
		return reply
	}
	if m.GetIfMatch() != 0 && m.GetIfMatch() != g.version {
		// Not to be remembered: versions only rise, so a repeat is refused as well.
		return refused(domain.Errorf(domain.KindPrecondition, "version_mismatch", "the current version is %d", g.version))
	}
	command, err := g.entity.translate(m, stamp{at: domain.At(g.now), newID: g.host.newID})
	if err == nil && command != nil {
		err = g.execute(command, commandKey(m), m.GetCause(), m.GetTraceparent())
	}
	if err != nil {
		return g.refusal(m, err)
	}
	if m.GetTouch() != nil || m.GetReportPayment() != nil {
		g.task.hurry()
	}
	return g.answer(ctx, m, g.version)
}

func busy() *messages.Reply {
	return refused(domain.Errorf(domain.KindUnavailable, "busy", "too many requests are waiting for this entity"))
}

func (g *grain) refusal(m *messages.Command, err error) *messages.Reply {
	if refusal, ok := domain.AsRefusal(err); ok {
		reply := refused(refusal)
		if e, ok := g.entity.(explainer); ok {
			e.explain(m, reply)
		}
		g.refusals.add(m, reply, g.now)
		return reply
	}
	panic(err) // ours: the rules or the codec are broken
}

// answer gets the reply from the state, or parks the question.
func (g *grain) answer(ctx actor.Context, m *messages.Command, since uint64) *messages.Reply {
	reply, ready := g.entity.answer(m, since, false)
	if ready {
		return reply
	}
	if ctx.Sender() != nil {
		g.parked = append(g.parked, parked{to: ctx.Sender(), message: m, since: since, until: answerBy(m, g.now)})
	}
	return nil
}

// repeat answers a command that was executed before, with what it was answered then.
func (g *grain) repeat(ctx actor.Context, m *messages.Command, known receipt) *messages.Reply {
	if known.Fingerprint != m.GetFingerprint() {
		return refused(domain.Errorf(domain.KindConflict, "idempotency_key_reused", "this Idempotency-Key was used for another request"))
	}
	if (known.Version == g.version && known.Version > g.restored) || waits(m) {
		return g.answer(ctx, m, known.Version)
	}
	// The journal is read when it holds what the command did: behind whatever is still being written.
	g.await(waiting{to: ctx.Sender(), repeat: func() *messages.Reply { return g.host.answerThen(g.stream, m, known.Version) }})
	return nil
}

// answerThen folds the journal up to the version, and answers from there.
func (h *Host) answerThen(stream storage.Stream, m *messages.Command, version uint64) *messages.Reply {
	ctx, cancel := context.WithTimeout(h.ctx, loadTimeout)
	defer cancel()
	entries, err := h.Store.Read(ctx, stream, 0, 0)
	if err != nil {
		return retry("the journal could not be read")
	}
	then := loaded{entity: h.newEntity(stream.Kind(), stream.Identity())}
	for _, e := range entries {
		if e.First > version {
			break
		}
		if e.Last() > version {
			e.Events = e.Events[:version-e.First+1]
		}
		if err := then.replay(e); err != nil {
			return retry("the journal could not be read")
		}
	}
	if then.version != version {
		return retry("the journal could not be read")
	}
	reply, _ := then.entity.answer(m, version, true)
	return reply
}

// execute decides, and adds the events to the pending batch.
func (g *grain) execute(command any, key, cause, trace string) error {
	events, err := g.entity.execute(command)
	if err != nil || len(events) == 0 {
		return err
	}
	g.trace = cmp.Or(trace, g.trace)
	if g.pending == nil {
		g.pending = &batch{entry: storage.Entry{Stream: g.stream, First: g.version + 1, Trace: g.trace}}
	}
	at := domain.At(g.now).Std()
	for i := range events {
		events[i].At, events[i].Command, events[i].Cause = at, key, cause
		g.version++
	}
	g.remember(key, g.version)
	if g.pending.entry.Events == nil {
		g.pending.entry.Events = events
	} else {
		g.pending.entry.Events = append(g.pending.entry.Events, events...)
	}
	return nil
}

// reply sends the answer as soon as everything that it may rest on is durable.
func (g *grain) reply(to *actor.PID, reply *messages.Reply) { g.await(waiting{to: to, reply: reply}) }

func (g *grain) await(w waiting) {
	switch {
	case g.pending != nil:
		g.pending.replies = append(g.pending.replies, w)
	case g.inflight != nil:
		g.inflight.replies = append(g.inflight.replies, w)
	default:
		g.answerNow(w)
	}
}

func (g *grain) answerNow(w waiting) {
	if w.repeat == nil {
		g.root.Send(w.to, w.reply)
		return
	}
	g.host.crew.Go(func() { g.root.Send(w.to, w.repeat()) })
}

// flush hands the pending batch to the committer, unless one is being written.
func (g *grain) flush() {
	g.unpark()
	if g.inflight != nil || g.pending == nil {
		return
	}
	if c, ok := g.entity.(companion); ok {
		if extra := c.companion(domain.At(g.now)); extra != nil {
			if err := g.execute(extra, "", "", ""); err != nil {
				panic(err)
			}
		}
	}
	b := g.pending
	g.inflight, g.pending = b, nil
	b.frozen, b.agenda = g.entity.freeze(), g.entity.agenda()
	b.due = due(b.agenda, g.now)
	if g.outgrown() {
		b.snapshot, g.lastState = g.loaded.snapshot(), g.version
	}
	b.from, b.root = g.self, g.root
	g.host.committer.submit(b)
}

// outgrown says whether the snapshot is so far behind that a new one pays.
func (g *grain) outgrown() bool {
	_, ok := g.entity.(snapshotter)
	after := snapshotAfter
	if g.host.crowded() {
		after = snapshotCrowded
	}
	return ok && g.version >= g.lastState+uint64(max(after, g.snapshotSize/eventSize))
}

// settle answers those who waited for the batch, and writes the next one.
func (g *grain) settle(ctx actor.Context, b *batch) {
	if g.inflight != b {
		return // stop was faster
	}
	g.inflight = nil
	if b.err != nil {
		if errors.Is(b.err, storage.ErrConflict) {
			g.host.Logger.Warn("fenced out", "stream", string(g.stream), "version", b.entry.First)
		}
		g.fenced(b)
		g.fail(ctx, b.err)
		return
	}
	g.durable = b.agenda
	if r, ok := g.entity.(reader); ok {
		r.settled(b.frozen)
	}
	g.send(b)
	for _, a := range g.entity.aside() {
		if asker := g.host.asker.Load(); asker != nil {
			(*asker).Tell(a.kind, a.identity, a.message)
		}
	}
	g.flush()
	g.work(ctx)
}

func (g *grain) send(b *batch) {
	for _, w := range b.replies {
		g.answerNow(w)
	}
}

// fenced tells everybody who waited to ask again: another activation has written this stream, or this one has ended.
func (g *grain) fenced(b *batch) {
	for _, w := range b.replies {
		g.root.Send(w.to, retry("another activation has written"))
	}
}

// unpark answers the questions whose time has come.
func (g *grain) unpark() {
	if len(g.parked) == 0 {
		return
	}
	g.parked = slices.DeleteFunc(g.parked, func(p parked) bool {
		reply, ready := g.entity.answer(p.message, p.since, !g.now.Before(p.until))
		if !ready {
			return false
		}
		if p.message.GetGetOrder() != nil { // it has written nothing that would prove the answer
			reply = g.proven(reply)
		}
		g.reply(p.to, reply)
		return true
	})
}

// stop finishes what was begun: whoever sent a command gets an answer, whatever the store says.
func (g *grain) stop() {
	g.stopping = true
	if g.stream == "" {
		return // ended before it had begun
	}
	g.host.Stats.Passivations.Add(1)
	g.host.Stats.Live.Add(-1)
	g.task.cancel()
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.entity == nil {
		return
	}
	if r, ok := g.entity.(reader); ok {
		r.gone()
	}
	for g.inflight != nil {
		b := g.inflight
		g.inflight = nil
		if err := g.host.committer.wait(b); err != nil || g.broken != nil {
			g.fenced(b)
			break
		}
		g.send(b)
		g.flush()
	}
	if g.pending != nil {
		g.fenced(g.pending)
	}
	for _, p := range g.parked {
		g.root.Send(p.to, retry("the entity has stopped"))
	}
	if g.broken == nil && g.durable.task != "" {
		g.host.handOver(g.kind, g.stream.Identity())
	}
}
