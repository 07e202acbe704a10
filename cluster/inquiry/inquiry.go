// Package inquiry sends one message to an actor and waits for one answer. It takes the place of Proto.Actor's future,
// which is not safe when two answers meet, can't be abandoned, and costs a timer each. An answer that comes after the
// caller has gone is dropped.
package inquiry

import (
	"context"
	"errors"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrNotDelivered says that there is no such actor any more: the message was certainly not executed.
var ErrNotDelivered = errors.New("the activation has ended")

// Delivered returns the answer, or ErrNotDelivered if it says that nobody has got the question.
func Delivered(answer any) (any, error) {
	if _, dead := answer.(*actor.DeadLetterResponse); dead {
		return nil, ErrNotDelivered
	}
	return answer, nil
}

// Name returns a name for something that is answered. No process has it twice, nor has the next one at the same address:
// an answer that comes late must not be taken for that to another question.
func Name(system *actor.ActorSystem) string { return system.ID + system.ProcessRegistry.NextID() }

// Desk is where a process gets its answers. It has one name for all of them; a number tells which question is meant: a name
// for each one would have to be made, registered and taken back.
type Desk struct {
	system *actor.ActorSystem
	name   string

	mu     sync.Mutex // guards what follows
	last   uint32     // number; it comes again after 2^32 questions, when no late answer is on its way any more
	open   map[uint32]chan any
	unused []chan any // empty, and nobody knows them
}

var _ actor.Process = (*Desk)(nil)

// mostUnused bounds what a rush leaves behind.
const mostUnused = 256

// NewDesk makes a desk that serves for as long as the actor system does.
func NewDesk(system *actor.ActorSystem) *Desk {
	d := &Desk{system: system, name: Name(system), open: make(map[uint32]chan any)}
	system.ProcessRegistry.Add(d, d.name)
	return d
}

// Inquiry is where one answer is awaited. Whoever opens it closes it.
type Inquiry struct {
	PID    *actor.PID // the sender to give to those who are to answer
	Answer <-chan any // the first answer, once; nobody closes it
	desk   *Desk
	answer chan any
}

// Open makes an inquiry that can be answered, also by another process.
func (d *Desk) Open() Inquiry {
	d.mu.Lock()
	d.last++
	for d.last == 0 || d.open[d.last] != nil { // 0 stands for no number
		d.last++
	}
	number, answer := d.last, d.channel()
	d.open[number] = answer
	d.mu.Unlock()
	// The address is asked for each time: a process has none for others before it listens.
	pid := &actor.PID{Address: d.system.Address(), Id: d.name, RequestId: number}
	return Inquiry{PID: pid, Answer: answer, desk: d, answer: answer}
}

func (d *Desk) channel() chan any {
	last := len(d.unused) - 1
	if last < 0 {
		return make(chan any, 1)
	}
	c := d.unused[last]
	d.unused = d.unused[:last]
	return c
}

// Close drops whatever answer may still come. Nobody may look at Answer afterwards: the next inquiry gets the channel.
func (q Inquiry) Close() {
	d := q.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, q.PID.GetRequestId())
	select {
	case <-q.answer: // came when nobody looked any more
	default:
	}
	if len(d.unused) < mostUnused {
		d.unused = append(d.unused, q.answer)
	}
}

// SendUserMessage takes the first answer to a question.
func (d *Desk) SendUserMessage(to *actor.PID, message any) {
	_, answer, _ := actor.UnwrapEnvelope(message)
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[to.GetRequestId()]; c != nil {
		delete(d.open, to.GetRequestId())
		c <- answer // there is room for the one
	}
}

// SendSystemMessage is not used.
func (*Desk) SendSystemMessage(*actor.PID, any) {}

// Stop is not used.
func (*Desk) Stop(*actor.PID) {}

// Ask sends the message and waits for its answer, or until the context ends: then the outcome is unknown.
func (d *Desk) Ask(ctx context.Context, to *actor.PID, message any) (any, error) {
	q := d.Open()
	defer q.Close()
	d.system.Root.RequestWithCustomSender(to, message, q.PID)
	select {
	case answer := <-q.Answer:
		return Delivered(answer)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
