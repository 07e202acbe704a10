package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	leaseTTL = time.Minute
	modify   = "findAndModify" // the command that renews, retreats and evicts
)

var member = storage.Lease{Member: "a", Addr: "a:4711", Writer: "writer-a"}

// watched is a membership behind a wire, and the same one without.
type watched struct {
	*wire
	through, directly storage.Leases
}

func newWatched(t *testing.T) watched {
	t.Helper()
	w := newWire(t)
	prefix := server.Prefix(t)
	through, directly := open(t, w.uri(), prefix), open(t, server.URI(), prefix)
	t.Cleanup(func() {
		w.obey(nil)
		if err := errors.Join(through.Close(), directly.Close()); err != nil {
			t.Error(err)
		}
	})
	return watched{wire: w, through: leasesOf(t, through), directly: leasesOf(t, directly)}
}

func mustJoin(t *testing.T, l storage.Leases) {
	t.Helper()
	if err := l.Join(t.Context(), member, leaseTTL); err != nil {
		t.Fatal(err)
	}
}

// leaseSeen returns the member's lease; false: it has none.
func leaseSeen(t *testing.T, l storage.Leases) (storage.Lease, bool) {
	t.Helper()
	all, _, err := l.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(lease storage.Lease) bool { return lease.Member == member.Member })
	if i < 0 {
		return storage.Lease{}, false
	}
	return all[i], true
}

func mustSee(t *testing.T, l storage.Leases) storage.Lease {
	t.Helper()
	lease, there := leaseSeen(t, l)
	if !there {
		t.Fatal("the member has no lease")
	}
	return lease
}

// soon is a context for a call that nobody will answer.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func wantUnknown(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, storage.ErrEvicted) {
		t.Fatalf("%s: got %v, want an unknown outcome", what, err)
	}
}

// again repeats a call until its outcome is known, as callers do.
func again(t *testing.T, what string, call func() error) {
	t.Helper()
	eventually(t, what, func() (bool, string) {
		err := call()
		return err == nil || errors.Is(err, storage.ErrEvicted), fmt.Sprint(err)
	})
	if err := call(); err != nil {
		t.Fatalf("%s, repeated: %v", what, err)
	}
}

func leaseFaults() map[string]verdict {
	notPrimary := bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: 10107}, {Key: "codeName", Value: "NotWritablePrimary"},
		{Key: "errmsg", Value: "not primary"},
	}
	lag := bson.D{
		{Key: "code", Value: 64}, {Key: "codeName", Value: "WriteConcernTimeout"},
		{Key: "errmsg", Value: "waiting for replication timed out"},
	}
	notReplicated := bson.D{
		{Key: "ok", Value: 1.0}, {Key: "n", Value: 1}, {Key: "value", Value: bson.D{{Key: "_id", Value: "a"}}},
		{Key: "writeConcernError", Value: lag},
	}
	return map[string]verdict{
		"the answer is lost":          {hangUp: true},
		"it never arrives":            {keep: true, hangUp: true},
		"not primary, nothing done":   {keep: true, answer: notPrimary},
		"not primary any more":        {answer: notPrimary},
		"done, but not by a majority": {answer: notReplicated},
	}
}

func TestLeaseCallsWithoutAnAnswerAreUnknownAndCanBeRepeated(t *testing.T) {
	for name, v := range leaseFaults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of it is waiting for the driver to connect again
			w := newWatched(t)
			calls := []struct {
				what, command string
				call          func(ctx context.Context) error
			}{
				{"join", "insert", func(ctx context.Context) error { return w.through.Join(ctx, member, leaseTTL) }},
				{"renew", modify, func(ctx context.Context) error { return w.through.Renew(ctx, member.Member, leaseTTL) }},
				{"retreat", modify, func(ctx context.Context) error { return w.through.Retreat(ctx, member.Member) }},
			}
			for _, c := range calls {
				w.obey(always(c.command, v))
				wantUnknown(t, c.what, c.call(soon(t)))
				w.obey(nil)
				again(t, c.what, func() error { return c.call(t.Context()) })
			}
			seen := mustSee(t, w.directly)
			if !seen.Leaving {
				t.Errorf("the lease is %+v, want it leaving", seen)
			}
			w.obey(always(modify, v))
			if evicted, err := w.through.Evict(soon(t), seen); evicted || err == nil {
				t.Fatalf("evict: got %v, %v, want an error", evicted, err)
			}
			w.obey(nil)
			eventually(t, "an eviction that somebody did", func() (bool, string) {
				_, err := w.through.Evict(t.Context(), seen)
				_, there := leaseSeen(t, w.directly)
				return err == nil && !there, fmt.Sprint(err, there)
			})
			if err := w.through.Renew(t.Context(), member.Member, leaseTTL); !errors.Is(err, storage.ErrEvicted) {
				t.Errorf("renew after the eviction: got %v, want ErrEvicted", err)
			}
		})
	}
}

func TestOnlyAMajorityEvicts(t *testing.T) {
	w := newWatched(t)
	mustJoin(t, w.through)
	nothingFound := verdict{answer: bson.D{{Key: "ok", Value: 1.0}, {Key: "value", Value: nil}}}
	w.obey(always(modify, nothingFound)) // as from a primary that nobody follows any more
	wantUnknown(t, "renew", w.through.Renew(t.Context(), member.Member, leaseTTL))
	wantUnknown(t, "retreat", w.through.Retreat(t.Context(), member.Member))
	wantUnknown(t, "join", w.through.Join(t.Context(), member, leaseTTL))
	w.obey(nil)
	if evicted, err := w.directly.Evict(t.Context(), mustSee(t, w.directly)); err != nil || !evicted {
		t.Fatalf("evict: got %v, %v", evicted, err)
	}
	w.obey(always("find", verdict{hangUp: true}))
	wantUnknown(t, "renew, when the proof is lost", w.through.Renew(soon(t), member.Member, leaseTTL))
	w.obey(nil)
	eventually(t, "the proof", func() (bool, string) {
		err := w.through.Renew(t.Context(), member.Member, leaseTTL)
		return errors.Is(err, storage.ErrEvicted), fmt.Sprint(err)
	})
}

func TestLeaseCallsEndAtTheirDeadline(t *testing.T) {
	w := newWatched(t)
	mustJoin(t, w.through)
	seen := mustSee(t, w.through)
	proceed := make(chan struct{})
	defer close(proceed)
	w.obey(func(string) verdict { <-proceed; return verdict{} }) // the server says nothing as long as the calls last
	_, _, listed := w.through.Leases(soon(t))
	_, evicted := w.through.Evict(soon(t), seen)
	for what, err := range map[string]error{
		"join":    w.through.Join(soon(t), storage.Lease{Member: "b"}, leaseTTL),
		"renew":   w.through.Renew(soon(t), member.Member, leaseTTL),
		"retreat": w.through.Retreat(soon(t), member.Member),
		"leases":  listed,
		"evict":   evicted,
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want context.DeadlineExceeded", what, err)
		}
	}
}

func TestABusyStoreDoesNotStarveTheRenewal(t *testing.T) {
	w := newWire(t)
	s, err := Open(t.Context(), Config{URI: w.uri(), Prefix: server.Prefix(t), Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l := leasesOf(t, s)
	mustJoin(t, l)
	proceed := make(chan struct{})
	var stuck sync.WaitGroup
	stuck.Add(2)
	w.obey(func(command string) verdict {
		if command == "insert" {
			stuck.Done()
			<-proceed
		}
		return verdict{}
	})
	var appends sync.WaitGroup
	for i := range 2 { // as many as there are connections
		appends.Go(func() {
			e := entryAt(storage.StreamOf("order", fmt.Sprint(i)), 1, 1, "m1", uint64(i+1))
			if err := s.Append(t.Context(), []storage.Entry{e})[0]; err != nil {
				t.Errorf("append: %v", err)
			}
		})
	}
	stuck.Wait()
	if _, err := s.Snapshot(soon(t), "order/x"); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the store still has a connection to spare: %v", err)
	}
	for range 5 {
		if err := l.Renew(t.Context(), member.Member, leaseTTL); err != nil {
			t.Errorf("renew: %v", err)
		}
	}
	close(proceed)
	appends.Wait()
}

func TestConnectionsCutWhileRenewing(t *testing.T) {
	const cuts, between = 4, 5
	line := newFaultyLine(t)
	through, directly := leasesOf(t, line.through), leasesOf(t, line.directly)
	mustJoin(t, through)
	breakNow := make(chan struct{})
	var breaking sync.WaitGroup
	breaking.Go(func() {
		for range breakNow {
			line.proxy.Stop()
			if err := line.proxy.Start(); err != nil {
				t.Errorf("start the proxy again: %v", err)
			}
		}
	})
	failed := 0
	for cut := range cuts {
		breakNow <- struct{}{}
		for renewed := 0; renewed < between; {
			_, before, err := directly.Leases(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			switch err := through.Renew(t.Context(), member.Member, leaseTTL); {
			case err == nil:
				renewed++
				if got := mustSee(t, directly); got.Expires.Before(before.Add(leaseTTL)) {
					t.Fatalf("cut %d: renewed after %v, but it expires at %v", cut, before, got.Expires)
				}
			case errors.Is(err, storage.ErrEvicted):
				t.Fatalf("cut %d: nobody evicted it: %v", cut, err)
			default:
				failed++
			}
		}
	}
	close(breakNow)
	breaking.Wait()
	if failed == 0 {
		t.Error("no renewal met a cut: the test proves nothing")
	}
}
