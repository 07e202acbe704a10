// Package inquiry sends one message to an actor and waits for one answer. It takes the place of Proto.Actor's future,
// which is not safe when two answers meet, can't be abandoned, and costs a timer each. An answer that comes after the
// caller has gone is dropped.
package inquiry

import (
	"context"
	"errors"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrNotDelivered says that there is no such actor any more: the message was certainly not executed.
var ErrNotDelivered = errors.New("the activation has ended")

// Ask sends the message and waits for its answer, or until the context ends: then the outcome is unknown.
func Ask(ctx context.Context, system *actor.ActorSystem, to *actor.PID, message any) (any, error) {
	q := &inquiry{answer: make(chan any, 1)}
	self, ok := system.ProcessRegistry.Add(q, system.ProcessRegistry.NextID())
	if !ok {
		return nil, errors.New("no name for the inquiry") // the registry's names are unique
	}
	defer system.ProcessRegistry.Remove(self)
	system.Root.RequestWithCustomSender(to, message, self)
	select {
	case answer := <-q.answer:
		if _, dead := answer.(*actor.DeadLetterResponse); dead {
			return nil, ErrNotDelivered
		}
		return answer, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inquiry is the process that the answer is sent to.
type inquiry struct{ answer chan any }

var _ actor.Process = (*inquiry)(nil)

// SendUserMessage takes the first answer.
func (q *inquiry) SendUserMessage(_ *actor.PID, message any) {
	_, answer, _ := actor.UnwrapEnvelope(message)
	select {
	case q.answer <- answer:
	default:
	}
}

// SendSystemMessage is not used.
func (q *inquiry) SendSystemMessage(*actor.PID, any) {}

// Stop is not used.
func (q *inquiry) Stop(*actor.PID) {}
