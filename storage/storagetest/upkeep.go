package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var resetRules = []rule{
	{"projections and projected marks go; journal, relayed marks and secrets stay", proveReset},
	{"projections can be made again, at any version", proveResetThenSave},
}

func proveReset(t *testing.T, s storage.Store) {
	enlist(t, s, writer, "member-2")
	e := entryOf(stream, 1, 2, writer, 3)
	put(t, s, e)
	secret := secretOf(t, s, "cursor")
	advance(t, s, writer, storage.MarkRelayed, 3)
	advance(t, s, "member-2", storage.MarkProjected, 9)
	p := storage.Projection{
		Stream: stream, Version: 2, Snapshot: []byte(`{}`), Due: t0,
		Documents: append(sample(storage.Orders, 5), append(sample(storage.Payments, 5), sample(storage.Reservations, 5)...)...),
	}
	if err := s.Save(ctx(t), []storage.Projection{p}, writer, 3); err != nil {
		t.Fatalf("save: %v", err)
	}
	saveDocuments(t, s, 1, sample(storage.Products, 30)...)
	if err := s.Reset(ctx(t)); err != nil {
		t.Fatalf("reset: %v", err)
	}
	for _, c := range []storage.Collection{storage.Orders, storage.Products, storage.Reservations, storage.Payments} {
		wantIDs(t, string(c), list(t, s, storage.Filter{Collection: c}, storage.Position{}, 0, 100))
	}
	wantNotFound(t, s, storage.Orders, idOf(0))
	wantCounts(t, s, nil, "Audio", "audio")
	wantIDs(t, "search", search(t, s, "product", 10))
	wantDue(t, due(t, s, after0(1000), 10))
	if _, err := s.Snapshot(ctx(t), stream); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("snapshot: got %v, want ErrNotFound", err)
	}
	wantMarks(t, s, storage.Marks{Writer: writer, Relayed: 3}, storage.Marks{Writer: "member-2"})
	wantStream(t, s, stream, e)
	wantConflict(t, s, entryOf(stream, 1, 1, "member-2", 1))
	if secretOf(t, s, "cursor") != secret {
		t.Error("the secret changed")
	}
}

func proveResetThenSave(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	documents := sample(storage.Products, 40)
	saveDocuments(t, s, 9, documents...)
	if err := s.Reset(ctx(t)); err != nil {
		t.Fatalf("reset: %v", err)
	}
	saveDocuments(t, s, 1, documents[:20]...)
	if err := s.Save(ctx(t), nil, writer, 2); err != nil {
		t.Fatalf("save: %v", err)
	}
	f := storage.Filter{Collection: storage.Products}
	wantIDs(t, "list", list(t, s, f, storage.Position{}, 0, 100), selected(documents[:20], f)...)
	wantCounts(t, s, documents[:20], "Audio", "audio")
	wantMarks(t, s, storage.Marks{Writer: writer, Projected: 2})
	active := true
	f.Active = &active
	if got, want := len(search(t, s, "product", 100)), len(selected(documents[:20], f)); got != want {
		t.Errorf("search: got %d products, want %d", got, want)
	}
}

var contextRules = []rule{
	{"a call with a cancelled context fails and the store goes on", proveCancelled},
	{"a context that is cancelled meanwhile harms nobody else", proveCancelMeanwhile},
}

func proveCancelled(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	e := entryOf(stream, 1, 1, writer, 1)
	put(t, s, e)
	saveDocuments(t, s, 1, orderDocument(1, "pending"))
	gone, cancel := context.WithCancel(ctx(t))
	cancel()
	f := storage.Filter{Collection: storage.Orders}
	calls := map[string]func() error{
		"append":    func() error { return s.Append(gone, []storage.Entry{entryOf(stream, 2, 1, writer, 2)})[0] },
		"read":      func() error { _, err := s.Read(gone, stream, 0, 0); return err },
		"read back": func() error { _, err := s.ReadBack(gone, stream, 0, 0); return err },
		"committed": func() error { _, err := s.Committed(gone, writer, 0, 10); return err },
		"scan":      func() error { return s.Scan(gone, func(storage.Entry) error { return nil }) },
		"enlist":    func() error { _, err := s.Enlist(gone, "member-2"); return err },
		"advance":   func() error { return s.Advance(gone, writer, storage.MarkRelayed, 1) },
		"save":      func() error { return s.Save(gone, []storage.Projection{{Stream: stream, Version: 1}}, "", 0) },
		"snapshot":  func() error { _, err := s.Snapshot(gone, stream); return err },
		"due":       func() error { _, err := s.Due(gone, t0, 1); return err },
		"get":       func() error { _, err := s.Get(gone, storage.Orders, idOf(1)); return err },
		"list":      func() error { _, err := s.List(gone, f, storage.Position{}, 0, 1); return err },
		"count":     func() error { _, err := s.Count(gone, storage.Filter{Collection: storage.Products}); return err },
		"search":    func() error { _, err := s.Search(gone, "x", 1); return err },
		"reset":     func() error { return s.Reset(gone) },
		"secret":    func() error { _, err := s.Secret(gone, "new"); return err },
		"ping":      func() error { return s.Ping(gone) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
	wantStream(t, s, stream, e)
	wantMarks(t, s, storage.Marks{Writer: writer})
	wantIDs(t, "list", list(t, s, f, storage.Position{}, 0, 10), idOf(1))
	put(t, s, entryOf(stream, 2, 1, writer, 2))
}

func proveCancelMeanwhile(t *testing.T, s storage.Store) {
	var unknown [racers]bool
	together(func(racer int) {
		name := storage.StreamOf("order", fmt.Sprint(racer))
		call, cancel := context.WithCancel(ctx(t))
		go cancel()
		e := entryOf(name, 1, 1, fmt.Sprint("member-", racer), 1)
		err := s.Append(call, []storage.Entry{e})[0]
		cancel()
		if errors.Is(err, storage.ErrConflict) {
			t.Errorf("%s: got a conflict", name)
		}
		unknown[racer] = err != nil
	})
	for racer := range unknown {
		e := entryOf(storage.StreamOf("order", fmt.Sprint(racer)), 1, 1, fmt.Sprint("member-", racer), 1)
		put(t, s, e)
		wantStream(t, s, e.Stream, e)
	}
}
