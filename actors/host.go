package actors

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Kinds of entities.
const (
	KindOrder   = "order"
	KindProduct = "product"
	KindPayment = "payment"
	KindClaim   = "claim"
	KindWebhook = "webhook"
)

// Asker asks an entity, wherever it is, and waits for its one reply, for some seconds if the context has no deadline. It
// sends again what was certainly not executed. An error means that the outcome is unknown; the same command may be asked
// again.
type Asker interface {
	Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error)
	// Tell sends without waiting; the message may get lost.
	Tell(kind, identity string, command *messages.Command)
}

// Config of a host.
type Config struct {
	Store   storage.Store
	Gateway gateway.Gateway
	Policy  order.Policy
	Writer  string // this member's name in the journal
	Logger  *slog.Logger
	Clock   func() time.Time // nil: the system's

	// Committed is told of every durable batch, in commit order; it must not block. Nil: nobody.
	Committed func([]storage.Entry)

	FlushEvery time.Duration // of the projections; 0: 200 ms
	IdleAfter  time.Duration // an entity that has something to come; 0: 5 min. One that is finished goes after a moment
	Crowd      int64         // with more entities than that in memory the idle ones go after some seconds; 0: 4096
}

// Host runs the entities of one member.
type Host struct {
	Config
	newest    storage.Newest // nil: the store does not offer it
	asker     atomic.Pointer[Asker]
	members   atomic.Pointer[Membership]
	committer *committer
	projector *projector
	published sync.Map // productID -> *frozenProduct, of the products that are live here
	crew      crew
	newID     func() string // NewID, bound once
	stop      context.CancelFunc
	ctx       context.Context
	loops     sync.WaitGroup
	Stats     Stats
}

// Stats count since the start.
type Stats struct {
	Commands, Appends, Commits, Events, Conflicts, Activations, Passivations atomic.Int64
	Live                                                                     atomic.Int64
}

// NewHost makes a host; Start brings it to life.
func NewHost(c Config) *Host {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.FlushEvery == 0 {
		c.FlushEvery = 200 * time.Millisecond
	}
	if c.IdleAfter == 0 {
		c.IdleAfter = 5 * time.Minute
	}
	if c.Crowd == 0 {
		c.Crowd = 4096
	}
	h := &Host{Config: c}
	h.newest, _ = c.Store.(storage.Newest)
	h.ctx, h.stop = context.WithCancel(context.Background())
	h.newID = h.NewID
	h.projector = newProjector(h)
	h.committer = newCommitter(h)
	return h
}

// Start enlists the writer, brings the projections of its own entries up to date with the journal and starts committing.
// Until SetAsker was called, entities answer but do no work that needs others.
func (h *Host) Start(ctx context.Context) error {
	last, err := h.Store.Enlist(ctx, h.Writer)
	if err != nil {
		return err
	}
	h.committer.number = last
	if err := h.projector.catchUp(ctx); err != nil {
		return fmt.Errorf("catch up projections: %w", err)
	}
	h.loops.Go(h.committer.run)
	h.loops.Go(h.projector.run)
	return nil
}

// SetAsker connects the entities to each other and starts the sweeper, which finds unfinished work.
func (h *Host) SetAsker(a Asker, m Membership) {
	h.members.Store(&m)
	h.asker.Store(&a)
	h.loops.Go(func() { newSweeper(h, a, m).run(h.ctx) })
}

// handOver wakes an entity on the member that looks after it from now on, so that its work does not rest until a sweeper
// finds it.
func (h *Host) handOver(kind, identity string) {
	if m := h.members.Load(); m != nil && !(*m).Owns(kind, identity) {
		(*h.asker.Load()).Tell(kind, identity, touch())
	}
}

// fresh says whether an entity here may tell what it knows without proving it by a write.
func (h *Host) fresh() bool {
	m := h.members.Load()
	return m == nil || (*m).Fresh()
}

// crowded says that there are so many entities in memory that idle ones go soon.
func (h *Host) crowded() bool { return h.Stats.Live.Load() > h.Crowd }

// mayAct says whether entities may begin work that reaches beyond them.
func (h *Host) mayAct() bool { return h.asker.Load() != nil && (*h.members.Load()).Current() }

// Stop ends the loops after everything that was committed has been projected. The actors must have been stopped.
func (h *Host) Stop() {
	h.stop()
	h.crew.wait()
	h.committer.close()
	h.projector.close()
	h.loops.Wait()
}

// Abort ends the loops without finishing anything: what a crash leaves behind.
func (h *Host) Abort() {
	h.stop()
	h.committer.abort()
	h.projector.abort()
	h.loops.Wait()
	h.crew.wait()
}

// Props returns how to spawn an entity of that kind; the cluster tells it its identity.
func (h *Host) Props(kind string) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return newGrain(h, kind) }, actor.WithDispatcher(&h.crew))
}

// Kinds lists all kinds.
func Kinds() []string { return []string{KindOrder, KindProduct, KindPayment, KindClaim, KindWebhook} }

// newEntity makes the empty entity of a stream, not yet loaded.
func (h *Host) newEntity(kind, identity string) entity {
	switch kind {
	case KindOrder:
		return newOrder(h, identity)
	case KindProduct:
		return newProduct(h, identity)
	case KindPayment:
		return newPayment(h, identity)
	case KindClaim:
		return newClaim()
	case KindWebhook:
		return newWebhook(h, identity)
	}
	return nil
}

func (h *Host) now() domain.Time { return domain.At(h.Clock()) }

// NewID makes an id that nobody else has, sortable by the host's clock.
func (h *Host) NewID() string {
	now := h.Clock()
	var random [4]byte
	rand.Read(random[:]) //nolint:errcheck // never fails
	return domain.NewID(domain.At(now), domain.SortableTail(now, random))
}
