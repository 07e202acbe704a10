package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// ttl of the leases in tests: short, but longer than a busy machine lets a goroutine wait.
const ttl = 3 * time.Second

// patience of the tests with what must happen at some time.
const patience = 60 * time.Second

// until waits for a condition, and prints the state when it does not come about.
func until(t *testing.T, what string, condition func() bool, state func() any) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !condition(); {
		if <-ticker.C; time.Now().After(deadline) {
			t.Fatalf("%s: not after %v; state: %+v", what, patience, state())
		}
	}
}

// shop is a cluster in one process, and what its entities have done, whichever member they were on.
type shop struct {
	t      *testing.T
	leases *memory.Leases

	mu       sync.Mutex
	active   map[string]int // identity -> activations at this moment
	opened   map[string]int
	overlaps []string       // identities that were active twice at a time
	executed map[string]int // command id -> how often

	linger atomic.Pointer[chan struct{}] // entities end when it is closed
	hold   chan struct{}                 // entities go on from a command to hold when it is closed
}

// newShop is for tests with several members.
func newShop(t *testing.T) *shop {
	if raceEnabled {
		t.Skip("several members in one process share gRPC's global logger")
	}
	return &shop{t: t, leases: memory.NewLeases(time.Now), active: map[string]int{}, opened: map[string]int{}, executed: map[string]int{}, hold: make(chan struct{})}
}

// entity answers with the member that it is on. A command whose cause is "silent" gets no answer, "deadline" is answered
// with its deadline, "stop"
// ends it, "hold" keeps it busy.
type entity struct {
	shop     *shop
	member   string
	identity string
}

func (e *entity) Receive(ctx actor.Context) {
	s := e.shop
	switch m := ctx.Message().(type) {
	case *proto.ClusterInit:
		e.identity = m.Identity.GetIdentity()
		s.mu.Lock()
		s.opened[e.identity]++
		if s.active[e.identity]++; s.active[e.identity] > 1 {
			s.overlaps = append(s.overlaps, e.identity)
		}
		s.mu.Unlock()
	case *messages.Command:
		s.mu.Lock()
		s.executed[m.GetId()]++
		s.mu.Unlock()
		switch m.GetCause() {
		case "silent":
			return
		case "deadline":
			ctx.Respond(&messages.Reply{Version: uint64(m.GetDeadline())})
			return
		case "hold":
			<-s.hold
		case "stop":
			ctx.Stop(ctx.Self())
		}
		ctx.Respond(&messages.Reply{Document: []byte(e.member), Version: uint64(len(m.GetFingerprint()))})
	case *actor.Stopping:
		if end := s.linger.Load(); end != nil {
			<-*end
		}
	case *actor.Stopped:
		s.mu.Lock()
		s.active[e.identity]--
		s.mu.Unlock()
	}
}

// link is one member's way to the leases, which can be cut.
type link struct {
	storage.Leases
	renewals, lists cut
	before          atomic.Pointer[func()] // called before each list
	ending          atomic.Pointer[func()] // called before each eviction
	listed, evicted atomic.Int64
}

// cut blocks calls while it is on: until their context ends, as a store that does not answer does.
type cut struct{ on atomic.Bool }

var errCut = errors.New("the store does not answer")

func (c *cut) pass(ctx context.Context) error {
	if !c.on.Load() {
		return nil
	}
	<-ctx.Done()
	return errCut
}

func (l *link) Renew(ctx context.Context, member string, ttl time.Duration) error {
	if err := l.renewals.pass(ctx); err != nil {
		return err
	}
	return l.Leases.Renew(ctx, member, ttl)
}

// linked is what a member is given: link's own method can't have the name of the field.
type linked struct{ *link }

func (l linked) Leases(ctx context.Context) ([]storage.Lease, time.Time, error) {
	if err := l.lists.pass(ctx); err != nil {
		return nil, time.Time{}, err
	}
	if before := l.before.Load(); before != nil {
		(*before)()
	}
	l.listed.Add(1)
	return l.link.Leases.Leases(ctx)
}

func (l linked) Evict(ctx context.Context, seen storage.Lease) (bool, error) {
	if err := l.lists.pass(ctx); err != nil {
		return false, err
	}
	if ending := l.ending.Load(); ending != nil {
		(*ending)()
	}
	done, err := l.link.Leases.Evict(ctx, seen)
	if done {
		l.evicted.Add(1)
	}
	return done, err
}

func (l *link) cut(on bool) { l.renewals.on.Store(on); l.lists.on.Store(on) }

type member struct {
	*cluster.Member
	name string
	link *link
}

// join starts a member; the test stops it.
func (s *shop) join(name string, change ...func(*cluster.Config)) *member {
	s.t.Helper()
	m, err := s.tryJoin(name, change...)
	require.NoError(s.t, err)
	return m
}

func (s *shop) tryJoin(name string, change ...func(*cluster.Config)) (*member, error) {
	m := &member{name: name, link: &link{Leases: s.leases}}
	c := cluster.Config{Name: "test", Addr: "127.0.0.1:0", Writer: name, Leases: linked{m.link}, LeaseTTL: ttl, Kinds: []string{"entity"},
		Logger: slog.New(slog.NewTextHandler(logTo(), nil)),
		Props: func(string) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return &entity{shop: s, member: name} })
		}}
	for _, change := range change {
		change(&c)
	}
	var err error
	if m.Member, err = cluster.Start(c); err == nil {
		s.t.Cleanup(m.Stop)
	}
	return m, err
}

// logTo is where members log to: nowhere, unless somebody wants to see it.
func logTo() io.Writer {
	if testing.Verbose() {
		return os.Stderr
	}
	return io.Discard
}

// settled waits until all members know of that many.
func (s *shop) settled(count int, members ...*member) {
	s.t.Helper()
	until(s.t, "all members know each other", func() bool {
		for _, m := range members {
			if m.Size() != count {
				return false
			}
		}
		return true
	}, func() any {
		var sizes []int
		for _, m := range members {
			sizes = append(sizes, m.Size())
		}
		return sizes
	})
}

// times says how often a command was executed.
func (s *shop) times(command string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.executed[command]
}

// opens says how often an entity was opened.
func (s *shop) opens(identity string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened[identity]
}

// owned returns an identity that the member owns, not yet used in this test.
func (s *shop) owned(m *member, prefix string) string {
	for i := range 10_000 {
		if id := fmt.Sprint(prefix, "-", i); m.Owns("entity", id) {
			return id
		}
	}
	s.t.Fatalf("%s owns nothing", m.name)
	return ""
}

func (s *shop) overlapped() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.overlaps...)
}
