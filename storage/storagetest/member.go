package storagetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// long is a lease's time that no test waits for.
const long = time.Minute

func leaseOf(member string) storage.Lease {
	return storage.Lease{Member: member, Addr: member + ":4711", Writer: "writer-of-" + member}
}

func join(t *testing.T, l storage.Leases, ttl time.Duration, members ...string) {
	t.Helper()
	for _, member := range members {
		if err := l.Join(ctx(t), leaseOf(member), ttl); err != nil {
			t.Fatalf("join as %s: %v", member, err)
		}
	}
}

func renew(t *testing.T, l storage.Leases, member string, ttl time.Duration) {
	t.Helper()
	if err := l.Renew(ctx(t), member, ttl); err != nil {
		t.Fatalf("renew %s: %v", member, err)
	}
}

func leases(t *testing.T, l storage.Leases) ([]storage.Lease, time.Time) {
	t.Helper()
	all, now, err := l.Leases(ctx(t))
	if err != nil {
		t.Fatalf("leases: %v", err)
	}
	for _, instant := range append(expiries(all), now) {
		if instant.Location() != time.UTC || instant.Nanosecond()%int(time.Millisecond) != 0 {
			t.Fatalf("instant %v is not in UTC milliseconds", instant)
		}
	}
	return all, now
}

func expiries(all []storage.Lease) []time.Time {
	out := make([]time.Time, len(all))
	for i, lease := range all {
		out[i] = lease.Expires
	}
	return out
}

// lookup returns a member's lease, if there is one.
func lookup(t *testing.T, l storage.Leases, member string) (storage.Lease, bool) {
	t.Helper()
	all, _ := leases(t, l)
	i := slices.IndexFunc(all, func(lease storage.Lease) bool { return lease.Member == member })
	if i < 0 {
		return storage.Lease{}, false
	}
	return all[i], true
}

// see returns a lease that must be there.
func see(t *testing.T, l storage.Leases, member string) storage.Lease {
	t.Helper()
	lease, there := lookup(t, l, member)
	if !there {
		all, _ := leases(t, l)
		t.Fatalf("%s has no lease among %+v", member, all)
	}
	return lease
}

// passed waits until the store's clock is after the instant.
func passed(t *testing.T, l storage.Leases, instant time.Time) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, now := leases(t, l)
		if now.After(instant) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the store's clock stays at %v, before %v", now, instant)
		}
	}
}

func tick(t *testing.T, l storage.Leases) {
	t.Helper()
	_, now := leases(t, l)
	passed(t, l, now)
}

func wantEvicted(t *testing.T, l storage.Leases, member string) {
	t.Helper()
	for what, err := range map[string]error{
		"renew":   l.Renew(ctx(t), member, long),
		"retreat": l.Retreat(ctx(t), member),
	} {
		if !errors.Is(err, storage.ErrEvicted) {
			t.Fatalf("%s of %s: got %v, want ErrEvicted", what, member, err)
		}
	}
	if lease, there := lookup(t, l, member); there {
		t.Fatalf("the lease is still there: %+v", lease)
	}
}

func evict(t *testing.T, l storage.Leases, seen storage.Lease, want bool) {
	t.Helper()
	if got, err := l.Evict(ctx(t), seen); err != nil || got != want {
		t.Fatalf("evict %+v: got %v, %v, want %v", seen, got, err, want)
	}
}

// wantExpiry demands that a lease which was extended between two readings of the store's clock ends ttl after that.
// Readings and expiry have lost what is finer than a millisecond.
func wantExpiry(t *testing.T, lease storage.Lease, from, to time.Time, ttl time.Duration) {
	t.Helper()
	first, beyond := from.Add(ttl.Truncate(time.Millisecond)), to.Add(ttl+time.Millisecond)
	if lease.Expires.Before(first) || !lease.Expires.Before(beyond) {
		t.Fatalf("the lease expires at %v, want at or after %v and before %v", lease.Expires, first, beyond)
	}
}
