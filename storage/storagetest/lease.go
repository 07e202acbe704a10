package storagetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// OpenLeases returns an empty membership. Its clock must go on by itself. Whoever opens it sees to its end.
type OpenLeases func(t *testing.T) storage.Leases

var leaseRules = []struct {
	name  string
	prove func(t *testing.T, l storage.Leases)
}{
	{"a lease expires its time after the join, by the store's clock, in UTC milliseconds", proveJoin},
	{"leases are listed whole, sorted by member, expired ones too", proveLeasesListed},
	{"a member id is taken once, but the same join may be repeated", proveJoinTwice},
	{"renew moves the expiry from now on, an expired lease's too", proveRenew},
	{"a renewal never takes time away", proveRenewNeverShortens},
	{"retreat marks the lease and leaves it alone otherwise", proveRetreat},
	{"an evicted lease is no more, for ever", proveEvicted},
	{"a lease that was renewed since it was seen stays", proveEvictRenewed},
	{"who never joined has no lease", proveUnknownMember},
	{"a call whose context is over does nothing", proveLeaseContext},
	{"of 16 evictions of one lease exactly one did it", proveOneEviction},
	{"an eviction by 16 and a renewal at once: one or the other", proveEvictionOrRenewal},
	{"16 members join, renew and retreat at once", proveMembersAtOnce},
}

// RunLeases proves what storage.Leases promises.
func RunLeases(t *testing.T, open OpenLeases) {
	for _, r := range leaseRules {
		t.Run(r.name, func(t *testing.T) { r.prove(t, open(t)) })
	}
}

func proveJoin(t *testing.T, l storage.Leases) {
	all, before := leases(t, l)
	if len(all) != 0 {
		t.Fatalf("a new membership has %+v", all)
	}
	const ttl = 1500*time.Millisecond + 7*time.Microsecond
	join(t, l, ttl, "a")
	_, after := leases(t, l)
	wantExpiry(t, see(t, l, "a"), before, after, ttl)
}

func proveLeasesListed(t *testing.T, l storage.Leases) {
	join(t, l, long, "m-2", "m-10")
	join(t, l, time.Millisecond, "m-1")
	leaving := leaseOf("b")
	leaving.Leaving = true
	if err := l.Join(ctx(t), leaving, long); err != nil {
		t.Fatal(err)
	}
	passed(t, l, see(t, l, "m-1").Expires)
	all, now := leases(t, l)
	want := []storage.Lease{leaving, leaseOf("m-1"), leaseOf("m-10"), leaseOf("m-2")}
	for i := range all {
		if expired := now.After(all[i].Expires); expired != (all[i].Member == "m-1") {
			t.Errorf("at %v: expired is %v of %+v", now, expired, all[i])
		}
		all[i].Expires = time.Time{}
	}
	if !slices.Equal(all, want) {
		t.Fatalf("got %+v, want %+v", all, want)
	}
}

func proveJoinTwice(t *testing.T, l storage.Leases) {
	join(t, l, long, "a")
	before := see(t, l, "a")
	for _, other := range []storage.Lease{
		{Member: "a", Addr: "elsewhere:1", Writer: before.Writer},
		{Member: "a", Addr: before.Addr, Writer: "another"},
	} {
		if err := l.Join(ctx(t), other, 2*long); err == nil || errors.Is(err, storage.ErrEvicted) {
			t.Fatalf("join as another with the same id: got %v, want an error that is not ErrEvicted", err)
		}
	}
	if got := see(t, l, "a"); got != before {
		t.Fatalf("the lease became %+v, was %+v", got, before)
	}
	if err := l.Retreat(ctx(t), "a"); err != nil {
		t.Fatal(err)
	}
	join(t, l, 2*long, "a")
	if got := see(t, l, "a"); !got.Leaving || !got.Expires.After(before.Expires) {
		t.Fatalf("after the repeated join: got %+v, want it leaving, and later than %v", got, before.Expires)
	}
}

func proveRenew(t *testing.T, l storage.Leases) {
	join(t, l, time.Millisecond, "a", "b")
	other := see(t, l, "b")
	for _, ttl := range []time.Duration{time.Millisecond, 40 * time.Millisecond, long} {
		passed(t, l, see(t, l, "a").Expires)
		_, before := leases(t, l)
		renew(t, l, "a", ttl)
		_, after := leases(t, l)
		wantExpiry(t, see(t, l, "a"), before, after, ttl)
	}
	if got := see(t, l, "b"); got != other {
		t.Errorf("the other member's lease became %+v, was %+v", got, other)
	}
}

func proveRenewNeverShortens(t *testing.T, l storage.Leases) {
	join(t, l, long, "a")
	before := see(t, l, "a")
	renew(t, l, "a", time.Millisecond)
	join(t, l, time.Millisecond, "a")
	if got := see(t, l, "a"); got != before {
		t.Fatalf("got %+v, want %+v", got, before)
	}
}

func proveRetreat(t *testing.T, l storage.Leases) {
	join(t, l, long, "a", "b")
	want := see(t, l, "a")
	want.Leaving = true
	for range 2 {
		if err := l.Retreat(ctx(t), "a"); err != nil {
			t.Fatal(err)
		}
		if got := see(t, l, "a"); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	if see(t, l, "b").Leaving {
		t.Error("the other member is leaving too")
	}
	tick(t, l)
	renew(t, l, "a", long)
	if got := see(t, l, "a"); !got.Leaving || !got.Expires.After(want.Expires) {
		t.Errorf("after a renewal: got %+v", got)
	}
	evict(t, l, want, false)
	evict(t, l, see(t, l, "a"), true)
	wantEvicted(t, l, "a")
}

func proveEvicted(t *testing.T, l storage.Leases) {
	join(t, l, long, "a", "b")
	seen := see(t, l, "a")
	evict(t, l, seen, true)
	for range 3 {
		wantEvicted(t, l, "a")
		evict(t, l, seen, false)
		for _, again := range []storage.Lease{leaseOf("a"), {Member: "a", Addr: "elsewhere:1", Writer: "another"}} {
			if err := l.Join(ctx(t), again, long); !errors.Is(err, storage.ErrEvicted) {
				t.Fatalf("join after the eviction: got %v, want ErrEvicted", err)
			}
		}
	}
	renew(t, l, "b", long)
}

func proveEvictRenewed(t *testing.T, l storage.Leases) {
	join(t, l, time.Millisecond, "a")
	seen := see(t, l, "a")
	passed(t, l, seen.Expires)
	renew(t, l, "a", time.Millisecond)
	evict(t, l, seen, false)
	now := see(t, l, "a")
	earlier, later := now, now
	earlier.Expires = now.Expires.Add(-time.Millisecond)
	later.Expires = now.Expires.Add(time.Millisecond)
	evict(t, l, earlier, false)
	evict(t, l, later, false)
	renew(t, l, "a", long)
	evict(t, l, see(t, l, "a"), true)
}

func proveUnknownMember(t *testing.T, l storage.Leases) {
	join(t, l, long, "a")
	wantEvicted(t, l, "b")
	evict(t, l, storage.Lease{Member: "b", Expires: see(t, l, "a").Expires}, false)
	evict(t, l, storage.Lease{Member: "b"}, false)
	renew(t, l, "a", long)
}

func proveLeaseContext(t *testing.T, l storage.Leases) {
	join(t, l, long, "a")
	want := see(t, l, "a")
	over, cancel := context.WithCancel(ctx(t))
	cancel()
	_, _, listed := l.Leases(over)
	evicted, evict := l.Evict(over, want)
	for what, err := range map[string]error{
		"join": l.Join(over, leaseOf("b"), long), "renew": l.Renew(over, "a", 2*long), "retreat": l.Retreat(over, "a"),
		"leases": listed, "evict": evict,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", what, err)
		}
	}
	if all, _ := leases(t, l); evicted || len(all) != 1 || all[0] != want {
		t.Errorf("got %+v, want %+v alone", all, want)
	}
}
