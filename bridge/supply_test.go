package bridge

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// alert is an entry with one message.
func alert(t testing.TB, writer string, number uint64) storage.Entry {
	stream := storage.StreamOf("product", fmt.Sprintf("p-%d", number))
	return storage.Entry{Stream: stream, First: 1, Writer: writer, Number: number,
		Events: []storage.Event{stored(t, product.LowStock{ProductID: stream.Identity(), ProductName: "Mug", At: at})}}
}

func durable(t testing.TB, store *memory.Store, entries ...storage.Entry) {
	t.Helper()
	for i, err := range store.Append(t.Context(), entries) {
		if err != nil {
			t.Fatalf("append %d: %v", entries[i].Number, err)
		}
	}
}

// drain takes the numbers of everything that the supply has now.
func drain(t *testing.T, s *supply) (numbers []uint64) {
	t.Helper()
	for {
		if err := s.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, ok := s.next()
		if !ok {
			return numbers
		}
		for ; ok; o, ok = s.next() {
			numbers = append(numbers, o.covers)
		}
	}
}

// Two batches are in flight, and the later one becomes durable first: a relay that reads the journal at that moment must
// not go past the earlier one.
func TestJournalIsReadOnlyAsFarAsItIsSettled(t *testing.T) {
	store := memory.New()
	store.Enlist(t.Context(), "member-1")
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "member-1", TailEntries: 2}, store, store, slog.New(slog.DiscardHandler))
	var all []storage.Entry
	for n := range uint64(12) {
		all = append(all, alert(t, "member-1", n+1))
	}
	durable(t, store, all[:6]...)
	r.Committed(all[:6]) // the tail holds 5 and 6 only
	durable(t, store, all[8:10]...)
	if got := drain(t, r.supply); !slices.Equal(got, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Fatalf("read %v before 7 and 8 were settled", got)
	}
	durable(t, store, all[6:8]...)
	r.Committed(all[6:8])
	r.Committed(all[8:10])
	if got := drain(t, r.supply); !slices.Equal(got, []uint64{7, 8, 9, 10}) {
		t.Fatalf("then %v", got)
	}
	durable(t, store, all[10:]...)
	r.Committed(all[10:])
	if got := drain(t, r.supply); !slices.Equal(got, []uint64{11, 12}) {
		t.Fatalf("from the tail %v", got)
	}
}

// A backlog of an earlier process ends at Last; a number that the journal lacks, because its append was fenced, is no end.
func TestBacklogWithGaps(t *testing.T) {
	store := memory.New()
	store.Enlist(t.Context(), "member-1")
	for _, n := range []uint64{1, 4, 5, 9} {
		durable(t, store, alert(t, "member-1", n))
	}
	if err := store.Advance(t.Context(), "member-1", storage.MarkRelayed, 1); err != nil {
		t.Fatal(err)
	}
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "member-1", Last: 9}, store, store, slog.New(slog.DiscardHandler))
	live := alert(t, "member-1", 12)
	durable(t, store, live)
	r.Committed([]storage.Entry{live})
	if got := drain(t, r.supply); !slices.Equal(got, []uint64{4, 5, 9, 12}) {
		t.Fatalf("read %v", got)
	}
	if r.supply.cursor != 12 {
		t.Errorf("cursor %d", r.supply.cursor)
	}
}

// An entry that this version does not understand holds everything behind it back, and nothing before it.
func TestUnknownEventHoldsTheRelay(t *testing.T) {
	store := memory.New()
	store.Enlist(t.Context(), "member-1")
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "member-1"}, store, store, slog.New(slog.DiscardHandler))
	strange := storage.Entry{Stream: "order/4b1c7d2e9f001122", First: 1, Writer: "member-1", Number: 2,
		Events: []storage.Event{{Type: "order.split", Schema: 1, At: at.Std(), Data: []byte("{}")}}}
	entries := []storage.Entry{alert(t, "member-1", 1), strange, alert(t, "member-1", 3)}
	durable(t, store, entries...)
	r.Committed(entries)
	for range 3 {
		if err := r.supply.read(t.Context()); err == nil {
			t.Fatal("read went on")
		}
		if o, ok := r.supply.next(); ok && o.covers != 1 {
			t.Fatalf("handed out %d", o.covers)
		}
	}
	if cursor := r.supply.cursor; cursor != 1 {
		t.Errorf("cursor %d", cursor)
	}
}

func TestCommittedAllocatesNothing(t *testing.T) {
	store := memory.New()
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "member-1", TailEntries: 64}, store, store, slog.New(slog.DiscardHandler))
	batch := []storage.Entry{alert(t, "member-1", 1), alert(t, "member-1", 2)}
	if n := testing.AllocsPerRun(1000, func() { r.Committed(batch) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
