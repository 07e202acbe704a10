package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
)

// lookup has the activations of this member. An identity is opened again only after its last activation here has ended,
// and, if another member may have it active, after that one has been asked to release it.
type lookup struct {
	system *actor.ActorSystem
	self   string // this member's id
	view   *atomic.Pointer[view]
	kinds  map[string]*actor.Props
	queue  int            // how many commands may wait for one opening
	admit  func(any) bool // asked about each message of an activation before it is executed

	mu          sync.Mutex // guards what follows; nothing is sent to another member while it is held
	activations map[key]*activation
	released    map[key]time.Time // since when an identity is not opened here, because another member has asked for it
	closed      bool
}

// phase of an activation. One that ends by itself stays live until its end is reported.
type phase int

const (
	opening phase = iota // waits until the former owners have released it
	live
	ending
)

type activation struct {
	phase
	pid      *actor.PID
	handover *handover  // while opening
	queue    []delivery // while opening
	ended    []func()   // whom to tell of the end
}

// delivery is one command for an entity. Without a sender nobody waits for the answer.
type delivery struct {
	command *messages.Command
	sender  *actor.PID
}

// Why a command was certainly not executed.
const (
	refusedClosed   = "the member ends"
	refusedForeign  = "another member owns the entity"
	refusedReleased = "another member takes the entity over"
	refusedEnding   = "the entity ends here"
	refusedQueue    = "too many commands wait for the entity to open"
	refusedKind     = "there is no such kind of entity"
)

// releasedFor is how long an identity stays released at most, if this member does not get to see the leases.
const releasedFor = 5 * time.Second

// deliver hands the command to the entity's activation, which it opens if there is none. It never blocks. A refusal
// means that the command is certainly not executed.
func (l *lookup) deliver(k key, d delivery) (refused string) {
	l.mu.Lock()
	a, send, refused := l.find(k)
	if refused != "" {
		l.mu.Unlock()
		return refused
	}
	phase, pid := a.phase, a.pid
	switch {
	case phase == ending:
		refused = refusedEnding
	case phase == opening && len(a.queue) >= l.queue:
		refused = refusedQueue
	case phase == opening:
		a.queue = append(a.queue, d)
	}
	l.mu.Unlock()
	if phase == live {
		l.pass(pid, d)
	}
	if send != nil {
		send()
	}
	return refused
}

// find returns the activation, or begins one; send, if not nil, has to be called then, without the lock.
func (l *lookup) find(k key) (a *activation, send func(), refused string) {
	v := l.view.Load()
	switch {
	case l.closed:
		return nil, nil, refusedClosed
	case !v.owns(l.self, k):
		return nil, nil, refusedForeign
	}
	if a := l.activations[k]; a != nil {
		return a, nil, ""
	}
	now := time.Now()
	if since, ok := l.released[k]; ok && now.Sub(since) < releasedFor {
		return nil, nil, refusedReleased
	}
	if l.kinds[k.kind] == nil {
		return nil, nil, refusedKind
	}
	delete(l.released, k)
	a = &activation{}
	l.activations[k] = a
	if former := v.formerOwners(k, l.self, now); len(former) > 0 {
		a.handover, send = newHandover(l, k, former)
		return a, send, ""
	}
	l.spawn(k, a)
	return a, nil, ""
}

// spawn makes the activation live, tells it which entity it is, and gives it what has waited. An actor that its supervisor
// starts anew is not told again: entities catch their own faults, and end.
func (l *lookup) spawn(k key, a *activation) {
	props := *l.kinds[k.kind] // which shares with the kind what does not change
	props.Configure(actor.WithMailbox(inquiry.Gated(l.system, func() { l.end(k, a) }, l.admit)))
	a.phase, a.pid = live, l.system.Root.SpawnPrefix(&props, k.kind)
	l.system.Root.Send(a.pid, &cluster.ClusterInit{Identity: &cluster.ClusterIdentity{Kind: k.kind, Identity: k.identity}})
	for _, d := range a.queue {
		l.pass(a.pid, d)
	}
	a.queue, a.handover = nil, nil
}

// pass is a push into the mailbox of an actor of this process.
func (l *lookup) pass(pid *actor.PID, d delivery) {
	if d.sender == nil {
		l.system.Root.Send(pid, d.command)
		return
	}
	l.system.Root.RequestWithCustomSender(pid, d.command, d.sender)
}

// end is called when an activation has executed its last message.
func (l *lookup) end(k key, a *activation) {
	l.mu.Lock()
	delete(l.activations, k)
	told := a.ended
	l.mu.Unlock()
	for _, tell := range told {
		tell()
	}
}

// release lets another member have the identity: ended is called when there is no activation here any more. Contested: by
// this member's view the identity is its own. Either side may be the one that has not seen the newest leases; none is
// opened here until they have been listed again.
func (l *lookup) release(k key, ended func()) (contested bool) {
	l.mu.Lock()
	if contested = l.view.Load().owns(l.self, k); contested {
		l.released[k] = time.Now()
	}
	there, dropped := l.retire(k, ended)
	l.mu.Unlock()
	l.refuse(dropped, refusedReleased)
	if !there {
		ended()
	}
	return contested
}

// retire ends the activation, after it has finished what it has begun; ended is called then. Not there: there is none,
// or it was only opening, and dropped is what had waited for that.
func (l *lookup) retire(k key, ended func()) (there bool, dropped []delivery) {
	a := l.activations[k]
	if a == nil {
		return false, nil
	}
	if a.phase == opening {
		delete(l.activations, k)
		a.handover.cancel()
		return false, a.queue
	}
	if a.phase == live {
		a.phase = ending
		l.system.Root.Poison(a.pid)
	}
	a.ended = append(a.ended, ended)
	return true, nil
}

// refuse tells those who wait that their commands were not executed.
func (l *lookup) refuse(dropped []delivery, why string) {
	for _, d := range dropped {
		if d.sender != nil {
			l.system.Root.Send(d.sender, retry(why))
		}
	}
}

// kindRetry is the refusal that says: certainly not executed, ask again.
const kindRetry = 7

func retry(why string) *messages.Reply {
	return &messages.Reply{Refusal: &messages.Refusal{Kind: kindRetry, Code: "retry", Detail: why}}
}
