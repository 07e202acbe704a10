package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

func nobody(string) bool { return false }

// step is an entry of one event of a product's life.
func step(t testing.TB, stream storage.Stream, sequence uint64, writer string, number uint64) storage.Entry {
	return storage.Entry{Stream: stream, First: sequence, Writer: writer, Number: number,
		Events: []storage.Event{stored(t, product.LowStock{ProductID: stream.Identity(), ProductName: "Mug", Available: int64(sequence), At: at})}}
}

// sequences takes everything that the supply has now, as ids.
func sequences(t *testing.T, s *supply) (ids []string, marks map[string]uint64) {
	t.Helper()
	marks = map[string]uint64{}
	for {
		if err := s.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, ok := s.next()
		if !ok {
			return ids, marks
		}
		for ; ok; o, ok = s.next() {
			ids = append(ids, o.message.ID)
			if o.covers != 0 {
				marks[o.writer] = o.covers
			}
		}
	}
}

// A thousand events of one product wait at the member that had it: they leave before the first of the new one, page by
// page, and move no mark.
func TestALongPastLeavesFirst(t *testing.T) {
	store := memory.New()
	for _, writer := range []string{"other", "own"} {
		if _, err := store.Enlist(t.Context(), writer); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for n := range uint64(1000) {
		durable(t, store, step(t, "product/mug", n+1, "other", n+1))
		if n >= 300 {
			want = append(want, fmt.Sprintf("product/mug|%d", n+1))
		}
	}
	if err := store.Advance(t.Context(), "other", storage.MarkRelayed, 300); err != nil {
		t.Fatal(err)
	}
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", Gone: nobody}, store, store, slog.New(slog.DiscardHandler))
	mine := []storage.Entry{step(t, "product/spoon", 1, "own", 1), step(t, "product/mug", 1001, "own", 2), step(t, "product/mug", 1002, "own", 3)}
	durable(t, store, mine[:2]...)
	durable(t, store, mine[2])
	r.Committed(mine)
	want = append(append([]string{"product/spoon|1"}, want...), "product/mug|1001", "product/mug|1002")
	ids, marks := sequences(t, r.supply)
	if !slices.Equal(ids, want) {
		t.Errorf("%d relayed of %d, %v...", len(ids), len(want), ids[:min(3, len(ids))])
	}
	if len(marks) != 1 || marks["own"] != 3 {
		t.Errorf("marks %v", marks)
	}
	if cap(r.supply.messages) > 4*readEntries {
		t.Errorf("room for %d messages at a time", cap(r.supply.messages))
	}
}

// A member joins, writes and goes on while this one believes to be alone.
func TestAMemberThatJoinedIsNoticed(t *testing.T) {
	store := memory.New()
	store.Enlist(t.Context(), "own")
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", Gone: nobody}, store, store, slog.New(slog.DiscardHandler))
	commit := func(e storage.Entry) {
		durable(t, store, e)
		r.Committed([]storage.Entry{e})
	}
	commit(step(t, "product/mug", 1, "own", 1))
	if ids, _ := sequences(t, r.supply); len(ids) != 1 {
		t.Fatalf("relayed %v", ids)
	}
	store.Enlist(t.Context(), "other")
	durable(t, store, step(t, "product/mug", 2, "other", 1))
	commit(step(t, "product/mug", 3, "own", 2))
	if ids, _ := sequences(t, r.supply); !slices.Equal(ids, []string{"product/mug|2", "product/mug|3"}) {
		t.Errorf("relayed %v", ids)
	}
}

func TestMemoryOfStreamsIsBounded(t *testing.T) {
	l := newLineage(nil, nil, "own")
	l.room = 100
	for n := range uint64(10_000) {
		e := step(t, storage.Stream(fmt.Sprintf("product/p-%d", n)), 1, "own", n)
		l.note(&e)
		again := step(t, "product/hot", n+1, "own", n)
		if n > 0 && !l.known(&again) {
			t.Fatalf("what was used just now is forgotten after %d", n)
		}
		l.note(&again)
	}
	if held := len(l.recent) + len(l.older); held > 2*l.room {
		t.Errorf("%d streams are held", held)
	}
}

// counted counts what is asked of the store.
type counted struct {
	*memory.Store
	committed, readBack, listed int
}

func (c *counted) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	c.committed++
	return c.Store.Committed(ctx, writer, after, limit)
}

func (c *counted) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	c.readBack++
	return c.Store.ReadBack(ctx, stream, before, limit)
}

func (c *counted) Writers(ctx context.Context) ([]storage.Marks, error) {
	c.listed++
	return c.Store.Writers(ctx)
}

// Looking back is for entities that came from elsewhere.
func TestLookingBackIsRare(t *testing.T) {
	run := func(t *testing.T, gone func(string) bool, others ...string) *counted {
		store := &counted{Store: memory.New()}
		for _, writer := range append(others, "own") {
			store.Enlist(t.Context(), writer)
		}
		r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", Gone: gone}, store, store, slog.New(slog.DiscardHandler))
		for n := range uint64(1000) {
			e := storage.Entry{Stream: storage.StreamOf("product", fmt.Sprintf("p-%d", n%10)), First: n/10 + 1, Writer: "own", Number: n + 1,
				Events: []storage.Event{stored(t, product.LowStock{ProductID: "p", At: at})}}
			durable(t, store.Store, e)
			r.Committed([]storage.Entry{e})
		}
		if err := r.supply.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		*store = counted{Store: store.Store}
		if got := drain(t, r.supply); len(got) != 1000 {
			t.Fatalf("%d relayed", len(got))
		}
		return store
	}
	if c := run(t, nil); c.readBack+c.listed != 0 {
		t.Errorf("a store of one's own was asked: %+v", c)
	}
	if c := run(t, nobody); c.readBack+c.listed != 0 {
		t.Errorf("streams that began here were looked up: %+v", c)
	}
	if c := run(t, nobody, "other"); c.readBack+c.listed != 0 {
		t.Errorf("streams that began here were looked up: %+v", c)
	}
}

// BenchmarkSupply takes entries from the tail and translates them, of streams that are known.
func BenchmarkSupply(b *testing.B) {
	for name, gone := range map[string]func(string) bool{"alone": nil, "among others": nobody} {
		b.Run(name, func(b *testing.B) {
			store := memory.New()
			store.Enlist(b.Context(), "own")
			r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", Gone: gone}, store, store, slog.New(slog.DiscardHandler))
			entries := make([]storage.Entry, readEntries)
			number := uint64(0)
			for b.Loop() {
				for i := range entries {
					if number < uint64(len(entries)) {
						entries[i] = step(b, storage.Stream(fmt.Sprintf("product/p-%d", i)), 1, "own", number)
					} else {
						entries[i].First++
					}
					number++
					entries[i].Number = number
				}
				r.Committed(entries)
				if err := r.supply.read(b.Context()); err != nil || len(r.supply.messages) != readEntries {
					b.Fatalf("%d messages, err %v", len(r.supply.messages), err)
				}
				r.supply.handed = len(r.supply.messages)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(number), "ns/entry")
		})
	}
}
