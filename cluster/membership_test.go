package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// all returns the leases and the store's time.
func (s *shop) all() ([]storage.Lease, time.Time) {
	s.t.Helper()
	leases, now, err := s.leases.Leases(context.Background())
	require.NoError(s.t, err)
	return leases, now
}

func (s *shop) has(id string) bool {
	leases, _ := s.all()
	return slices.ContainsFunc(leases, func(l storage.Lease) bool { return l.Member == id })
}

// ghost is a lease without a process.
func (s *shop) ghost(id, addr string, ttl time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.leases.Join(context.Background(), storage.Lease{Member: id, Addr: addr, Writer: id}, ttl))
}

// lists waits until the member has listed the leases that often again: a clock that runs as its loops do.
func (s *shop) lists(m *member, count int64) {
	s.t.Helper()
	enough := m.link.listed.Load() + count
	until(s.t, "the leases have been listed again", func() bool { return m.link.listed.Load() >= enough }, func() any { return m.link.listed.Load() })
}

func (s *shop) gone(id string) {
	s.t.Helper()
	until(s.t, id+" is evicted", func() bool { return !s.has(id) }, func() any { leases, now := s.all(); return []any{leases, now} })
}

// refuses says that the member executes nothing and answers no reads, not even those of its own entities.
func refuses(t *testing.T, m *member, identity string) {
	t.Helper()
	for _, command := range []*messages.Command{{}, {Body: &messages.Command_GetProduct{}}} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := m.Client().Ask(ctx, "entity", identity, command)
		cancel()
		assert.ErrorIs(t, err, cluster.ErrNotExecuted)
	}
}

// publishing members answer one read without their entities.
func publishing(c *cluster.Config) {
	c.Answer = func(_, identity string, m *messages.Command) (*messages.Reply, bool) {
		_, published := m.GetBody().(*messages.Command_GetProduct)
		return &messages.Reply{Document: []byte("published " + identity)}, published
	}
}

func TestFrozenMemberIsSuspendedEvictedAndLearnsIt(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a"), s.join("b", publishing)
	s.settled(2, a, b)
	own, busy := s.owned(b, "own"), s.owned(b, "busy")
	load := s.load(100, a)
	load.served(t, "a", "b")
	b.Client().Tell("entity", busy, &messages.Command{Id: "holding", Cause: "hold"})
	until(t, "an entity is busy", func() bool { return s.times("holding") == 1 }, func() any { return nil })
	b.Client().Tell("entity", busy, &messages.Command{Id: "queued"})

	b.link.cut(true)
	until(t, "b is suspended", func() bool { return !b.Current() }, func() any { _, now := s.all(); return now })
	refuses(t, b, own)
	close(s.hold)
	assert.False(t, b.Owns("entity", own))
	until(t, "a goes on alone", func() bool { return a.Size() == 1 }, func() any { return a.Members() })
	load.more(t, 100)
	load.answers()
	load.more(t, 1000)
	load.end(t)
	assert.Zero(t, load.by["b"])

	b.link.cut(false)
	<-b.Lost()
	assert.False(t, b.Current())
	refuses(t, b, own)
	assert.True(t, a.Current())
	b.Drain()
	assert.Zero(t, s.times("queued"), "what was queued is not executed either")
}

func TestOutageOfTheStoreEvictsNobody(t *testing.T) {
	s := newShop(t)
	members := []*member{s.join("a"), s.join("b"), s.join("c")}
	s.settled(3, members...)
	own := s.owned(members[0], "own")
	for _, m := range members {
		m.link.cut(true)
	}
	all := func(holds func(*member) bool) func() bool {
		return func() bool { return !slices.ContainsFunc(members, func(m *member) bool { return !holds(m) }) }
	}
	state := func() any { leases, now := s.all(); return []any{leases, now} }
	until(t, "all are suspended", all(func(m *member) bool { return !m.Current() }), state)
	until(t, "all leases have expired", func() bool {
		leases, now := s.all()
		return !slices.ContainsFunc(leases, func(l storage.Lease) bool { return l.Expires.After(now) })
	}, state)
	refuses(t, members[0], own)

	// Those that come back first must leave the last one its time.
	for _, m := range members[:2] {
		m.link.cut(false)
	}
	until(t, "two are back", func() bool { return members[0].Current() && members[1].Current() }, state)
	s.lists(members[0], 5)
	assert.True(t, members[2].Size() == 3 && !members[2].Current())
	members[2].link.cut(false)
	until(t, "all are back", all(func(m *member) bool { return m.Current() }), state)
	for _, m := range members {
		s.lists(m, 5)
		assert.Equal(t, 3, m.Size())
		assert.Zero(t, m.link.evicted.Load())
	}
	_, err := members[1].Client().Ask(t.Context(), "entity", own, &messages.Command{})
	assert.NoError(t, err)
}

func TestSuspendedMemberEvictsNobody(t *testing.T) {
	s := newShop(t)
	a := s.join("a")
	a.link.renewals.on.Store(true) // it still lists
	until(t, "a is suspended", func() bool { return !a.Current() }, func() any { return a.Members() })
	s.ghost("expired", silentPort(t), time.Millisecond)
	s.ghost("dead", freeAddress(t), 2*ttl)
	s.lists(a, 20)
	assert.True(t, s.has("expired") && s.has("dead"))

	a.link.renewals.on.Store(false)
	s.gone("dead")
	s.gone("expired")
	assert.True(t, a.Current())
}

func TestClosedPortIsNoticedLongBeforeTheLeaseExpires(t *testing.T) {
	const life = 2 * ttl
	s := newShop(t)
	a := s.join("a", func(c *cluster.Config) { c.LeaseTTL = life })
	renew := func(members ...string) { // processes that can't be reached, or say nothing, and renew their leases
		each := func() {
			for _, m := range members {
				if err := s.leases.Renew(context.Background(), m, life); err != nil {
					assert.ErrorIs(t, err, storage.ErrEvicted)
				}
			}
		}
		a.link.before.Store(&each)
	}
	var late atomic.Bool
	ending := func() {
		leases, now := s.all()
		if slices.ContainsFunc(leases, func(l storage.Lease) bool { return l.Expires.Before(now.Add(life / 4)) }) {
			late.Store(true)
		}
	}
	a.link.ending.Store(&ending)
	renew("alive", "slow")
	s.ghost("alive", freeAddress(t), life)
	s.ghost("slow", silentPort(t), life)
	s.ghost("dead", freeAddress(t), life)
	s.gone("dead")
	s.lists(a, 20)
	assert.True(t, s.has("slow"), "it takes connections")
	assert.True(t, s.has("alive"), "it renews its lease")
	renew("slow")
	s.gone("alive")
	assert.True(t, s.has("slow"))
	assert.False(t, late.Load(), "long before the lease expires")
}

func TestWhoStartsAtTheAddressOfAnotherMemberTakesItsPlace(t *testing.T) {
	s := newShop(t)
	addr := freeAddress(t)
	s.ghost("killed", addr, time.Hour)
	m := s.join("again", func(c *cluster.Config) { c.Addr = addr })
	s.gone("killed")
	s.settled(1, m)
}

func TestEvictedMemberIsLost(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a"), s.join("b")
	s.settled(2, a, b)
	for evicted := false; !evicted; {
		leases, _ := s.all()
		for _, l := range leases {
			if l.Writer == "b" {
				evicted, _ = s.leases.Evict(t.Context(), l)
			}
		}
	}
	<-b.Lost()
	assert.False(t, b.Current())
	s.settled(1, a)
	select {
	case <-a.Lost():
		t.Fatal("a is lost too")
	default:
	}
}

func TestMemberComesBackAtTheSameAddressUnderLoad(t *testing.T) {
	s := newShop(t)
	addr := freeAddress(t)
	there := func(c *cluster.Config) { c.Addr = addr }
	a, b := s.join("a"), s.join("b", there)
	s.settled(2, a, b)
	load := s.load(100, a)
	load.served(t, "a", "b")
	b.Stop() // without leaving
	again := s.join("again", there)
	s.settled(2, a, again)
	load.answers()
	load.served(t, "a", "again")
	load.more(t, 1000)
	load.end(t)
	assert.Empty(t, s.overlapped())
}

func TestWhatIsMeantForAPredecessorDoesNotReachItsSuccessor(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a"), s.join("b")
	s.settled(2, a, b)
	b.link.lists.on.Store(true) // else it evicts whoever claims its address
	for _, l := range a.Members() {
		if l.Writer == "b" {
			s.ghost("predecessor", l.Addr, time.Hour)
		}
	}
	s.settled(3, a)
	for i := 0; ; i++ {
		identity := fmt.Sprint("order-", i)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := a.Client().Ask(ctx, "entity", identity, &messages.Command{})
		cancel()
		if err != nil { // the first that the predecessor owns
			require.ErrorIs(t, err, cluster.ErrNotExecuted)
			assert.Zero(t, s.opens(identity))
			return
		}
	}
}

func TestWhatCanNotBeStarted(t *testing.T) {
	for name, change := range map[string]func(*cluster.Config){
		"no port":                     func(c *cluster.Config) { c.Addr = "127.0.0.1" },
		"no number":                   func(c *cluster.Config) { c.Addr = "127.0.0.1:http" },
		"nothing others could dial":   func(c *cluster.Config) { c.Addr = "0.0.0.0:0" },
		"nothing others could dial 6": func(c *cluster.Config) { c.Addr = "[::]:0" },
		"port in use":                 func(c *cluster.Config) { c.Addr = silentPort(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t)
			_, err := s.tryJoin("a", change)
			assert.Error(t, err)
			leases, _ := s.all()
			assert.Empty(t, leases)
		})
	}
}
