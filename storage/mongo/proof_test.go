package mongo

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

var t0 = time.Date(2025, time.March, 14, 9, 26, 53, 589_000_000, time.UTC)

func entryAt(stream storage.Stream, first uint64, count int, writer string, number uint64) storage.Entry {
	e := storage.Entry{Stream: stream, First: first, Writer: writer, Number: number}
	for i := range count {
		e.Events = append(e.Events, storage.Event{
			Type: "order.step", Schema: 1, At: t0, Data: fmt.Appendf(nil, `{"by":%q,"number":%d,"i":%d}`, writer, number, i),
		})
	}
	return e
}

func mustAppend(t *testing.T, s *Store, entries ...storage.Entry) {
	t.Helper()
	for i, err := range s.Append(t.Context(), entries) {
		if err != nil {
			t.Fatalf("append %s at %d: %v", entries[i].Stream, entries[i].First, err)
		}
	}
}

func mustConflict(t *testing.T, s *Store, e storage.Entry) {
	t.Helper()
	if err := s.Append(t.Context(), []storage.Entry{e})[0]; !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("append %s at %d by %s: got %v, want ErrConflict", e.Stream, e.First, e.Writer, err)
	}
}

// insist repeats an append until its outcome is known, as the port asks callers to.
func insist(ctx context.Context, s *Store, e storage.Entry, patience time.Duration) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, patience)
		err := s.Append(attempt, []storage.Entry{e})[0]
		cancel()
		if err == nil || errors.Is(err, storage.ErrConflict) || ctx.Err() != nil {
			return err
		}
	}
}

// prove checks what must hold whatever happened: the acknowledged entries are there exactly once and as they were
// written, nothing is there that nobody wrote, and no stream has a gap or an overlap.
func prove(t *testing.T, s *Store, acknowledged, attempted []storage.Entry) {
	t.Helper()
	type key struct {
		writer string
		number uint64
	}
	known, found, ends := map[key]storage.Entry{}, map[key]storage.Entry{}, map[storage.Stream]uint64{}
	for _, e := range attempted {
		known[key{e.Writer, e.Number}] = e
	}
	err := s.Scan(t.Context(), func(e storage.Entry) error {
		k := key{e.Writer, e.Number}
		if twin, there := found[k]; there {
			t.Errorf("%s number %d is stored twice: %s at %d and at %d", e.Writer, e.Number, e.Stream, twin.First, e.First)
		}
		found[k] = e
		if e.First != ends[e.Stream]+1 {
			t.Errorf("%s: an entry begins at %d after %d", e.Stream, e.First, ends[e.Stream])
		}
		ends[e.Stream] = e.Last()
		if problem := differs(e, known[k]); problem != "" {
			t.Errorf("%s number %d: %s", e.Writer, e.Number, problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range acknowledged {
		if _, there := found[key{e.Writer, e.Number}]; !there {
			t.Errorf("%s number %d was acknowledged at %s %d and is gone", e.Writer, e.Number, e.Stream, e.First)
		}
	}
}

func differs(got, want storage.Entry) string {
	if got.Stream != want.Stream || got.First != want.First || len(got.Events) != len(want.Events) {
		return fmt.Sprintf("stored as %s at %d with %d events, written as %s at %d with %d",
			got.Stream, got.First, len(got.Events), want.Stream, want.First, len(want.Events))
	}
	for i := range got.Events {
		if string(got.Events[i].Data) != string(want.Events[i].Data) {
			return fmt.Sprintf("event %d is %s, written as %s", i, got.Events[i].Data, want.Events[i].Data)
		}
	}
	return ""
}

// eventually waits for a condition; state says what there was instead.
func eventually(t *testing.T, what string, condition func() (ok bool, state string)) {
	t.Helper()
	deadline := time.NewTimer(15 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, state := condition()
		if ok {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s did not come about: %s", what, state)
		case <-tick.C:
		}
	}
}
