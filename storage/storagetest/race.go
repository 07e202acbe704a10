package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var raceRules = []rule{
	{"of 16 writers at one version exactly one wins", proveOneWinner},
	{"16 writers that retry build one stream without gaps", proveRetryingWriters},
	{"the same entry repeated in parallel is stored once", proveParallelRepeat},
	{"parallel batches of different streams all succeed", proveParallelBatches},
}

const racers = 16

// together runs f for every racer, all at once, and waits for them.
func together(f func(racer int)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range racers {
		done.Go(func() {
			start.Wait()
			f(i)
		})
	}
	start.Done()
	done.Wait()
}

func proveOneWinner(t *testing.T, s storage.Store) {
	const rounds = 100
	version := uint64(0)
	for round := range rounds {
		results := make([]error, racers)
		together(func(racer int) {
			e := entryOf(stream, version+1, 1+racer%2, fmt.Sprintf("member-%d", racer), uint64(round+1))
			results[racer] = s.Append(ctx(t), []storage.Entry{e})[0]
		})
		winner := -1
		for racer, err := range results {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("round %d: racers %d and %d both won", round, winner, racer)
			case err == nil:
				winner = racer
			case !errors.Is(err, storage.ErrConflict):
				t.Fatalf("round %d: racer %d: %v", round, racer, err)
			}
		}
		if winner < 0 {
			t.Fatalf("round %d: nobody won", round)
		}
		got, err := s.Read(ctx(t), stream, version, 0)
		if err != nil {
			t.Fatal(err)
		}
		won := entryOf(stream, version+1, 1+winner%2, fmt.Sprintf("member-%d", winner), uint64(round+1))
		wantEntries(t, got, won)
		version = won.Last()
	}
}

func proveRetryingWriters(t *testing.T, s storage.Store) {
	const each = 12
	together(func(racer int) {
		name := fmt.Sprintf("member-%d", racer)
		next := uint64(1)
		for n := uint64(1); n <= each; {
			err := s.Append(ctx(t), []storage.Entry{entryOf(stream, next, 1, name, n)})[0]
			switch {
			case err == nil:
				n, next = n+1, next+1
			case errors.Is(err, storage.ErrConflict):
				newest, err := s.ReadBack(ctx(t), stream, 0, 1)
				if err != nil || len(newest) != 1 {
					t.Errorf("read back after a conflict: %v, %v", places(newest), err)
					return
				}
				if newest[0].Last() < next-1 {
					t.Errorf("stream went back from %d to %d", next-1, newest[0].Last())
					return
				}
				next = newest[0].Last() + 1
			default:
				t.Errorf("%s: %v", name, err)
				return
			}
		}
	})
	entries, err := s.Read(ctx(t), stream, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != racers*each {
		t.Fatalf("got %d entries, want %d", len(entries), racers*each)
	}
	numbers := map[string]uint64{}
	for i, e := range entries {
		if e.First != uint64(i+1) {
			t.Fatalf("entry %d begins at %d", i, e.First)
		}
		if e.Number != numbers[e.Writer]+1 {
			t.Fatalf("%s: number %d after %d", e.Writer, e.Number, numbers[e.Writer])
		}
		numbers[e.Writer] = e.Number
	}
}

func proveParallelRepeat(t *testing.T, s storage.Store) {
	for round := range 20 {
		e := entryOf(storage.StreamOf("order", fmt.Sprint(round)), 1, 2, writer, uint64(round+1))
		together(func(int) {
			if err := s.Append(ctx(t), []storage.Entry{e})[0]; err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		})
		wantStream(t, s, e.Stream, e)
	}
}

func proveParallelBatches(t *testing.T, s storage.Store) {
	const rounds, batch = 10, 20
	entry := func(racer, round, i int) storage.Entry {
		name := storage.StreamOf("order", fmt.Sprintf("%d-%d", racer, i))
		return entryOf(name, uint64(round+1), 1, fmt.Sprintf("member-%d", racer), uint64(round*batch+i+1))
	}
	together(func(racer int) {
		for round := range rounds {
			var entries []storage.Entry
			for i := range batch {
				entries = append(entries, entry(racer, round, i))
			}
			for i, err := range s.Append(ctx(t), entries) {
				if err != nil {
					t.Errorf("%s at %d: %v", entries[i].Stream, entries[i].First, err)
				}
			}
		}
	})
	for racer := range racers {
		var want []storage.Entry
		for round := range rounds {
			want = append(want, entry(racer, round, racer))
		}
		wantStream(t, s, want[0].Stream, want...)
		got, err := s.Committed(ctx(t), fmt.Sprintf("member-%d", racer), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != rounds*batch {
			t.Fatalf("member-%d committed %d entries, want %d", racer, len(got), rounds*batch)
		}
		for i, e := range got {
			if e.Number != uint64(i+1) {
				t.Fatalf("member-%d: entry %d has number %d", racer, i, e.Number)
			}
		}
	}
}
