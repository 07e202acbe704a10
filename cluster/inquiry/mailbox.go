package inquiry

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Mailbox makes mailboxes that answer what is left in them when their actor has stopped: who asked learns at once that
// the message was not executed, instead of waiting in vain. stopped, if not nil, is called once the actor has executed
// its last message. For actors without children.
func Mailbox(system *actor.ActorSystem, stopped func()) actor.MailboxProducer {
	unbounded := actor.Unbounded()
	return func() actor.Mailbox { return &draining{Mailbox: unbounded(), system: system, stopped: stopped} }
}

type draining struct {
	actor.Mailbox
	system  *actor.ActorSystem
	stopped func()
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
	if !d.over {
		d.MessageInvoker.InvokeUserMessage(message)
		return
	}
	if envelope, ok := message.(*actor.MessageEnvelope); ok && envelope.Sender != nil {
		d.system.Root.Send(envelope.Sender, &actor.DeadLetterResponse{})
	}
}
