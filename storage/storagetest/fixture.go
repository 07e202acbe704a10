package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// t0 has milliseconds, so that a store which cuts them is caught.
var t0 = time.Date(2025, time.March, 14, 9, 26, 53, 589_000_000, time.UTC)

// after0 is the instant that many milliseconds after t0.
func after0(milliseconds int) time.Time {
	return t0.Add(time.Duration(milliseconds) * time.Millisecond)
}

const (
	stream = storage.Stream("order/4b1c9d2e8f3a5b6c")
	writer = "member-1"
)

// entryOf makes an entry of count events whose every field differs from every other entry's.
func entryOf(stream storage.Stream, first uint64, count int, writer string, number uint64) storage.Entry {
	e := storage.Entry{
		Stream: stream, First: first, Writer: writer, Number: number,
		Trace: fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01", number),
	}
	for i := range count {
		sequence := first + uint64(i)
		e.Events = append(e.Events, storage.Event{
			Type:    fmt.Sprintf("order.step%d", sequence),
			Schema:  1 + i%3,
			At:      after0(int(sequence)),
			Command: fmt.Sprintf("command-%s-%d-%d", writer, number, i),
			Cause:   "POST /orders",
			Data:    fmt.Appendf(nil, `{"sequence":%d,"writer":%q,"text":"größe \"x\""}`, sequence, writer),
		})
	}
	return e
}

// put appends entries that must all be stored.
func put(t *testing.T, s storage.Journal, entries ...storage.Entry) {
	t.Helper()
	for i, err := range appendAll(t, s, entries...) {
		if err != nil {
			t.Fatalf("append %s at %d: %v", entries[i].Stream, entries[i].First, err)
		}
	}
}

func appendAll(t *testing.T, s storage.Journal, entries ...storage.Entry) []error {
	t.Helper()
	results := s.Append(ctx(t), entries)
	if len(results) != len(entries) {
		t.Fatalf("append of %d entries gave %d results", len(entries), len(results))
	}
	return results
}

func wantConflict(t *testing.T, s storage.Journal, e storage.Entry) {
	t.Helper()
	if err := appendAll(t, s, e)[0]; !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("append %s at %d by %s number %d: got %v, want ErrConflict", e.Stream, e.First, e.Writer, e.Number, err)
	}
}

func wantStream(t *testing.T, s storage.Journal, stream storage.Stream, want ...storage.Entry) {
	t.Helper()
	got, err := s.Read(ctx(t), stream, 0, 0)
	if err != nil {
		t.Fatalf("read %s: %v", stream, err)
	}
	wantEntries(t, got, want...)
}

func wantEntries(t *testing.T, got []storage.Entry, want ...storage.Entry) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d entries %s, want %d %s", len(got), places(got), len(want), places(want))
	}
	for i := range want {
		if problem := difference(got[i], want[i]); problem != "" {
			t.Fatalf("entry %d (%s at %d): %s", i, want[i].Stream, want[i].First, problem)
		}
	}
}

func places(entries []storage.Entry) []string {
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = fmt.Sprintf("%s@%d+%d by %s#%d", e.Stream, e.First, len(e.Events), e.Writer, e.Number)
	}
	return out
}

func difference(got, want storage.Entry) string {
	if got.Stream != want.Stream || got.First != want.First || got.Writer != want.Writer || got.Number != want.Number ||
		got.Trace != want.Trace {
		return fmt.Sprintf("got %v trace %q, want %v trace %q",
			places([]storage.Entry{got}), got.Trace, places([]storage.Entry{want}), want.Trace)
	}
	if len(got.Events) != len(want.Events) {
		return fmt.Sprintf("got %d events, want %d", len(got.Events), len(want.Events))
	}
	for i, w := range want.Events {
		g := got.Events[i]
		if g.Type != w.Type || g.Schema != w.Schema || g.Command != w.Command || g.Cause != w.Cause ||
			!bytes.Equal(g.Data, w.Data) {
			return fmt.Sprintf("event %d: got %+v, want %+v", i, g, w)
		}
		if !g.At.Equal(w.At) || g.At.Location() != time.UTC {
			return fmt.Sprintf("event %d: got instant %v, want %v in UTC", i, g.At, w.At)
		}
	}
	return ""
}

// idOf makes the id of the nth document; ids rise with n.
func idOf(n int) string { return fmt.Sprintf("%024x", 0x65f2c0de0000+n) }

func save(t *testing.T, s storage.Projections, projections ...storage.Projection) {
	t.Helper()
	if err := s.Save(ctx(t), projections, "", 0); err != nil {
		t.Fatalf("save: %v", err)
	}
}

// saveDocuments stores each document as its own stream at the given version.
func saveDocuments(t *testing.T, s storage.Projections, version uint64, documents ...storage.Document) {
	t.Helper()
	projections := make([]storage.Projection, len(documents))
	for i, d := range documents {
		projections[i] = storage.Projection{
			Stream:    storage.StreamOf(string(d.Collection), d.ID),
			Version:   version,
			Documents: []storage.Document{d},
		}
	}
	save(t, s, projections...)
}

func list(t *testing.T, s storage.Projections, f storage.Filter, after storage.Position, skip, limit int) []string {
	t.Helper()
	documents, err := s.List(ctx(t), f, after, skip, limit)
	if err != nil {
		t.Fatalf("list %+v: %v", f, err)
	}
	return idsOf(documents)
}

func idsOf(documents []storage.Document) []string {
	ids := make([]string, len(documents))
	for i, d := range documents {
		ids[i] = d.ID
	}
	return ids
}

func wantIDs(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func wantDocument(t *testing.T, got, want storage.Document) {
	t.Helper()
	if got.ID != want.ID || got.Status != want.Status || !got.Created.Equal(want.Created) ||
		!bytes.Equal(got.Body, want.Body) {
		t.Fatalf("got document %s %s %v %s, want %s %s %v %s",
			got.ID, got.Status, got.Created, got.Body, want.ID, want.Status, want.Created, want.Body)
	}
}
