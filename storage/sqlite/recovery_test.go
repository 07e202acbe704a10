package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

const journalFile, readFile = "journal.db", "read.db"

func TestTailIsReadAgainAfterACrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer closeStore(t, s)
	fill(t, s, 100)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		put(t, s, entry(filled(n), 4, "member-1", uint64(1000+n)), entry(storage.StreamOf("payment", fmt.Sprint(n)), 1, "member-2", uint64(n+1)))
	}
	if s.Backlog() != 100 {
		t.Fatalf("backlog is %d, want 100", s.Backlog())
	}
	crashed := open(t, copyOf(t, dir))
	defer closeStore(t, crashed)
	for n := range 100 {
		last := uint64(3)
		if n < 50 {
			last = 4
		}
		wantEnd(t, crashed, filled(n), last)
	}
	for writer, want := range map[string]uint64{"member-1": 1049, "member-2": 50} {
		if last, err := crashed.Enlist(t.Context(), writer); err != nil || last != want {
			t.Errorf("enlist %s: got %d, %v, want %d", writer, last, err, want)
		}
		got, err := crashed.Committed(t.Context(), writer, want-3, 10)
		if err != nil || len(got) != 3 || got[0].Number != want-2 {
			t.Errorf("committed by %s: got %d entries, %v, want 3", writer, len(got), err)
		}
	}
	if crashed.ProjectionsLost() {
		t.Error("projections are lost, though read.db is there")
	}
}

// A crash may come between two of the transactions of one move: heads are then ahead of the watermark.
func TestHeadsAheadOfTheWatermark(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, 200)
	closeStore(t, s)
	edit(t, filepath.Join(dir, readFile), `UPDATE meta SET value = 170 WHERE key = 'watermark'; UPDATE writer_ends SET last_number = 170, last_serial = 170`)
	s = open(t, dir)
	defer closeStore(t, s)
	if s.Backlog() != 430 {
		t.Fatalf("backlog is %d, want 430", s.Backlog())
	}
	wantFilled(t, s, 200)
	if last, err := s.Enlist(t.Context(), "member-1"); err != nil || last != 600 {
		t.Errorf("enlist: got %d, %v, want 600", last, err)
	}
}

func TestReadStoreIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	enlisted := func() {
		t.Helper()
		if _, err := s.Enlist(t.Context(), "member-1"); err != nil {
			t.Fatal(err)
		}
	}
	enlisted()
	fill(t, s, 150)
	long := storage.Stream("product/long")
	for n := range uint64(300) {
		put(t, s, entry(long, n+1, "member-1", 1000+n))
	}
	if err := s.Advance(t.Context(), "member-1", storage.MarkRelayed, 7); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context(), benchProjections(0, 5, 1, "pending"), "member-1", 9); err != nil {
		t.Fatal(err)
	}
	closeStore(t, s)

	foreign := t.TempDir()
	other := open(t, foreign)
	fill(t, other, 10)
	closeStore(t, other)

	for name, spoil := range map[string]func(dir string) error{
		"deleted": func(dir string) error { return os.Remove(filepath.Join(dir, readFile)) },
		"garbage": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, readFile), []byte(fmt.Sprintf("%04096d", 1)), 0o600)
		},
		"cut": func(dir string) error { return os.Truncate(filepath.Join(dir, readFile), 8192) },
		"of another journal": func(dir string) error {
			data, err := os.ReadFile(filepath.Join(foreign, readFile))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, readFile), data, 0o600)
		},
		"newer than the journal": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `UPDATE meta SET value = 99999 WHERE key = 'watermark'`)
			return nil
		},
		"newer than the journal by a head": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `UPDATE meta SET value = 99999 WHERE key = 'reached'`)
			return nil
		},
		"with births that are not what was written": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `UPDATE births SET hashes = zeroblob(length(hashes))`)
			return nil
		},
		"without births": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `DELETE FROM births`)
			return nil
		},
		"of an older layout": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `DROP TABLE streams; DROP TABLE births;
				CREATE TABLE heads(stream TEXT PRIMARY KEY, last INTEGER, number INTEGER, ordinal INTEGER) WITHOUT ROWID;
				PRAGMA user_version = 1; UPDATE meta SET value = value`)
			return nil
		},
		"of the layout in which rows had no places": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `ALTER TABLE orders ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
				CREATE INDEX orders_by_created ON orders(created) WHERE hidden = 0;
				UPDATE orders SET pk = pk & 1023; PRAGMA user_version = 3`)
			return nil
		},
		"of another layout": func(dir string) error {
			edit(t, filepath.Join(dir, readFile), `UPDATE meta SET value = value; PRAGMA user_version = 77`)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, dir)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir)
			wantMadeAnew(t, s, long)
			closeStore(t, s)
			s = open(t, dir)
			if !s.ProjectionsLost() {
				t.Error("the loss is forgotten at the next start")
			}
			if err := s.ProjectionsRestored(t.Context()); err != nil || s.ProjectionsLost() {
				t.Errorf("projections are still lost when restored, %v", err)
			}
			closeStore(t, s)
			s = open(t, dir)
			defer closeStore(t, s)
			if s.ProjectionsLost() {
				t.Error("projections are lost again")
			}
			wantEnd(t, s, long, 300)
		})
	}
}

func wantMadeAnew(t *testing.T, s *sqlite.Store, long storage.Stream) {
	t.Helper()
	if !s.ProjectionsLost() {
		t.Error("projections are not lost")
	}
	wantFilled(t, s, 150)
	wantEnd(t, s, long, 300)
	marks, err := s.Writers(t.Context())
	if err != nil || len(marks) != 1 || marks[0] != (storage.Marks{Writer: "member-1", Relayed: 7}) {
		t.Errorf("got marks %+v, %v, want relayed 7, projected 0", marks, err)
	}
	if last, err := s.Enlist(t.Context(), "member-1"); err != nil || last != 1299 {
		t.Errorf("enlist: got %d, %v, want 1299", last, err)
	}
	documents, err := s.List(t.Context(), storage.Filter{Collection: storage.Orders}, storage.Position{}, 0, 10)
	if err != nil || len(documents) != 0 {
		t.Errorf("got %d documents, %v, want none", len(documents), err)
	}
}

func TestNewStoreHasLostNothing(t *testing.T) {
	s := open(t, t.TempDir())
	defer closeStore(t, s)
	if s.ProjectionsLost() {
		t.Error("projections of an empty store are lost")
	}
}

func TestJournalOfAnUnknownLayoutIsRefused(t *testing.T) {
	dir := t.TempDir()
	closeStore(t, open(t, dir))
	edit(t, filepath.Join(dir, journalFile), `UPDATE meta SET value = value; PRAGMA user_version = 77`)
	if s, err := sqlite.Open(t.Context(), dir); err == nil {
		closeStore(t, s)
		t.Fatal("opened a journal of layout 77")
	}
}

func TestMissingRowIsNoticedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, 10)
	crashed := copyOf(t, dir)
	closeStore(t, s)
	edit(t, filepath.Join(crashed, journalFile), `DELETE FROM journal WHERE number = 17`)
	if s, err := sqlite.Open(t.Context(), crashed); err == nil {
		closeStore(t, s)
		t.Fatal("opened a journal without row 17")
	}
}

// BenchmarkOpen: a start with a million entries, after Close and with read.db deleted.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir)
	entries := newBenchEntries(500)
	for range 2000 {
		put(b, s, entries.next()...)
	}
	crashed := copyOf(b, dir)
	closeStore(b, s)
	for name, prepare := range map[string]func() string{
		"closed":  func() string { return dir },
		"crashed": func() string { return copyOf(b, crashed) },
		"rebuilt": func() string {
			if err := os.Remove(filepath.Join(dir, readFile)); err != nil {
				b.Fatal(err)
			}
			return dir
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				at := prepare()
				b.StartTimer()
				start := time.Now()
				s := open(b, at)
				b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/open")
				b.StopTimer()
				closeStore(b, s)
			}
		})
	}
}
