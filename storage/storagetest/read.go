package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var readRules = []rule{
	{"read returns what lies above a sequence, ascending", proveRead},
	{"read back returns what lies below a sequence, newest first", proveReadBack},
	{"a reader meanwhile sees a prefix of the stream", proveReadWhileWriting},
}

func proveRead(t *testing.T, s storage.Store) {
	entries := interleaved(t, s, 150)
	last := entries[len(entries)-1].Last()
	for _, after := range []uint64{0, 1, 2, 3, 4, 5, 6, 125, 126, 127, 128, 129, 256, last - 2, last - 1, last, last + 1, last + 100} {
		for _, limit := range []int{0, 1, 2, 64, 1000} {
			want := slices.DeleteFunc(slices.Clone(entries), func(e storage.Entry) bool { return e.Last() <= after })
			if limit > 0 && len(want) > limit {
				want = want[:limit]
			}
			got, err := s.Read(ctx(t), stream, after, limit)
			if err != nil {
				t.Fatalf("read after %d: %v", after, err)
			}
			wantEntries(t, got, want...)
		}
	}
	if got, err := s.Read(ctx(t), "order/unknown", 0, 0); err != nil || len(got) != 0 {
		t.Errorf("unknown stream: got %v, %v, want nothing", places(got), err)
	}
}

func proveReadBack(t *testing.T, s storage.Store) {
	entries := interleaved(t, s, 150)
	last := entries[len(entries)-1].Last()
	for _, before := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 128, 129, 130, 256, last - 1, last, last + 1, last + 100} {
		for _, limit := range []int{0, 1, 2, 64, 1000} {
			want := slices.DeleteFunc(slices.Clone(entries), func(e storage.Entry) bool {
				return before > 0 && e.First >= before
			})
			slices.Reverse(want)
			if limit > 0 && len(want) > limit {
				want = want[:limit]
			}
			got, err := s.ReadBack(ctx(t), stream, before, limit)
			if err != nil {
				t.Fatalf("read back before %d: %v", before, err)
			}
			wantEntries(t, got, want...)
		}
	}
	if got, err := s.ReadBack(ctx(t), "order/unknown", 0, 0); err != nil || len(got) != 0 {
		t.Errorf("unknown stream: got %v, %v, want nothing", places(got), err)
	}
}

// interleaved stores a chain with entries of other streams in between and returns the chain.
func interleaved(t *testing.T, s storage.Store, count int) []storage.Entry {
	t.Helper()
	entries := chain(stream, count)
	for i, e := range entries {
		put(t, s, e, entryOf(storage.StreamOf("order", fmt.Sprint(i)), 1, 1, "member-2", uint64(i+1)))
	}
	return entries
}

func proveReadWhileWriting(t *testing.T, s storage.Store) {
	entries := chain(stream, 120)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for _, e := range entries {
			if err := s.Append(ctx(t), []storage.Entry{e})[0]; err != nil {
				t.Errorf("append at %d: %v", e.First, err)
				return
			}
		}
	}()
	defer func() { <-written }()
	seen := 0
	for done := false; !done; {
		select {
		case <-written:
			done = true
		default:
		}
		got, err := s.Read(ctx(t), stream, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < seen {
			t.Fatalf("saw %d entries after %d", len(got), seen)
		}
		seen = len(got)
		wantEntries(t, got, entries[:seen]...)
	}
	if seen != len(entries) {
		t.Fatalf("saw %d of %d entries in the end", seen, len(entries))
	}
}

var committedRules = []rule{
	{"a writer's entries come by number, above one, at most limit, gaps and all", proveCommitted},
	{"numbers that were stored late come in their place", proveLateNumbers},
	{"a refused entry is not committed", proveRefusedIsNotCommitted},
}

func proveCommitted(t *testing.T, s storage.Store) {
	var mine []storage.Entry
	number := uint64(0)
	for i := range 120 {
		number += 1 + uint64(i%4)*uint64(i%3)
		e := entryOf(storage.StreamOf("order", fmt.Sprint(i%40)), uint64(i/40+1), 1, writer, number)
		mine = append(mine, e)
		put(t, s, e, entryOf(storage.StreamOf("payment", fmt.Sprint(i)), 1, 1, "member-2", number))
	}
	for _, after := range []uint64{0, 1, 2, 3, number / 3, number / 2, number - 2, number - 1, number, number + 5} {
		for _, limit := range []int{1, 7, 1000} {
			want := slices.DeleteFunc(slices.Clone(mine), func(e storage.Entry) bool { return e.Number <= after })
			want = want[:min(limit, len(want))]
			got, err := s.Committed(ctx(t), writer, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			wantEntries(t, got, want...)
		}
	}
	if got, err := s.Committed(ctx(t), "member-9", 0, 10); err != nil || len(got) != 0 {
		t.Errorf("unknown writer: got %v, %v, want nothing", places(got), err)
	}
}

func proveLateNumbers(t *testing.T, s storage.Store) {
	order := []uint64{3, 1, 2, 9, 6, 12, 7, 8, 20, 15, 16, 10}
	var entries []storage.Entry
	for i, n := range order {
		e := entryOf(storage.StreamOf("order", fmt.Sprint(n)), 1, 1, writer, n)
		entries = append(entries, e)
		put(t, s, e, entryOf(storage.StreamOf("payment", fmt.Sprint(i)), 1, 1, "member-2", uint64(i+1)))
	}
	slices.SortFunc(entries, func(a, b storage.Entry) int { return int(a.Number) - int(b.Number) })
	for after := range uint64(22) {
		for _, limit := range []int{1, 3, 100} {
			want := slices.DeleteFunc(slices.Clone(entries), func(e storage.Entry) bool { return e.Number <= after })
			want = want[:min(limit, len(want))]
			got, err := s.Committed(ctx(t), writer, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			wantEntries(t, got, want...)
		}
	}
	if last, err := s.Enlist(ctx(t), writer); err != nil || last != 20 {
		t.Errorf("enlist: got %d, %v, want 20", last, err)
	}
}

func proveRefusedIsNotCommitted(t *testing.T, s storage.Store) {
	put(t, s, entryOf(stream, 1, 1, writer, 1))
	wantConflict(t, s, entryOf(stream, 1, 1, "member-2", 1))
	if got, err := s.Committed(ctx(t), "member-2", 0, 10); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v, want nothing", places(got), err)
	}
}

var scanRules = []rule{
	{"every entry is visited, each stream in sequence", proveScan},
	{"the visitor's first error ends it and is returned", proveScanStops},
	{"the visitor may use the store", proveScanVisitorWrites},
}

func proveScan(t *testing.T, s storage.Store) {
	want := map[storage.Stream][]storage.Entry{}
	count := 0
	for i := range 700 {
		name := storage.StreamOf("order", fmt.Sprint(i%23))
		first := uint64(1)
		if n := len(want[name]); n > 0 {
			first = want[name][n-1].Last() + 1
		}
		e := entryOf(name, first, 1+i%2, fmt.Sprintf("member-%d", i%3), uint64(i+1))
		want[name] = append(want[name], e)
		count++
		put(t, s, e)
	}
	got := map[storage.Stream][]storage.Entry{}
	err := s.Scan(ctx(t), func(e storage.Entry) error {
		got[e.Stream] = append(got[e.Stream], e)
		count--
		return nil
	})
	if err != nil || count != 0 {
		t.Fatalf("scan: %v, %d entries are missing", err, count)
	}
	for name, entries := range want {
		wantEntries(t, got[name], entries...)
	}
}

func proveScanStops(t *testing.T, s storage.Store) {
	for i := range 10 {
		put(t, s, entryOf(storage.StreamOf("order", fmt.Sprint(i)), 1, 1, writer, uint64(i+1)))
	}
	stop := errors.New("enough")
	visits := 0
	err := s.Scan(ctx(t), func(storage.Entry) error {
		visits++
		if visits == 3 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || visits != 3 {
		t.Fatalf("got %v after %d visits, want %v after 3", err, visits, stop)
	}
}

func proveScanVisitorWrites(t *testing.T, s storage.Store) {
	for i := range 10 {
		put(t, s, entryOf(storage.StreamOf("order", fmt.Sprint(i)), 1, 1, writer, uint64(i+1)))
	}
	visits := 0
	err := s.Scan(ctx(t), func(e storage.Entry) error {
		visits++
		if e.First > 1 {
			return nil
		}
		if err := s.Append(ctx(t), []storage.Entry{entryOf(e.Stream, 2, 1, "member-2", uint64(visits))})[0]; err != nil {
			return err
		}
		return s.Save(ctx(t), []storage.Projection{{Stream: e.Stream, Version: e.Last()}}, "", 0)
	})
	if err != nil || visits < 10 || visits > 20 {
		t.Fatalf("got %v after %d visits", err, visits)
	}
}
