package cluster

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/messages"
)

// doorName is what a member's door is called in its process. Members of different versions must agree on it. It has the
// member's id, so that what was meant for a process that is gone does not reach its successor at the same address.
func doorName(member string) string { return "entities/" + member }

// door is where other members leave what is for this member's entities. It runs on the connection's reader and must not
// block. It serves from when the member is ready until its process ends.
type door struct {
	system  *actor.ActorSystem
	self    string // this member's id
	view    *atomic.Pointer[view]
	lookup  *lookup
	current func() bool
	fresh   func() bool
	look    func()                                                                         // lists the leases soon
	answer  func(kind, identity string, command *messages.Command) (*messages.Reply, bool) // may be nil
	open    atomic.Bool
}

var _ actor.Process = (*door)(nil)

const (
	refusedClosedDoor = "the member does not serve yet"
	refusedSuspended  = "the member is suspended"
	refusedEmpty      = "there is no command"
)

// published answers a read from what an entity here has published, while this member is the one that keeps it up to date.
func (d *door) published(k key, command *messages.Command) (*messages.Reply, bool) {
	if d.answer == nil || d.refusal(command) != "" {
		return nil, false
	}
	reply, ok := d.answer(k.kind, k.identity, command)
	return reply, ok && d.view.Load().owns(d.self, k) && d.fresh()
}

// route takes a command to its entity here, or says that it was certainly not executed.
func (d *door) route(k key, command *messages.Command, sender *actor.PID) {
	refused := d.refusal(command)
	if refused == "" {
		refused = d.lookup.deliver(k, delivery{command: command, sender: sender})
	}
	if refused != "" && sender != nil {
		d.system.Root.Send(sender, retry(refused))
	}
}

func (d *door) refusal(command *messages.Command) string {
	switch {
	case command == nil:
		return refusedEmpty
	case !d.open.Load():
		return refusedClosedDoor
	case !d.current():
		return refusedSuspended
	}
	return ""
}

// admit lets an activation execute a message: a member that is suspended executes no commands.
func (d *door) admit(message any) bool {
	_, command := message.(*messages.Command)
	return !command || d.current()
}

// SendUserMessage takes what another member has sent.
func (d *door) SendUserMessage(_ *actor.PID, message any) {
	_, content, sender := actor.UnwrapEnvelope(message)
	switch m := content.(type) {
	case *messages.Routed:
		if m.GetPatience() > 0 && m.GetCommand() != nil { // the sender's clock may differ
			m.Command.Deadline = time.Now().UnixMilli() + m.GetPatience()
		}
		k := key{m.GetKind(), m.GetIdentity()}
		if reply, ok := d.published(k, m.GetCommand()); ok && sender != nil {
			d.system.Root.Send(sender, reply)
			return
		}
		d.route(k, m.GetCommand(), sender)
	case *messages.Release:
		d.release(key{m.GetKind(), m.GetIdentity()}, sender)
	}
}

// release answers when no activation is left. A request that names no kind says that the leases have changed; and its
// answer, that everything that this member was sent before has arrived.
func (d *door) release(k key, sender *actor.PID) {
	ended := func() {
		if sender != nil {
			d.system.Root.Send(sender, &messages.Released{})
		}
	}
	if k.kind == "" {
		d.look()
		ended()
		return
	}
	if d.lookup.release(k, ended) {
		d.look()
	}
}

// SendSystemMessage is not used.
func (d *door) SendSystemMessage(*actor.PID, any) {}

// Stop is not used.
func (d *door) Stop(*actor.PID) {}
