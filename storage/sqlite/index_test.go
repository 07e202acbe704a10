package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// Heads are in four places by turns: fresh, moving, cached, in read.db. With moves all the time and a cache that holds
// almost nothing, every append must still find the true one.
func TestFenceHoldsWhileHeadsMove(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), dir, sqlite.WithCache(3))
	if err != nil {
		t.Fatal(err)
	}
	const workers, streams, steps = 4, 40, 150
	name := func(worker, n int) storage.Stream { return storage.StreamOf("order", fmt.Sprint(worker, "-", n)) }
	var working, moving sync.WaitGroup
	stop := make(chan struct{})
	moving.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Flush(t.Context()); err != nil {
				t.Errorf("flush: %v", err)
			}
		}
	})
	ends := make([][streams]uint64, workers)
	for worker := range workers {
		working.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 1))
			number := uint64(0)
			for range steps {
				n, other := random.IntN(streams), random.IntN(streams)
				last := &ends[worker][n]
				number++
				err := s.Append(t.Context(), []storage.Entry{entry(name(worker, n), *last+1, fmt.Sprint("member-", worker), number)})[0]
				if err != nil {
					t.Errorf("%s at %d: %v", name(worker, n), *last+1, err)
					return
				}
				*last++
				stale := entry(name(worker, other), max(ends[worker][other], 1), "intruder", number)
				if err := s.Append(t.Context(), []storage.Entry{stale})[0]; ends[worker][other] > 0 && !errors.Is(err, storage.ErrConflict) {
					t.Errorf("%s at %d by an intruder: got %v", stale.Stream, stale.First, err)
					return
				} else if err == nil {
					ends[worker][other] = 1
				}
				if got, err := s.ReadBack(t.Context(), name(worker, n), 0, 1); err != nil || len(got) != 1 || got[0].Last() != *last {
					t.Errorf("%s: got %v, %v, want an end at %d", name(worker, n), got, err, *last)
					return
				}
			}
		})
	}
	working.Wait()
	close(stop)
	moving.Wait()
	wantEnds := func() {
		for worker := range workers {
			for n, last := range ends[worker] {
				entries, err := s.Read(t.Context(), name(worker, n), 0, 0)
				if err != nil || len(entries) != int(last) {
					t.Fatalf("%s: got %d entries, %v, want %d", name(worker, n), len(entries), err, last)
				}
			}
		}
	}
	wantEnds()
	closeStore(t, s)
	s = open(t, dir)
	defer closeStore(t, s)
	wantEnds()
}

func TestManyStreamsMoveByThemselves(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const streams = 20_000
	fill(t, s, streams)
	if s.Backlog() > 3*streams-16_384 {
		t.Errorf("backlog is %d of %d entries: nothing was moved", s.Backlog(), 3*streams)
	}
	crashed := open(t, copyOf(t, dir))
	defer closeStore(t, crashed)
	for n := 0; n < streams; n += 97 {
		wantEnd(t, crashed, filled(n), 3)
	}
	closeStore(t, s)
}

// A long stream is read from milestones, wherever those are: in memory, in read.db, or partly.
func TestMilestones(t *testing.T) {
	s := open(t, t.TempDir())
	defer closeStore(t, s)
	long := storage.Stream("product/long")
	for n := range uint64(1000) {
		put(t, s, entry(long, n+1, "member-1", n+1))
		if n == 500 || n == 640 {
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for after := uint64(0); after < 1000; after += 7 {
		got, err := s.Read(t.Context(), long, after, 5)
		if err != nil || len(got) != int(min(5, 1000-after)) || got[0].First != after+1 {
			t.Fatalf("read after %d: got %d entries, %v", after, len(got), err)
		}
		got, err = s.ReadBack(t.Context(), long, after+2, 5)
		if err != nil || len(got) != int(min(5, after+1)) || got[0].First != after+1 {
			t.Fatalf("read back before %d: got %d entries, %v", after+2, len(got), err)
		}
	}
	wantEnd(t, s, long, 1000)
}
