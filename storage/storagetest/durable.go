package storagetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var durableRules = []struct {
	name  string
	prove func(t *testing.T, open func() storage.Store)
}{
	{"entries, fences and numbers are there again", proveDurableJournal},
	{"marks, secrets and retirements are there again", proveDurableMarks},
	{"projections, counts and the search index are there again", proveDurableProjections},
	{"many openings, a little each time", proveManyOpenings},
}

// RunDurable proves what a store promises across Close and the next opening.
func RunDurable(t *testing.T, reopen Reopen) {
	for _, r := range durableRules {
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			var current storage.Store
			closeCurrent := func() {
				if current == nil {
					return
				}
				if err := current.Close(); err != nil {
					t.Fatalf("close: %v", err)
				}
				current = nil
			}
			t.Cleanup(closeCurrent)
			r.prove(t, func() storage.Store {
				closeCurrent()
				current = reopen(t, dir)
				return current
			})
		})
	}
}

func proveDurableJournal(t *testing.T, open func() storage.Store) {
	s := open()
	entries := interleaved(t, s, 150)
	s = open()
	wantStream(t, s, stream, entries...)
	put(t, s, entries[0], entryOf("order/7", 1, 1, "member-2", 8))
	wantConflict(t, s, entryOf(stream, entries[149].First, 1, "member-2", 9))
	wantConflict(t, s, entryOf(stream, entries[149].Last()+2, 1, writer, 200))
	wantConflict(t, s, entryOf("order/7", 1, 1, writer, 200))
	next := entryOf(stream, entries[149].Last()+1, 2, writer, 151)
	put(t, s, next)
	s = open()
	wantStream(t, s, stream, append(entries, next)...)
	for name, want := range map[string]uint64{writer: 151, "member-2": 150, "member-3": 0} {
		if last, err := s.Enlist(ctx(t), name); err != nil || last != want {
			t.Errorf("enlist %s: got %d, %v, want %d", name, last, err, want)
		}
	}
	got, err := s.Committed(ctx(t), writer, 149, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries(t, got, entries[149], next)
}

func proveDurableMarks(t *testing.T, open func() storage.Store) {
	s := open()
	enlist(t, s, writer, "member-2", "member-3")
	put(t, s, entryOf(stream, 1, 1, writer, 5))
	advance(t, s, writer, storage.MarkRelayed, 4)
	advance(t, s, "member-2", storage.MarkProjected, 2)
	if err := s.Save(ctx(t), []storage.Projection{{Stream: stream, Version: 1}}, writer, 5); err != nil {
		t.Fatal(err)
	}
	if err := s.Retire(ctx(t), "member-3"); err != nil {
		t.Fatal(err)
	}
	secret := secretOf(t, s, "cursor")
	want := []storage.Marks{{Writer: writer, Relayed: 4, Projected: 5}, {Writer: "member-2", Projected: 2}}
	s = open()
	wantMarks(t, s, want...)
	advance(t, s, writer, storage.MarkRelayed, 3)
	advance(t, s, writer, storage.MarkProjected, 3)
	if err := s.Save(ctx(t), nil, "member-2", 1); err != nil {
		t.Fatal(err)
	}
	if secretOf(t, s, "cursor") != secret {
		t.Error("the secret changed")
	}
	s = open()
	wantMarks(t, s, want...)
	if err := s.Reset(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s = open()
	wantMarks(t, s, storage.Marks{Writer: writer, Relayed: 4}, storage.Marks{Writer: "member-2"})
}

func proveDurableProjections(t *testing.T, open func() storage.Store) {
	s := open()
	documents := sample(storage.Products, 60)
	saveDocuments(t, s, 3, documents...)
	p := storage.Projection{Stream: stream, Version: 4, Snapshot: []byte(`{"a":1}`), Due: t0}
	save(t, s, p)
	s = open()
	wantSnapshot(t, s, p)
	wantDue(t, due(t, s, t0, 10), stream)
	wantCounts(t, s, documents, "Audio", "audio")
	f := storage.Filter{Collection: storage.Products}
	wantIDs(t, "list", list(t, s, f, storage.Position{}, 0, 100), selected(documents, f)...)
	wantIDs(t, "search", found(t, s, "product 7"), idOf(7*7919%60))
	stale := documents[0]
	stale.Category = "stale"
	saveDocuments(t, s, 3, stale)
	wantCounts(t, s, documents, "Audio", "stale")
	for i := range documents {
		documents[i].Hidden = true
	}
	saveDocuments(t, s, 4, documents...)
	s = open()
	wantCounts(t, s, documents, "Audio")
	wantNotFound(t, s, storage.Products, idOf(1))
}

func proveManyOpenings(t *testing.T, open func() storage.Store) {
	var want []storage.Entry
	for round := range 8 {
		s := open()
		last, err := s.Enlist(ctx(t), writer)
		if err != nil || last != uint64(2*round) {
			t.Fatalf("round %d: enlist: got %d, %v, want %d", round, last, err, 2*round)
		}
		e := entryOf(stream, uint64(2*round+1), 2, writer, last+1)
		other := entryOf(storage.StreamOf("order", fmt.Sprint(round)), 1, 1, writer, last+2)
		put(t, s, e, other)
		want = append(want, e)
		wantStream(t, s, stream, want...)
		if err := s.Append(ctx(t), []storage.Entry{entryOf(stream, e.First, 1, "member-2", 1)})[0]; !errors.Is(err, storage.ErrConflict) {
			t.Fatalf("round %d: got %v, want ErrConflict", round, err)
		}
	}
}
