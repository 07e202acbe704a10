package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

func proveOneEviction(t *testing.T, l storage.Leases) {
	for round := range 20 {
		member := fmt.Sprint("m-", round)
		join(t, l, long, member)
		seen := see(t, l, member)
		var won [racers]bool
		together(func(racer int) {
			var err error
			if won[racer], err = l.Evict(ctx(t), seen); err != nil {
				t.Errorf("round %d: evict: %v", round, err)
			}
		})
		if winners := countTrue(won[:]); winners != 1 {
			t.Fatalf("round %d: %d racers say they did it, want 1", round, winners)
		}
		wantEvicted(t, l, member)
	}
}

func countTrue(all []bool) (count int) {
	for _, b := range all {
		if b {
			count++
		}
	}
	return count
}

func proveEvictionOrRenewal(t *testing.T, l storage.Leases) {
	for round := range 60 {
		member := fmt.Sprint("m-", round)
		join(t, l, long, member)
		seen := see(t, l, member)
		tick(t, l)
		var won [racers]bool
		var renewed error
		together(func(racer int) {
			if racer == 0 {
				renewed = l.Renew(ctx(t), member, long)
				return
			}
			for range (racer + round) % 3 { // so that either may come first
				if _, _, err := l.Leases(ctx(t)); err != nil {
					t.Errorf("round %d: leases: %v", round, err)
				}
			}
			var err error
			if won[racer], err = l.Evict(ctx(t), seen); err != nil {
				t.Errorf("round %d: evict: %v", round, err)
			}
		})
		switch winners := countTrue(won[:]); {
		case winners == 1 && errors.Is(renewed, storage.ErrEvicted):
			wantEvicted(t, l, member)
		case winners == 0 && renewed == nil:
			if got := see(t, l, member); !got.Expires.After(seen.Expires) {
				t.Fatalf("round %d: renewed, but it expires at %v as before", round, got.Expires)
			}
			renew(t, l, member, long)
			evict(t, l, see(t, l, member), true)
		default:
			t.Fatalf("round %d: %d racers evicted, and the renewal said %v", round, winners, renewed)
		}
	}
}

func proveMembersAtOnce(t *testing.T, l storage.Leases) {
	const rounds = 10
	together(func(racer int) {
		lease := leaseOf(fmt.Sprintf("m-%02d", racer))
		err := l.Join(ctx(t), lease, long)
		for range rounds {
			err = errors.Join(err, l.Renew(ctx(t), lease.Member, long))
		}
		if err = errors.Join(err, l.Retreat(ctx(t), lease.Member)); err != nil {
			t.Errorf("%s: %v", lease.Member, err)
		}
	})
	all, now := leases(t, l)
	for i, lease := range all {
		if lease.Member != fmt.Sprintf("m-%02d", i) || !lease.Leaving || !lease.Expires.After(now) {
			t.Errorf("lease %d at %v: %+v", i, now, lease)
		}
	}
	if len(all) != racers {
		t.Errorf("got %d leases, want %d", len(all), racers)
	}
}
