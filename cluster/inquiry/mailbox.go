package inquiry

import (
	"runtime"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// Mailbox makes mailboxes that answer what is left in them when their actor has stopped: who asked learns at once that
// the message was not executed, instead of waiting in vain. stopped, if not nil, is called once the actor has executed
// its last message. For actors without children.
func Mailbox(system *actor.ActorSystem, stopped func()) actor.MailboxProducer {
	return Gated(system, stopped, func(any) bool { return true })
}

// Gated is a Mailbox that asks admit about each user message when its turn has come; what is not admitted is answered in
// the same way and not executed.
func Gated(system *actor.ActorSystem, stopped func(), admit func(message any) bool) actor.MailboxProducer {
	return func() actor.Mailbox {
		m := &mailbox{system: system, stopped: stopped, admit: admit}
		m.work = m.execute
		return m
	}
}

// mailbox is its queues and the turn to execute what is in them, in one piece: an entity lives for some ten messages, and
// Proto.Actor's own makes several objects for it, and a closure for each time that it has something to do. Batches of
// messages are not taken apart.
type mailbox struct {
	system     *actor.ActorSystem
	stopped    func()
	admit      func(any) bool
	invoker    actor.MessageInvoker
	dispatcher actor.Dispatcher
	work       func() // execute, bound once

	mu        sync.Mutex // guards what follows
	users     ring
	controls  ring // Proto.Actor's system messages: they go first
	busy      bool // somebody executes, or is about to
	suspended bool // until its supervisor has decided about a fault

	over bool // the last message was executed; belongs to who executes
}

var _ actor.Mailbox = (*mailbox)(nil)

// RegisterHandlers is called once, before anything is posted.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.invoker, m.dispatcher = invoker, dispatcher
}

// Start has nothing to do.
func (m *mailbox) Start() {}

// UserMessageCount is how many wait.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.users.count
}

// PostUserMessage never blocks.
func (m *mailbox) PostUserMessage(message any) {
	m.mu.Lock()
	m.users.push(message)
	m.schedule(!m.suspended)
}

// PostSystemMessage never blocks.
func (m *mailbox) PostSystemMessage(message any) {
	m.mu.Lock()
	m.controls.push(message)
	m.schedule(true)
}

// schedule gives up the lock, and has the messages executed if nobody does that yet.
func (m *mailbox) schedule(something bool) {
	idle := something && !m.busy
	m.busy = m.busy || idle
	m.mu.Unlock()
	if idle {
		m.dispatcher.Schedule(m.work)
	}
}

// execute goes on until there is nothing left to do.
func (m *mailbox) execute() {
	for n := 1; ; n++ {
		message, control, ok := m.next()
		switch {
		case !ok:
			return
		case control:
			m.control(message)
		default:
			m.user(message)
		}
		if n%m.dispatcher.Throughput() == 0 {
			runtime.Gosched()
		}
	}
}

// next takes the message whose turn it is. Not ok: there is none, and whoever posts the next one has it executed.
func (m *mailbox) next() (message any, control, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.controls.count > 0:
		return m.controls.pop(), true, true
	case !m.suspended && m.users.count > 0:
		return m.users.pop(), false, true
	}
	m.busy = false
	return nil, false, false
}

func (m *mailbox) control(message any) {
	defer m.escalate(message)
	switch message.(type) {
	case *actor.SuspendMailbox:
		m.suspend(true)
	case *actor.ResumeMailbox:
		m.suspend(false)
	default:
		m.invoker.InvokeSystemMessage(message)
	}
	if _, ok := message.(*actor.Stop); ok && !m.over {
		m.over = true
		if m.stopped != nil {
			m.stopped()
		}
	}
}

func (m *mailbox) suspend(suspended bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.suspended = suspended
}

func (m *mailbox) user(message any) {
	defer m.escalate(message)
	_, content, sender := actor.UnwrapEnvelope(message)
	if !m.over && m.admit(content) {
		m.invoker.InvokeUserMessage(message)
		return
	}
	if sender != nil {
		m.system.Root.Send(sender, &actor.DeadLetterResponse{})
	}
}

// escalate tells the supervisor of a fault.
func (m *mailbox) escalate(message any) {
	if fault := recover(); fault != nil {
		m.invoker.EscalateFailure(fault, message)
	}
}

// ring is a queue that grows when it is full. Its size is a power of two.
type ring struct {
	items       []any
	head, count int
}

const smallestRing = 4

func (r *ring) push(item any) {
	if r.count == len(r.items) {
		larger := make([]any, max(smallestRing, 2*len(r.items)))
		n := copy(larger, r.items[r.head:])
		copy(larger[n:], r.items[:r.head])
		r.items, r.head = larger, 0
	}
	r.items[(r.head+r.count)&(len(r.items)-1)] = item
	r.count++
}

// pop takes the oldest of at least one.
func (r *ring) pop() any {
	item := r.items[r.head]
	r.items[r.head] = nil
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.count--
	return item
}
