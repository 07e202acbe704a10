package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

// holdBack lets the first command of that name wait until release is called. The context of its call ends as soon as it
// waits.
func (w watched) holdBack(t *testing.T, command string) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(t.Context())
	proceed := make(chan struct{})
	var first atomic.Bool
	w.obey(func(name string) verdict {
		if name == command && first.CompareAndSwap(false, true) {
			cancel()
			<-proceed
		}
		return verdict{}
	})
	release = sync.OnceFunc(func() { close(proceed) })
	t.Cleanup(release)
	return ctx, release
}

func (w watched) waitServed(t *testing.T, command string) {
	t.Helper()
	eventually(t, "the late "+command, func() (bool, string) {
		served := w.served()
		return slices.Contains(served, command), fmt.Sprint(served)
	})
}

func TestRenewalThatArrivesLateRevivesNobody(t *testing.T) {
	w := newWatched(t)
	mustJoin(t, w.through)
	seen := mustSee(t, w.directly)
	ctx, release := w.holdBack(t, modify)
	wantUnknown(t, "renew", w.through.Renew(ctx, member.Member, 2*leaseTTL))
	if evicted, err := w.directly.Evict(t.Context(), seen); err != nil || !evicted {
		t.Fatalf("evict: got %v, %v", evicted, err)
	}
	release()
	w.waitServed(t, modify)
	if lease, there := leaseSeen(t, w.directly); there {
		t.Fatalf("the lease is back: %+v", lease)
	}
	if err := w.through.Renew(t.Context(), member.Member, leaseTTL); !errors.Is(err, storage.ErrEvicted) {
		t.Fatalf("renew: got %v, want ErrEvicted", err)
	}
}

func TestRenewalThatArrivesLateTakesNoTimeAway(t *testing.T) {
	w := newWatched(t)
	mustJoin(t, w.through)
	ctx, release := w.holdBack(t, modify)
	wantUnknown(t, "renew", w.through.Renew(ctx, member.Member, leaseTTL))
	if err := w.directly.Renew(t.Context(), member.Member, leaseTTL); err != nil {
		t.Fatal(err)
	}
	renewed := mustSee(t, w.directly)
	release()
	w.waitServed(t, modify)
	if got := mustSee(t, w.directly); got != renewed {
		t.Fatalf("the late renewal made it %+v, was %+v", got, renewed)
	}
}

func TestJoinThatArrivesLateRevivesNobody(t *testing.T) {
	w := newWatched(t)
	ctx, release := w.holdBack(t, "insert")
	wantUnknown(t, "join", w.through.Join(ctx, member, leaseTTL))
	mustJoin(t, w.directly)
	if evicted, err := w.directly.Evict(t.Context(), mustSee(t, w.directly)); err != nil || !evicted {
		t.Fatalf("evict: got %v, %v", evicted, err)
	}
	release()
	w.waitServed(t, "insert")
	if lease, there := leaseSeen(t, w.directly); there {
		t.Fatalf("the lease is back: %+v", lease)
	}
}

func TestEvictionThatArrivesLateSparesWhoHasRenewed(t *testing.T) {
	w := newWatched(t)
	mustJoin(t, w.directly)
	seen := mustSee(t, w.directly)
	ctx, release := w.holdBack(t, modify)
	if evicted, err := w.through.Evict(ctx, seen); evicted || err == nil {
		t.Fatalf("evict: got %v, %v, want an error", evicted, err)
	}
	if err := w.directly.Renew(t.Context(), member.Member, 2*leaseTTL); err != nil {
		t.Fatal(err)
	}
	release()
	w.waitServed(t, modify)
	mustSee(t, w.directly)
}
