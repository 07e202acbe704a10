package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/mongo"
)

// The scenarios give the figures of what operators plan with. They are told, not judged: they are the machine's as much as
// the shop's. What is judged is that nothing was lost.

// steady is a load that comes at its own pace.
var steady = crowd{buyers: 8, keepers: 4, watchers: 4, rest: 100 * time.Millisecond}

// quietTime is how long the load runs before something happens, to have something to compare with; and longer than members
// are new, who ask every other member, a dead one too, before they open an entity.
const quietTime = 12 * time.Second

func needsLong(t *testing.T) {
	t.Helper()
	if !options.long {
		t.Skip("takes minutes: -chaos.long")
	}
}

// phase is a part of a run.
type phase struct {
	name     string
	from, to time.Duration
}

// figures tells what clients saw in a phase.
func (h *history) figures(p phase) string {
	longest := h.longestWait(p.from, p.to)
	count := 0
	for _, w := range h.waits {
		if w.at >= p.from && w.at <= p.to {
			count++
		}
	}
	round := func(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
	return fmt.Sprintf("%-8s %5.1fs to %5.1fs: %5d requests, p50 %v, p90 %v, p99 %v, longest wait %v (%s)", p.name, p.from.Seconds(), p.to.Seconds(), count,
		round(h.percentile(0.5, p.from, p.to)), round(h.percentile(0.9, p.from, p.to)), round(h.percentile(0.99, p.from, p.to)), round(longest.took), longest.client)
}

// slowest are the operations that took longest.
func (h *history) slowest(count int) []operation {
	all := h.all()
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(b.back-b.call, a.back-a.call) })
	return all[:min(count, len(all))]
}

// scenario runs the program with its default settings, breaks the world as told, and tells the figures of the phases.
func scenario(t *testing.T, l layout, seed uint64, during func(ctx context.Context, w *world, mark func(name string))) result {
	t.Helper()
	l.program = services.builds.program(t)
	var phases []phase
	r := run(t, plan{layout: l, seed: seed, crowd: steady, during: func(ctx context.Context, w *world) {
		began, last := time.Now(), time.Duration(0)
		during(ctx, w, func(name string) {
			now := time.Since(began)
			phases = append(phases, phase{name, last, now})
			last = now
		})
	}})
	for _, p := range phases {
		t.Log(r.history.figures(p))
	}
	for _, o := range r.history.slowest(4) {
		t.Log("slowest: ", o)
	}
	t.Log(r.line())
	t.Log(r.history.trouble())
	if len(r.violations) > 0 {
		require.NoError(t, r.preserve())
		t.Fatal(r.story())
	}
	return r
}

// TestFailover kills one of three members under steady load. It also tells what those saw who wanted nothing of that member.
func TestFailover(t *testing.T) {
	needsLong(t)
	var elsewhere func(operation) bool
	r := scenario(t, layout{members: options.members, direct: true}, options.seed, func(ctx context.Context, w *world, mark func(string)) {
		<-time.After(quietTime)
		mark("quiet")
		var err error
		elsewhere, err = w.elsewhere(ctx, w.members[0])
		w.grumble(err)
		w.grumble(w.members[0].kill())
		<-time.After(quietTime)
		mark("failover")
		<-time.After(quietTime)
		mark("two left")
		w.grumble(w.members[0].start())
		<-time.After(quietTime)
		mark("back")
	})
	require.Empty(t, r.world.grumbles)
	others := r.history.only(elsewhere)
	const gap = 2 * time.Second // longer than it takes to notice
	for _, p := range []phase{{"quiet", 0, quietTime}, {"the gap", quietTime, quietTime + gap}, {"failover", quietTime, 2 * quietTime}} {
		t.Log("entities of the other members: ", others.figures(p))
	}
}

// elsewhere chooses the operations that need nothing of a member: those about one entity, which another one owns now.
func (w *world) elsewhere(ctx context.Context, m *member) (func(operation) bool, error) {
	store, err := w.store(ctx)
	if err != nil {
		return nil, err
	}
	leases, err := leasesOf(ctx, store)
	if err := errors.Join(err, store.Close()); err != nil {
		return nil, err
	}
	gone := slices.IndexFunc(leases, func(l storage.Lease) bool { return l.Addr == m.peers })
	if gone < 0 {
		return nil, fmt.Errorf("member %d at %s has no lease", m.number, m.peers)
	}
	return func(o operation) bool {
		switch o.deed {
		case looking, adjusting:
			return cluster.OwnerOf(leases, actors.KindProduct, o.subject) != leases[gone].Member
		case viewing:
			return cluster.OwnerOf(leases, actors.KindOrder, domain.OrderIdentity(o.subject)) != leases[gone].Member
		}
		return false
	}, nil
}

func leasesOf(ctx context.Context, store *mongo.Store) ([]storage.Lease, error) {
	kept, err := store.Leases()
	if err != nil {
		return nil, err
	}
	leases, _, err := kept.Leases(ctx)
	return leases, err
}

// TestRollingRestart restarts all members, one after the other, under steady load. No request may fail.
func TestRollingRestart(t *testing.T) {
	needsLong(t)
	r := scenario(t, layout{members: options.members, direct: true}, options.seed, func(ctx context.Context, w *world, mark func(string)) {
		<-time.After(quietTime)
		mark("quiet")
		for n, m := range w.members {
			told := time.Now()
			w.grumble(m.terminate(30 * time.Second))
			t.Logf("member %d has ended %v after SIGTERM", n, time.Since(told).Round(time.Millisecond))
			w.grumble(m.start())
			if !within(time.Minute, func() bool { return m.ready(ctx) == nil }) {
				w.grumble(fmt.Errorf("member %d is not ready again", n))
			}
			<-time.After(2 * time.Second)
			mark(fmt.Sprintf("member %d", n))
		}
	})
	require.Empty(t, r.world.grumbles)
	if r.history.broken > 0 {
		require.NoError(t, r.preserve())
		t.Errorf("a member has taken requests, and not answered them in time: %s; logs: %s", r.history.trouble(), r.world.dir)
	}
}

// TestFreezeAndRevive freezes a member until another has its place, and revives it, many times.
func TestFreezeAndRevive(t *testing.T) {
	needsLong(t)
	const each = 5
	for first := 0; first < options.freezes; first += each {
		seed := options.seed + uint64(first)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			scenario(t, layout{members: options.members, lease: faultLease, direct: true}, seed, func(_ context.Context, w *world, mark func(string)) {
				<-time.After(time.Second)
				mark("quiet")
				random := rand.New(rand.NewPCG(seed, 0xf4ee))
				for range each {
					m := w.members[random.IntN(len(w.members))]
					m.signal(syscall.SIGSTOP)
					<-time.After(faultLease + time.Duration(random.Int64N(int64(2*faultLease))))
					m.signal(syscall.SIGCONT)
					<-time.After(time.Second)
					mark("frozen")
				}
			})
		})
	}
}
