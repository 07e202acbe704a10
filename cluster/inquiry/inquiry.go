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
	q := Open(system)
	defer q.Close()
	system.Root.RequestWithCustomSender(to, message, q.PID)
	select {
	case answer := <-q.Answer:
		return Delivered(answer)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Delivered returns the answer, or ErrNotDelivered if it says that nobody has got the question.
func Delivered(answer any) (any, error) {
	if _, dead := answer.(*actor.DeadLetterResponse); dead {
		return nil, ErrNotDelivered
	}
	return answer, nil
}

// Inquiry is where one answer is awaited. Whoever opens it closes it.
type Inquiry struct {
	PID    *actor.PID // the sender to give to those who are to answer
	Answer <-chan any // the first answer, once; nobody closes it
	system *actor.ActorSystem
}

// Open makes an inquiry that can be answered, also by another process.
func Open(system *actor.ActorSystem) *Inquiry {
	answer := make(chan any, 1)
	pid, _ := system.ProcessRegistry.Add(process(answer), Name(system))
	return &Inquiry{PID: pid, Answer: answer, system: system}
}

// Name returns a name for something that is answered. No process has it twice, nor has the next one at the same address:
// an answer that comes late must not be taken for that to another question.
func Name(system *actor.ActorSystem) string { return system.ID + system.ProcessRegistry.NextID() }

// Close drops whatever answer may still come.
func (q *Inquiry) Close() { q.system.ProcessRegistry.Remove(q.PID) }

// process is what the answer is sent to.
type process chan any

var _ actor.Process = process(nil)

// SendUserMessage takes the first answer.
func (p process) SendUserMessage(_ *actor.PID, message any) {
	_, answer, _ := actor.UnwrapEnvelope(message)
	select {
	case p <- answer:
	default:
	}
}

// SendSystemMessage is not used.
func (process) SendSystemMessage(*actor.PID, any) {}

// Stop is not used.
func (process) Stop(*actor.PID) {}
