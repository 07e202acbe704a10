package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Config of a member.
type Config struct {
	Name      string      // of the cluster
	Addr      string      // host:port to listen on; port 0 takes a free one
	Advertise string      // host:port at which the others reach this member, and no other one; empty: Addr
	Writer    string      // this member's name in the journal
	TLS       *tls.Config // of connections between members, both ends; nil: they are neither encrypted nor authenticated

	Leases   storage.Leases // the membership; nil: this member is alone
	LeaseTTL time.Duration  // how long a silent member stays one; 0: DefaultLeaseTTL. The same for all members

	Kinds []string
	Props func(kind string) *actor.Props
	// Answer answers a read from what an entity of this member has published, without waking it; not ok: the entity is
	// asked. It must not block. Nil: entities are always asked.
	Answer func(kind, identity string, command *messages.Command) (reply *messages.Reply, ok bool)

	MaxWaiting int // questions of this process that may wait for one other member; 0: 4096
	MaxQueued  int // commands that may wait here for one entity that is being handed over; 0: 1024
	Logger     *slog.Logger
}

// DefaultLeaseTTL is how long a silent member stays one, if nothing else is configured.
const DefaultLeaseTTL = 6 * time.Second

func (c Config) withDefaults() Config {
	if c.LeaseTTL == 0 {
		c.LeaseTTL = DefaultLeaseTTL
	}
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 4096
	}
	if c.MaxQueued == 0 {
		c.MaxQueued = 1024
	}
	return c
}

// Member is this process in the cluster.
type Member struct {
	config     Config
	system     *actor.ActorSystem
	remote     *remote.Remote
	self       storage.Lease
	view       atomic.Pointer[view]
	lookup     *lookup
	door       *door
	client     *Client
	membership *membership // nil: alone
	broken     *broken

	changed chan struct{} // the view has
	running context.Context
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	stop    sync.Once
}

const (
	startTimeout = 30 * time.Second
	// probeTimeout bounds one attempt to reach this member at its own address, probePause is between two.
	probeTimeout = 2 * time.Second
	probePause   = 100 * time.Millisecond
)

// Start is Open and Join.
func Start(c Config) (*Member, error) {
	m, err := Open(c)
	if err != nil {
		return nil, err
	}
	if err := m.Join(); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

// Open makes a member of which nobody knows yet: it owns nothing, and its Client finds nobody, until it has joined.
func Open(c Config) (*Member, error) {
	c = c.withDefaults()
	c.Logger = c.Logger.With("cluster", c.Name)
	m := &Member{config: c, changed: make(chan struct{}, 1)}
	m.view.Store(emptyView())
	m.broken = &broken{view: &m.view}
	m.running, m.cancel = context.WithCancel(context.Background())
	if err := m.listen(); err != nil {
		m.cancel()
		return nil, err
	}
	m.self = storage.Lease{Member: m.system.ID, Addr: m.system.Address(), Writer: c.Writer}
	m.connect()
	return m, nil
}

// Join makes the member one of the cluster, once, and returns when it serves: the others can reach it, and it has seen
// itself among them. What its entities need must be there before, for they are asked from then on. Without Leases it is a
// cluster of one. After an error the member can only be stopped.
func (m *Member) Join() error {
	if m.membership == nil {
		m.publish([]storage.Lease{m.self}, time.Now())
		m.door.open.Store(true)
		return nil
	}
	if err := m.enter(); err != nil {
		return err
	}
	m.door.open.Store(true)
	m.spread()
	return nil
}

// listen opens the port. Proto.Actor panics if it can't.
func (m *Member) listen() (err error) {
	config, err := remoteConfig(m.config)
	if err != nil {
		return err
	}
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("listen on %s: %v", m.config.Addr, fault)
		}
	}()
	m.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return libraryLog(m.config.Logger, m.broken) }))
	shrinkRegistry(m.system)
	m.remote = remote.NewRemote(m.system, config)
	m.remote.Start()
	return nil
}

// connect makes the parts that know each other.
func (m *Member) connect() {
	c := m.config
	kinds := make(map[string]*actor.Props, len(c.Kinds))
	for _, kind := range c.Kinds {
		kinds[kind] = c.Props(kind)
	}
	m.door = &door{system: m.system, self: m.self.Member, view: &m.view, current: m.Current, fresh: m.Fresh, look: func() {},
		answer: c.Answer}
	if c.Leases != nil {
		m.membership = newMembership(c.Leases, m.self, c.LeaseTTL, c.Logger)
		m.membership.publish, m.membership.spread, m.door.look = m.publish, m.spread, m.membership.listSoon
		m.membership.broken = m.broken
	}
	m.lookup = &lookup{system: m.system, self: m.self.Member, view: &m.view, kinds: kinds, queue: c.MaxQueued, admit: m.door.admit,
		activations: make(map[key]*activation), released: make(map[key]time.Time)}
	m.door.lookup = m.lookup
	m.client = &Client{system: m.system, self: m.self.Member, view: &m.view, door: m.door, desk: inquiry.NewDesk(m.system), maxWaiting: int64(c.MaxWaiting)}
	m.system.ProcessRegistry.Add(m.door, doorName(m.self.Member))
	m.loops.Go(m.tidy)
}

// enter makes this process one of several members.
func (m *Member) enter() error {
	ctx, cancel := context.WithTimeout(m.running, startTimeout)
	defer cancel()
	if err := m.reachable(ctx); err != nil {
		return err
	}
	if err := m.trusted(ctx); err != nil {
		return fmt.Errorf("join cluster as %s: %w", m.self.Addr, err)
	}
	if err := m.membership.join(ctx, m.self); err != nil {
		return fmt.Errorf("join cluster as %s: %w", m.self.Addr, err)
	}
	m.loops.Go(func() { m.membership.renew(m.running) })
	m.loops.Go(func() { m.membership.list(m.running) })
	m.loops.Go(func() { m.membership.probe(m.running) })
	select {
	case <-m.membership.seen:
		return nil
	case <-m.membership.lost:
		return fmt.Errorf("join cluster as %s: %w", m.self.Addr, storage.ErrEvicted)
	case <-ctx.Done():
		return fmt.Errorf("join cluster as %s: it does not see itself: %w", m.self.Addr, ctx.Err())
	}
}

// reachable finds out whether this member is the one that is reached at its address.
func (m *Member) reachable(ctx context.Context) error {
	for {
		call, cancel := context.WithTimeout(ctx, probeTimeout)
		id, err := whoIs(call, m.self.Addr, m.config.TLS)
		cancel()
		switch {
		case err == nil && id == m.self.Member:
			return nil
		case err == nil:
			err = fmt.Errorf("member %s answers there", id)
		}
		if !wait(ctx, probePause) {
			return fmt.Errorf("this member is not reached at %s, which it advertises: %w", m.self.Addr, err)
		}
	}
}

// Client asks the entities of the whole cluster.
func (m *Member) Client() *Client { return m.client }

// Size is the number of members that this one knows of, those that are leaving included.
func (m *Member) Size() int { return len(m.view.Load().leases) }

// Members returns the members as this one knows them, sorted by id; Expires may be out of date.
func (m *Member) Members() []storage.Lease {
	if m.membership != nil {
		if known := m.membership.known.Load(); known != nil {
			return slices.Clone(known.leases)
		}
	}
	return slices.Clone(m.view.Load().leases)
}

// Owns says whether this member is the one that the entity belongs to, and serves it.
func (m *Member) Owns(kind, identity string) bool { return m.client.Owns(kind, identity) }

// Current says whether this member may act: its lease can't have expired.
func (m *Member) Current() bool { return m.membership == nil || m.membership.current() }

// Fresh says whether what this member knows of its entities can be told without writing: nobody can have gone on without
// it.
func (m *Member) Fresh() bool { return m.membership == nil || m.membership.fresh() }

// Gone says whether the process that writes under that name is no longer a member. False also means that this member
// can't be certain for now.
func (m *Member) Gone(writer string) bool {
	if m.membership == nil {
		return writer != m.self.Writer
	}
	return m.membership.gone(writer)
}

// Lost is closed when the others have gone on without this member. The process must end at once then: whatever it still
// does is done by others too.
func (m *Member) Lost() <-chan struct{} {
	if m.membership == nil {
		return nil
	}
	return m.membership.lost
}
