package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

func filterStream(n int) storage.Stream { return storage.StreamOf("order", fmt.Sprintf("%016x", n)) }

// The filter stands for the fence of new streams: what was added is never new, however it has grown.
func TestFilterNeverForgets(t *testing.T) {
	const count = 500_000
	for name, f := range map[string]*filter{"from nothing": newFilter(0), "from many": newFilter(count / 2)} {
		for n := range count {
			f.add(streamHash(filterStream(n)))
		}
		for n := range count {
			if !f.has(streamHash(filterStream(n))) {
				t.Fatalf("%s: stream %d is new", name, n)
			}
		}
		wrong, bytes := 0, 0
		for n := range count {
			if f.has(streamHash(filterStream(count + n))) {
				wrong++
			}
		}
		for _, g := range f.generations {
			bytes += len(g.blocks) * blockBits / 8
		}
		if wrong > count/25 {
			t.Errorf("%s: %d of %d new streams are taken for known", name, wrong, count)
		}
		if bytes > 3*count || f.size != count {
			t.Errorf("%s: %d bytes hold %d hashes, want %d in less than 3 bytes each", name, bytes, f.size, count)
		}
		t.Logf("%s: %d of %d new streams are taken for known, %d bytes in %d generations", name, wrong, count, bytes, len(f.generations))
	}
}

func takeAll[T any](t *testing.T, p *pool[T]) {
	t.Helper()
	for range p.size {
		conn, err := p.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.put(conn) })
	}
}

// A new stream is read and begun without a reading connection: here all of them are taken.
func TestNewStreamAsksNobody(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	appendOne(t, s, troubleEntry(1, 1))
	takeAll(t, s.readers)
	takeAll(t, s.journalReaders)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	e := troubleEntry(2, 1)
	if entries, err := s.Read(ctx, e.Stream, 0, 0); err != nil || len(entries) != 0 {
		t.Fatalf("read of a new stream: got %d entries, %v", len(entries), err)
	}
	if entries, err := s.ReadBack(ctx, e.Stream, 0, 0); err != nil || len(entries) != 0 {
		t.Fatalf("read back of a new stream: got %d entries, %v", len(entries), err)
	}
	if err := s.Append(ctx, []storage.Entry{e})[0]; err != nil {
		t.Fatalf("append to a new stream: %v", err)
	}
	cancel()
	if _, err := s.Read(ctx, "order/3", 0, 0); err == nil {
		t.Error("read with an ended context: no error")
	}
}

// A stream that began is known for ever: from the tail, while it moves, and from read.db at the next start.
func TestStreamsAreKnownAtEveryStart(t *testing.T) {
	dir := t.TempDir()
	want := 0
	for round := range 4 {
		s := openForTrouble(t, dir)
		if s.index.streams.size != want {
			t.Fatalf("start %d knows %d streams, want %d", round, s.index.streams.size, want)
		}
		for n := range 50 {
			appendOne(t, s, troubleEntry(100*round+n, 1))
			if n%20 == 0 {
				if err := s.flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			appendOne(t, s, troubleEntry(100*round+n, 2))
		}
		want += 50
		for known := range round + 1 {
			for n := range 50 {
				taken := troubleEntry(100*known+n, 1)
				taken.Writer = "member-2"
				wantConflict(t, s, taken)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What began while a move failed is moved by the next one, with what the failed one held.
func TestFailedMoveKeepsBirths(t *testing.T) {
	x := newIndex(10)
	x.add("order/1", head{last: 1, number: 1, ordinal: 1})
	x.startMove()
	x.add("order/2", head{last: 1, number: 2, ordinal: 1})
	x.settleMove(errors.New("disk is full"))
	moving, _, _ := x.startMove()
	if want := []uint64{streamHash("order/1"), streamHash("order/2")}; !slices.Equal(moving.born, want) {
		t.Errorf("got births %x, want %x", moving.born, want)
	}
}

// A stream may go on while its projection is being stored: then read.db does not have its head.
func TestHeadThatWentOnIsMoved(t *testing.T) {
	x := newIndex(10)
	x.add("order/1", head{last: 1, number: 1, ordinal: 1})
	projections := []storage.Projection{{Stream: "order/1", Version: 1}}
	heads := x.headsOf(projections)
	x.add("order/1", head{last: 2, number: 2, ordinal: 2})
	x.stored(projections, heads)
	if got := x.fresh.unstored(); len(got) != 1 {
		t.Errorf("got %q to be moved, want order/1", got)
	}
	x.stored(projections, x.headsOf(projections))
	if got := x.fresh.unstored(); len(got) != 0 {
		t.Errorf("got %q to be moved, want nothing", got)
	}
}

// Heads go to read.db with the projections of their streams; what has gone is not moved again.
func TestProjectionsTakeHeadsAlong(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	defer s.Close()
	for n := range 30 {
		appendOne(t, s, troubleEntry(n, 1))
	}
	var projections []storage.Projection
	for n := range 20 {
		projections = append(projections, storage.Projection{Stream: troubleEntry(n, 1).Stream, Version: 1})
	}
	if err := s.Save(t.Context(), projections, "", 0); err != nil {
		t.Fatal(err)
	}
	appendOne(t, s, troubleEntry(0, 2))
	if got := len(s.index.fresh.unstored()); got != 11 {
		t.Fatalf("%d heads are to be moved, want those of 10 streams without a projection and of one that went on", got)
	}
	crashed := openForTrouble(t, copied(t, dir))
	defer crashed.Close()
	for _, store := range []*Store{s, crashed} {
		if err := store.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for n := range 30 {
			want := uint64(1)
			if n == 0 {
				want = 2
			}
			store.index.mu.Lock()
			clear(store.index.recent)
			store.index.mu.Unlock()
			if h, err := store.head(t.Context(), troubleEntry(n, 1).Stream); err != nil || h.last != want {
				t.Fatalf("stream %d: got head %+v, %v, want an end at %d", n, h, err, want)
			}
		}
		p, err := store.Snapshot(t.Context(), troubleEntry(5, 1).Stream)
		if err != nil || p.Version != 1 {
			t.Errorf("got projection %+v, %v, want version 1", p, err)
		}
		if p, err := store.Snapshot(t.Context(), troubleEntry(25, 1).Stream); err == nil {
			t.Errorf("a stream of which only the head was stored has projection %+v", p)
		}
	}
}

// copied is a copy of a directory as a crash would leave it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// BenchmarkOpenWithStreams: a start among three million streams.
func BenchmarkOpenWithStreams(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	const batches = 3_000_000 / tailStreams
	for batch := range batches {
		born := make([]uint64, tailStreams)
		for n := range born {
			born[n] = streamHash(filterStream(batch*tailStreams + n))
		}
		if err := s.readTurn(b.Context(), func(conn *sqlite.Conn) error { return storeBirths(conn, born) }); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		if s.index.streams.size != batches*tailStreams {
			b.Fatalf("got %d streams, want %d", s.index.streams.size, batches*tailStreams)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
