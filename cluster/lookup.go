package cluster

import (
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
)

// lookup opens the activations of this member and finds them. An identity is opened again only after its last activation
// has ended; until then the one that is ending is handed out, and whoever asks it is told that nothing was executed.
type lookup struct {
	logger  *slog.Logger
	cluster *cluster.Cluster

	mu     sync.Mutex // guards what follows
	live   map[key]*actor.PID
	closed bool
	empty  chan struct{} // closed when the last activation has ended after closed was set
}

type key struct{ kind, identity string }

var _ cluster.IdentityLookup = (*lookup)(nil)

func newLookup(logger *slog.Logger) *lookup {
	return &lookup{logger: logger, live: make(map[key]*actor.PID), empty: make(chan struct{})}
}

// drainTimeout bounds the end of all activations.
const drainTimeout = 30 * time.Second

// Setup is called by Proto.Actor when the member starts.
func (l *lookup) Setup(c *cluster.Cluster, _ []string, _ bool) { l.cluster = c }

// Get returns the activation, and opens it if there is none; nil: not here, and not now.
func (l *lookup) Get(id *cluster.ClusterIdentity) *actor.PID {
	return l.find(key{id.Kind, id.Identity})
}

func (l *lookup) find(k key) *actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pid, ok := l.live[k]; ok {
		return pid
	}
	kind := l.cluster.GetClusterKind(k.kind)
	if kind == nil || l.closed {
		return nil
	}
	system := l.cluster.ActorSystem
	props := cluster.WithClusterIdentity(kind.Props, &cluster.ClusterIdentity{Kind: k.kind, Identity: k.identity}).
		Clone(actor.WithMailbox(inquiry.Mailbox(system, func() { l.ended(k) })))
	pid := system.Root.SpawnPrefix(props, k.kind)
	l.live[k] = pid
	return pid
}

// ended is called when an activation has executed its last message.
func (l *lookup) ended(k key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, k)
	if l.closed && len(l.live) == 0 {
		close(l.empty)
	}
}

// RemovePid has nothing to forget: an activation leaves the map when it ends.
func (l *lookup) RemovePid(*cluster.ClusterIdentity, *actor.PID) {}

// Shutdown opens nothing any more and ends all activations; each finishes what it has begun. Proto.Actor calls it more
// than once.
func (l *lookup) Shutdown() {
	for _, pid := range l.close() {
		l.cluster.ActorSystem.Root.Poison(pid)
	}
	select {
	case <-l.empty:
	case <-time.After(drainTimeout):
		l.logger.Warn("not all entities have stopped in time")
	}
}

// close returns the activations that have to end.
func (l *lookup) close() []*actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if len(l.live) == 0 {
		close(l.empty)
	}
	pids := make([]*actor.PID, 0, len(l.live))
	for _, pid := range l.live {
		pids = append(pids, pid)
	}
	return pids
}
