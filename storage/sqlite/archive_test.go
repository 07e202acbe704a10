package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

const archiveFile = "archive.db"

// archivist archives whatever it may before each eighth use of the journal.
type archivist struct {
	*sqlite.Store
	uses *atomic.Int64
}

func openArchivist(t *testing.T, dir string) storage.Store {
	t.Helper()
	return archivist{openBlocks(t, dir, 3), &atomic.Int64{}}
}

func (a archivist) archive() {
	if a.uses.Add(1)%8 != 0 {
		return
	}
	if _, err := a.Archive(context.Background(), time.Now(), 0); err != nil {
		panic(err)
	}
}

func (a archivist) Append(ctx context.Context, entries []storage.Entry) []error {
	a.archive()
	return a.Store.Append(ctx, entries)
}

func (a archivist) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	a.archive()
	return a.Store.Read(ctx, stream, after, limit)
}

func (a archivist) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	a.archive()
	return a.Store.ReadBack(ctx, stream, before, limit)
}

func (a archivist) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	a.archive()
	return a.Store.Committed(ctx, writer, after, limit)
}

func (a archivist) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	a.archive()
	return a.Store.Scan(ctx, visit)
}

// Whatever was archived, and when, the store keeps its contract.
func TestArchivingStore(t *testing.T) {
	storagetest.RunJournal(t, func(t *testing.T) storage.Store { return openArchivist(t, t.TempDir()) })
	storagetest.RunDurable(t, func(t *testing.T, dir string) storage.Store { return openArchivist(t, dir) })
}

func archive(t testing.TB, s *sqlite.Store) sqlite.Moved {
	t.Helper()
	moved, err := s.Archive(t.Context(), time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return moved
}

func wantArchived(t testing.TB, s *sqlite.Store, want int64) {
	t.Helper()
	if got, err := s.Archived(t.Context()); err != nil || got != want {
		t.Fatalf("%d rows are archived, %v, want %d", got, err, want)
	}
}

// TestArchivedJournalReadsTheSame holds random journals, archived and opened again at random moments, against the store
// that keeps everything in memory.
func TestArchivedJournalReadsTheSame(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		ctx := context.Background()
		dir, err := os.MkdirTemp(base, "")
		if err != nil {
			r.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		rows := rapid.Int64Range(1, 9).Draw(r, "rows of a block")
		reopen := func() *sqlite.Store {
			s, err := sqlite.Open(ctx, dir, sqlite.WithBlocks(rows))
			if err != nil {
				r.Fatal(err)
			}
			return s
		}
		s, truth := reopen(), memory.New()
		defer func() { _ = s.Close() }()
		ends, serials := map[storage.Stream]uint64{}, map[string]uint64{}
		streams := rapid.IntRange(1, 4).Draw(r, "streams")
		add := func(n int) {
			stream := storage.StreamOf("order", fmt.Sprint(rapid.IntRange(0, streams-1).Draw(r, "stream")))
			writer := fmt.Sprint("member-", rapid.IntRange(1, 2).Draw(r, "writer"))
			serial := serials[writer] + 1
			if rapid.IntRange(0, 9).Draw(r, "late") > 0 {
				serial += 3 // leaves room for those that come late
			} else if serial > 3 {
				serial -= 2
			}
			e := randomEntry(stream, ends[stream]+1, rapid.IntRange(1, 3).Draw(r, "events"), writer, serial, n)
			for _, store := range []storage.Store{s, truth} {
				if err := store.Append(ctx, []storage.Entry{e})[0]; err != nil {
					r.Fatal(err)
				}
			}
			ends[stream], serials[writer] = e.Last(), max(serials[writer], serial)
			stale := randomEntry(stream, rapid.Uint64Range(1, e.Last()).Draw(r, "stale"), 1, "intruder", 1, n)
			if err := s.Append(ctx, []storage.Entry{stale})[0]; !errors.Is(err, storage.ErrConflict) {
				r.Fatalf("append at %d of %d: got %v, want ErrConflict", stale.First, e.Last(), err)
			}
			if err := s.Append(ctx, []storage.Entry{e})[0]; err != nil {
				r.Fatalf("the same entry again: %v", err)
			}
		}
		for n := range rapid.IntRange(1, 16).Draw(r, "steps") {
			add(n)
			switch rapid.IntRange(0, 24).Draw(r, "then") {
			case 0, 1, 2, 4, 5, 6:
				if _, err := s.Archive(ctx, time.Now(), 0); err != nil {
					r.Fatal(err)
				}
			case 3:
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				if rapid.Bool().Draw(r, "without read.db") {
					_ = os.Remove(filepath.Join(dir, readFile))
				}
				s = reopen()
			}
		}
		limit := rapid.IntRange(0, 5).Draw(r, "limit")
		for stream, last := range ends {
			at := rapid.Uint64Range(0, last+1).Draw(r, "place")
			same(r, "read", truth, s, func(j storage.Store) ([]storage.Entry, error) { return j.Read(ctx, stream, at, limit) })
			same(r, "read back", truth, s, func(j storage.Store) ([]storage.Entry, error) { return j.ReadBack(ctx, stream, at, limit) })
			same(r, "read all", truth, s, func(j storage.Store) ([]storage.Entry, error) { return j.Read(ctx, stream, 0, 0) })
		}
		for writer, last := range serials {
			at := rapid.Uint64Range(0, last).Draw(r, "number")
			same(r, "committed", truth, s, func(j storage.Store) ([]storage.Entry, error) { return j.Committed(ctx, writer, at, 1+limit) })
			same(r, "committed, all", truth, s, func(j storage.Store) ([]storage.Entry, error) { return j.Committed(ctx, writer, 0, 1000) })
		}
		same(r, "scan", truth, s, func(j storage.Store) (entries []storage.Entry, err error) {
			err = j.Scan(ctx, func(e storage.Entry) error { entries = append(entries, e); return nil })
			slices.SortFunc(entries, func(a, b storage.Entry) int {
				if a.Stream != b.Stream {
					return map[bool]int{true: -1, false: 1}[a.Stream < b.Stream]
				}
				return int(a.First) - int(b.First)
			})
			return entries, err
		})
	})
}

func randomEntry(stream storage.Stream, first uint64, events int, writer string, serial uint64, n int) storage.Entry {
	e := storage.Entry{Stream: stream, First: first, Writer: writer, Number: serial, Trace: fmt.Sprint("trace-", n)}
	for i := range events {
		e.Events = append(e.Events, storage.Event{
			Type: "order.placed", Schema: 1 + i, At: time.UnixMilli(int64(1741944413589 + n)).UTC(), Command: fmt.Sprint("command-", n, i),
			Cause: "POST /orders", Data: fmt.Appendf(nil, `{"n":%d,"i":%d}`, n, i),
		})
	}
	return e
}

func same(t rapid.TB, what string, truth, s storage.Store, read func(storage.Store) ([]storage.Entry, error)) {
	t.Helper()
	want, err := read(truth)
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(s)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(got) != len(want) || (len(want) > 0 && !reflect.DeepEqual(got, want)) {
		t.Fatalf("%s: got %d entries %+v\nwant %d %+v", what, len(got), got, len(want), want)
	}
}

// A journal may be archived to its last row: it goes on behind that, with or without read.db.
func TestJournalIsArchivedWhole(t *testing.T) {
	dir := archivedDir(t, 10, 30)
	if got := rowsIn(t, dir); got != 0 {
		t.Fatalf("journal.db has %d rows left", got)
	}
	for first, lost := range []bool{false, true, false} {
		if lost {
			if err := os.Remove(filepath.Join(dir, readFile)); err != nil {
				t.Fatal(err)
			}
		}
		s := openBlocks(t, dir, 10)
		if s.ProjectionsLost() != (first > 0) {
			t.Errorf("opening %d: projections are lost: %v", first, s.ProjectionsLost())
		}
		wantEnd(t, s, filled(3), uint64(3+first))
		for n := range 10 {
			put(t, s, entry(filled(n), uint64(4+first), "member-1", uint64(100*(first+1)+n)))
		}
		archive(t, s)
		wantArchived(t, s, int64(40+10*first))
		closeStore(t, s)
	}
}
