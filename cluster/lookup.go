package cluster

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
)

// lookup finds, and where needed opens, the activation of an identity. One actor, the placement, opens and closes all
// activations of this member, so that an identity is never opened before its last activation has ended.
type lookup struct {
	logger    *slog.Logger
	cluster   *cluster.Cluster
	placement *actor.PID
	stop      sync.Once
}

var _ cluster.IdentityLookup = (*lookup)(nil)

func newLookup(logger *slog.Logger) *lookup { return &lookup{logger: logger} }

// activateTimeout bounds the wait for an activation.
const activateTimeout = 5 * time.Second

// drainTimeout bounds the end of all activations.
const drainTimeout = 30 * time.Second

// Setup is called by Proto.Actor when the member starts.
func (l *lookup) Setup(c *cluster.Cluster, _ []string, _ bool) {
	l.cluster = c
	props := actor.PropsFromProducer(func() actor.Actor { return newPlacement(l) })
	pid, err := c.ActorSystem.Root.SpawnNamed(props, "placement")
	if err != nil {
		panic(err) // the name is ours alone
	}
	l.placement = pid
}

// Get returns the activation, or nil: then the caller asks again.
func (l *lookup) Get(id *cluster.ClusterIdentity) *actor.PID {
	ctx, cancel := context.WithTimeout(context.Background(), activateTimeout)
	defer cancel()
	result, err := inquiry.Ask(ctx, l.cluster.ActorSystem, l.placement, &activate{kind: id.Kind, identity: id.Identity})
	if err != nil {
		return nil
	}
	opened, ok := result.(*activated)
	if !ok || opened.pid == nil {
		return nil
	}
	l.cluster.PidCache.Set(id.Identity, id.Kind, opened.pid)
	return opened.pid
}

// RemovePid forgets an activation that does not answer.
func (l *lookup) RemovePid(id *cluster.ClusterIdentity, pid *actor.PID) {
	l.cluster.PidCache.RemoveByValue(id.Identity, id.Kind, pid)
}

// Shutdown opens nothing any more and ends all activations; each finishes what it has begun. Proto.Actor calls it more
// than once.
func (l *lookup) Shutdown() {
	l.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if _, err := inquiry.Ask(ctx, l.cluster.ActorSystem, l.placement, &drain{}); err != nil {
			l.logger.Warn("not all entities have stopped in time", "err", err)
		}
	})
}

// Messages to the placement. They stay on this member.
type (
	activate  struct{ kind, identity string }
	activated struct{ pid *actor.PID }
	drain     struct{}
	drained   struct{}
)

type key struct{ kind, identity string }

// placement is the actor that opens and closes activations. One that ends by itself is handed out until its end has been
// reported; whoever asks it meanwhile is told that it was not executed, and asks again.
type placement struct {
	lookup   *lookup
	live     map[key]*actor.PID
	keys     map[string]key // by the activation's id
	draining []*actor.PID   // who waits for the end of all
	closed   bool
}

func newPlacement(l *lookup) *placement {
	return &placement{lookup: l, live: make(map[key]*actor.PID), keys: make(map[string]key)}
}

// Receive handles one message.
func (p *placement) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *activate:
		p.activate(ctx, key(*m))
	case *actor.Terminated:
		p.terminated(ctx, m.Who)
	case *drain:
		p.drain(ctx)
	}
}

func (p *placement) activate(ctx actor.Context, k key) {
	switch {
	case p.closed:
		ctx.Respond(&activated{})
	case p.live[k] != nil:
		ctx.Respond(&activated{pid: p.live[k]})
	default:
		ctx.Respond(&activated{pid: p.open(ctx, k)})
	}
}

func (p *placement) open(ctx actor.Context, k key) *actor.PID {
	kind := p.lookup.cluster.GetClusterKind(k.kind)
	if kind == nil {
		return nil
	}
	pid := ctx.SpawnPrefix(cluster.WithClusterIdentity(kind.Props, &cluster.ClusterIdentity{Kind: k.kind, Identity: k.identity}), k.kind)
	p.live[k], p.keys[pid.Id] = pid, k
	return pid
}

func (p *placement) terminated(ctx actor.Context, pid *actor.PID) {
	k, ok := p.keys[pid.Id]
	if !ok {
		return
	}
	delete(p.keys, pid.Id)
	delete(p.live, k)
	p.lookup.cluster.PidCache.RemoveByValue(k.identity, k.kind, pid)
	p.finish(ctx)
}

func (p *placement) drain(ctx actor.Context) {
	p.closed = true
	p.draining = append(p.draining, ctx.Sender())
	for _, pid := range p.live {
		ctx.Poison(pid)
	}
	p.finish(ctx)
}

func (p *placement) finish(ctx actor.Context) {
	if !p.closed || len(p.live) > 0 {
		return
	}
	for _, sender := range p.draining {
		ctx.Send(sender, &drained{})
	}
	p.draining = nil
}
