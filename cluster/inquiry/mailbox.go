package inquiry

import (
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
	unbounded := actor.Unbounded()
	return func() actor.Mailbox {
		return &draining{Mailbox: unbounded(), system: system, stopped: stopped, admit: admit}
	}
}

type draining struct {
	actor.Mailbox
	system  *actor.ActorSystem
	stopped func()
	admit   func(any) bool
}

func (d *draining) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	d.Mailbox.RegisterHandlers(&drainInvoker{MessageInvoker: invoker, draining: d}, dispatcher)
}

type drainInvoker struct {
	actor.MessageInvoker
	*draining
	over bool
}

func (d *drainInvoker) InvokeSystemMessage(message any) {
	d.MessageInvoker.InvokeSystemMessage(message)
	if _, ok := message.(*actor.Stop); ok && !d.over {
		d.over = true
		if d.stopped != nil {
			d.stopped()
		}
	}
}

func (d *drainInvoker) InvokeUserMessage(message any) {
	_, content, sender := actor.UnwrapEnvelope(message)
	if !d.over && d.admit(content) {
		d.MessageInvoker.InvokeUserMessage(message)
		return
	}
	if sender != nil {
		d.system.Root.Send(sender, &actor.DeadLetterResponse{})
	}
}
