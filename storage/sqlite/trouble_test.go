package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

func openForTrouble(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func troubleEntry(n int, first uint64) storage.Entry {
	return storage.Entry{
		Stream: storage.StreamOf("order", fmt.Sprint(n)), First: first, Writer: "member-1", Number: first*10_000 + uint64(n),
		Events: []storage.Event{{Type: "order.placed", Schema: 1, At: time.UnixMilli(1).UTC(), Data: []byte(`{}`)}},
	}
}

func appendOne(t *testing.T, s *Store, e storage.Entry) {
	t.Helper()
	if err := s.Append(t.Context(), []storage.Entry{e})[0]; err != nil {
		t.Fatalf("append %s at %d: %v", e.Stream, e.First, err)
	}
}

func wantConflict(t *testing.T, s *Store, e storage.Entry) {
	t.Helper()
	if err := s.Append(t.Context(), []storage.Entry{e})[0]; !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("append %s at %d: got %v, want ErrConflict", e.Stream, e.First, err)
	}
}

// A reader asks read.db for a head; before it has told the cache, the stream grows and its head moves to read.db.
func TestLateReaderDoesNotSpoilTheCache(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	e := troubleEntry(1, 1)
	s.index.streams.add(streamHash(e.Stream)) // one of those that the filter takes for known
	_, known, moves := s.index.find(e.Stream)
	if known {
		t.Fatal("head is known before there is a stream")
	}
	appendOne(t, s, e)
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.index.mu.Lock()
	clear(s.index.recent)
	s.index.mu.Unlock()
	s.index.remember(e.Stream, head{}, moves)
	if h, err := s.head(t.Context(), e.Stream); err != nil || h.last != 1 {
		t.Fatalf("got head %+v, %v, want an end at 1", h, err)
	}
	taken := e
	taken.Writer = "member-2"
	wantConflict(t, s, taken)
}

// A commit may be reported as failed and be in the file all the same; or one of its writes may.
func TestFailedCommitThatWasDoneAfterAll(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	appendOne(t, s, troubleEntry(1, 1))
	if err := s.LimitPages(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	e := troubleEntry(2, 1)
	e.Events[0].Data = make([]byte, 100_000)
	if err := s.Append(t.Context(), []storage.Entry{e})[0]; err == nil || errors.Is(err, storage.ErrConflict) {
		t.Fatalf("append to a full journal: got %v", err)
	}
	w, err := s.journal.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = run(w.conn, `PRAGMA max_page_count=1000000`)
	if err == nil {
		err = transact(w.conn, func() error {
			state := s.index.state("member-1")
			w.pending[e.Stream] = head{}
			return w.write(&e, &staged{state, state.ends}, w.next)
		})
	}
	s.journal.put(w)
	if err != nil {
		t.Fatal(err)
	}
	taken := e
	taken.Writer = "member-2"
	wantConflict(t, s, taken)
	appendOne(t, s, e)
	appendOne(t, s, troubleEntry(2, 2))
	if last, err := s.Enlist(t.Context(), "member-1"); err != nil || last != 20_002 {
		t.Errorf("enlist: got %d, %v, want 20002", last, err)
	}
	count := 0
	if err := s.Scan(t.Context(), func(storage.Entry) error { count++; return nil }); err != nil || count != 3 {
		t.Errorf("scan: %d entries, %v, want 3", count, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFailedMoveOfHeadsLosesNone(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	const streams = 2000
	limit := func(pages int64) {
		t.Helper()
		conn, err := s.readWriter.take(t.Context())
		if err == nil {
			err = run(conn, fmt.Sprint(`PRAGMA max_page_count=`, pages))
			s.readWriter.put(conn)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	grow := func(count int, first uint64) {
		t.Helper()
		var batch []storage.Entry
		for n := range count {
			batch = append(batch, troubleEntry(n, first))
		}
		if err := errors.Join(s.Append(t.Context(), batch)...); err != nil {
			t.Fatal(err)
		}
	}
	grow(streams, 1)
	limit(1)
	if err := s.flush(t.Context()); err == nil {
		t.Fatal("heads moved to a full read store")
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("ping is nil though heads can't be moved")
	}
	grow(streams/2, 2)
	wantHeads := func() {
		t.Helper()
		for n := range streams {
			first := uint64(1)
			if n < streams/2 {
				first = 2
			}
			stale := troubleEntry(n, first)
			stale.Writer = "member-2"
			wantConflict(t, s, stale)
		}
	}
	wantHeads()
	limit(1_000_000)
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("ping after heads were moved: %v", err)
	}
	wantHeads()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openForTrouble(t, dir)
	defer s.Close()
	wantHeads()
}

func TestReadsStartNearWhatTheyWant(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	for n := range uint64(500) {
		appendOne(t, s, troubleEntry(1, n+1))
		if n == 200 {
			if err := s.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	stream := troubleEntry(1, 1).Stream
	h, err := s.head(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	for above, want := range map[uint64]uint64{0: 64, 63: 64, 64: 128, 130: 192, 191: 192, 192: 256, 300: 320, 435: 448, 436: 500, 499: 500} {
		if m, err := s.milestone(t.Context(), stream, h, above); err != nil || m.last != want || m.number != int64(want) {
			t.Errorf("above %d: got %+v, %v, want %d", above, m, err, want)
		}
	}
}

func TestBatchIsWrittenInTheWritersOrder(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	twice := troubleEntry(3, 1)
	twice.Number++
	results := s.Append(t.Context(), []storage.Entry{
		troubleEntry(5, 1), troubleEntry(3, 1), troubleEntry(9, 1), twice, troubleEntry(1, 1),
	})
	for i, err := range results {
		if (err != nil) != (i == 3) || errors.Is(err, storage.ErrConflict) {
			t.Errorf("entry %d: got %v, want an error for the second one of a stream only", i, err)
		}
	}
	err := s.journalTurn(t.Context(), func(w *journalWriter) error {
		late, err := lateRows(w.conn, 1, 0, 10)
		if len(late) != 0 {
			t.Errorf("got late rows %v, want none", late)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// No test can cut the power; this one holds the settings on which surviving that depends.
func TestJournalCommitsAreSynchronous(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	err := s.journalTurn(context.Background(), func(w *journalWriter) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
			err := query(w.conn, `PRAGMA `+pragma, nil, func(stmt *sqlite.Stmt) error {
				if got := stmt.ColumnText(0); got != want {
					t.Errorf("%s is %s, want %s", pragma, got, want)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
