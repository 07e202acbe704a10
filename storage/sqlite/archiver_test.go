package sqlite_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// watch is a clock that the test sets, with the ticks by which the archiver looks.
type watch struct {
	now   atomic.Int64 // ms
	ticks chan time.Time
}

func newWatch(now time.Time) *watch {
	w := &watch{ticks: make(chan time.Time)}
	w.now.Store(now.UnixMilli())
	return w
}

func (w *watch) clock() time.Time { return time.UnixMilli(w.now.Load()).UTC() }

// round lets the archiver look once, and waits for the end of that: it takes the second tick when it has come back.
func (w *watch) round(t testing.TB, now time.Time) {
	t.Helper()
	w.now.Store(now.UnixMilli())
	for range 2 {
		select {
		case w.ticks <- now:
		case <-time.After(30 * time.Second):
			t.Fatal("the archiver does not come back")
		}
	}
}

func openWatched(t testing.TB, dir string, after time.Duration, w *watch, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	return open(t, dir, append(options, sqlite.WithBlocks(8), sqlite.WithArchive(after, w.clock), sqlite.WithArchiveTicks(w.ticks))...)
}

// eventAt is one row of one event, of that instant.
func eventAt(n uint64, at time.Time) storage.Entry {
	e := entry("product/a", n, "member-1", n)
	e.Events[0].At = at
	return e
}

func TestEntriesAreArchivedWhenTheyAreOld(t *testing.T) {
	const after = time.Hour
	start := time.Date(2025, 3, 14, 9, 0, 0, 0, time.UTC)
	w := newWatch(start)
	s := openWatched(t, t.TempDir(), after, w)
	defer closeStore(t, s)
	for n := range uint64(30) { // one each minute
		put(t, s, eventAt(n+1, start.Add(time.Duration(n)*time.Minute)))
	}
	put(t, s, eventAt(31, start.Add(1000*time.Hour))) // from a clock that was ahead
	for n := uint64(31); n < 40; n++ {
		put(t, s, eventAt(n+1, start.Add(time.Duration(n)*time.Minute)))
	}
	for _, step := range []struct {
		minute int
		want   int64
	}{
		{0, 0}, {29, 0}, {60, 0}, {66, 0},
		{67, 8}, // the 8th is an hour old
		{82, 16}, {83, 24}, {90, 24},
		{91, 32}, // the 32nd is, and the 31st says nothing
		{99, 40}, {200, 40}, {0, 40},
	} {
		w.round(t, start.Add(time.Duration(step.minute)*time.Minute))
		if got, err := s.Archived(t.Context()); err != nil || got != step.want {
			t.Fatalf("minute %d: %d rows are archived, %v, want %d", step.minute, got, err, step.want)
		}
	}
	wantAll(t, s, "product/a", 40)
}

func wantAll(t testing.TB, s storage.Journal, stream storage.Stream, last uint64) {
	t.Helper()
	entries, err := s.Read(t.Context(), stream, 0, 0)
	if err != nil || uint64(len(entries)) != last {
		t.Fatalf("%s: got %d entries, %v, want %d", stream, len(entries), err, last)
	}
}

// What read models do not hold yet is read again after a crash, and stays where that is quick.
func TestEntriesStayUntilTheyAreProjected(t *testing.T) {
	start := time.UnixMilli(1741944413589).UTC()
	w := newWatch(start)
	s := openWatched(t, t.TempDir(), 0, w)
	defer closeStore(t, s)
	for _, writer := range []string{"member-1", "member-2"} {
		if _, err := s.Enlist(t.Context(), writer); err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint64(40) {
		put(t, s, entry(filled(int(n)), 1, "member-1", 2*n+1), entry(filled(100+int(n)), 1, "member-2", 2*n+1))
	}
	put(t, s, entry(filled(200), 1, "member-2", 2)) // late
	for _, step := range []struct {
		writer    string
		projected uint64
		want      int64
	}{
		{"member-1", 1000, 0},
		{"member-2", 14, 8}, // its next row, the 16th of all, has the number 15
		{"member-2", 15, 16},
		{"member-2", 77, 72},
		{"member-2", 1000, 80}, // the 81st row fills no block
	} {
		if err := s.Advance(t.Context(), step.writer, storage.MarkProjected, step.projected); err != nil {
			t.Fatal(err)
		}
		w.round(t, start)
		if got, err := s.Archived(t.Context()); err != nil || got != step.want {
			t.Fatalf("%s at %d: %d rows are archived, %v, want %d", step.writer, step.projected, got, err, step.want)
		}
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range uint64(20) {
		put(t, s, entry(filled(300+int(n)), 1, "member-1", 2000+n))
	}
	w.round(t, start)
	wantArchived(t, s, 80)
	for writer, want := range map[string]int{"member-1": 60, "member-2": 41} {
		entries, err := s.Committed(t.Context(), writer, 0, 1000)
		if err != nil || len(entries) != want {
			t.Errorf("%s has committed %d entries, %v, want %d", writer, len(entries), err, want)
		}
	}
}

func TestTroubleWithTheArchiveIsToldOnce(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	start := time.UnixMilli(1741944413589).UTC()
	w := newWatch(start)
	s := openWatched(t, dir, 0, w, sqlite.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	defer closeStore(t, s)
	fill(t, s, 10)
	wantTold := func(want int) {
		t.Helper()
		if got := strings.Count(log.String(), "old entries not archived"); got != want {
			t.Fatalf("trouble was told %d times, want %d:\n%s", got, want, log.String())
		}
	}
	path := filepath.Join(dir, archiveFile)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.round(t, start)
		wantTold(1)
	}
	wantFilled(t, s, 10)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.round(t, start)
	wantTold(1)
	wantArchived(t, s, 24)
	put(t, s, entry(filled(10), 1, "member-1", 100), entry(filled(11), 1, "member-1", 101))
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.round(t, start)
		wantTold(2)
	}
	wantArchived(t, s, 24)
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	w.round(t, start)
	wantTold(2)
	wantArchived(t, s, 32)
	wantFilled(t, s, 10)
}
