package cluster

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
)

// handover waits until the former owners of one identity have ended their activations. It makes two activations at a
// time rare; that they do no harm is the journal's matter.
type handover struct {
	lookup  *lookup
	key     key
	awaited map[*peer]*actor.PID // with what each of them answers to
	timer   *time.Timer
}

// handoverPatience is how long former owners may take. One that does not answer is dead, frozen, or has a slow store.
const handoverPatience = 2 * time.Second

// newHandover is called with the lookup's lock held; what it returns has to be called without.
func newHandover(l *lookup, k key, former []*peer) (h *handover, send func()) {
	h = &handover{lookup: l, key: k, awaited: make(map[*peer]*actor.PID, len(former))}
	answers := make([]*actor.PID, len(former))
	for i, p := range former {
		answers[i], _ = l.system.ProcessRegistry.Add(&released{h, p}, inquiry.Name(l.system))
		h.awaited[p] = answers[i]
	}
	h.timer = time.AfterFunc(handoverPatience, func() { h.settle(func(*peer) bool { return false }) })
	return h, func() {
		for i, p := range former {
			l.system.Root.RequestWithCustomSender(p.door, &messages.Release{Kind: k.kind, Identity: k.identity}, answers[i])
		}
	}
}

// settle goes on waiting for those that pending names only.
func (h *handover) settle(pending func(*peer) bool) {
	h.lookup.mu.Lock()
	defer h.lookup.mu.Unlock()
	h.narrow(pending)
}

// narrow is settle with the lookup's lock held. The entity is opened when nobody is awaited any more.
func (h *handover) narrow(pending func(*peer) bool) {
	a := h.lookup.activations[h.key]
	if a == nil || a.handover != h {
		return // cancelled
	}
	for p, answer := range h.awaited {
		if !pending(p) {
			h.lookup.system.ProcessRegistry.Remove(answer)
			delete(h.awaited, p)
		}
	}
	if len(h.awaited) == 0 {
		h.timer.Stop()
		h.lookup.spawn(h.key, a)
	}
}

// cancel is called with the lookup's lock held.
func (h *handover) cancel() {
	h.timer.Stop()
	for _, answer := range h.awaited {
		h.lookup.system.ProcessRegistry.Remove(answer)
	}
}

// released takes one former owner's answer.
type released struct {
	*handover
	by *peer
}

var _ actor.Process = (*released)(nil)

// SendUserMessage takes the answer. A member that has no door any more has no activations either.
func (r *released) SendUserMessage(_ *actor.PID, message any) {
	switch _, answer, _ := actor.UnwrapEnvelope(message); answer.(type) {
	case *messages.Released, *actor.DeadLetterResponse:
		r.settle(func(p *peer) bool { return p != r.by })
	}
}

// SendSystemMessage is not used.
func (r *released) SendSystemMessage(*actor.PID, any) {}

// Stop is not used.
func (r *released) Stop(*actor.PID) {}
