package inquiry

import (
	"github.com/asynkron/protoactor-go/actor"
)

// Mailbox makes mailboxes that answer what is left in them when their actor has stopped: who asked learns at once that
// the message was not executed, instead of waiting in vain. For actors without children.
func Mailbox(system *actor.ActorSystem) actor.MailboxProducer {
	unbounded := actor.Unbounded()
	return func() actor.Mailbox { return &draining{Mailbox: unbounded(), system: system} }
}

type draining struct {
	actor.Mailbox
	system *actor.ActorSystem
}

func (d *draining) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	d.Mailbox.RegisterHandlers(&drainInvoker{MessageInvoker: invoker, system: d.system}, dispatcher)
}

type drainInvoker struct {
	actor.MessageInvoker
	system  *actor.ActorSystem
	stopped bool
}

func (d *drainInvoker) InvokeSystemMessage(message any) {
	if _, ok := message.(*actor.Stop); ok {
		d.stopped = true
	}
	d.MessageInvoker.InvokeSystemMessage(message)
}

func (d *drainInvoker) InvokeUserMessage(message any) {
	if !d.stopped {
		d.MessageInvoker.InvokeUserMessage(message)
		return
	}
	if envelope, ok := message.(*actor.MessageEnvelope); ok && envelope.Sender != nil {
		d.system.Root.Send(envelope.Sender, &actor.DeadLetterResponse{})
	}
}
