package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// long is a journal of one writer that is too long to be held in memory: its entries are made when they are read.
type long struct {
	storage.Journal
	event   storage.Event
	durable uint64
}

const longStreams = 1000

func (l *long) entry(number uint64) storage.Entry {
	return storage.Entry{Stream: storage.StreamOf("product", fmt.Sprintf("p-%d", (number-1)%longStreams)), First: (number-1)/longStreams + 1,
		Writer: "own", Number: number, Events: []storage.Event{l.event}}
}

func (l *long) Committed(_ context.Context, _ string, after uint64, limit int) (entries []storage.Entry, err error) {
	for number := after + 1; number <= l.durable && len(entries) < limit; number++ {
		entries = append(entries, l.entry(number))
	}
	return entries, nil
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// While the broker is away, what is committed waits in the journal and not in memory; when it is back, every event comes,
// in order and once.
func TestALongOutageNeedsLittleMemory(t *testing.T) {
	const entries = 200_000
	journal := &long{event: stored(t, product.LowStock{ProductID: "p", ProductName: "Mug", At: at})}
	store := memory.New()
	for _, writer := range []string{"own", "other"} {
		if _, err := store.Enlist(t.Context(), writer); err != nil {
			t.Fatal(err)
		}
	}
	r := NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", Gone: func(string) bool { return false }}, journal, store, slog.New(slog.DiscardHandler))
	before := heap()
	batch := make([]storage.Entry, 0, 100)
	for journal.durable < entries {
		journal.durable++
		if batch = append(batch, journal.entry(journal.durable)); len(batch) == cap(batch) {
			r.Committed(batch)
			batch = batch[:0]
		}
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("%d bytes are held for %d entries", grown, r.Behind())
	}
	if behind := r.Behind(); behind != entries {
		t.Fatalf("%d behind", behind)
	}
	yes := &answer{done: make(chan struct{}), acked: true}
	close(yes.done)
	next, seen := map[string]uint64{}, 0
	for r.Behind() > 0 {
		o, ok := r.supply.next()
		if !ok {
			if err := r.refill(t.Context()); err != nil || len(r.supply.messages) == 0 {
				t.Fatalf("nothing more comes, %d behind, err %v", r.Behind(), err)
			}
			continue
		}
		if o.message.Sequence != next[o.message.Aggregate]+1 {
			t.Fatalf("%s follows %d", o.message.ID, next[o.message.Aggregate])
		}
		next[o.message.Aggregate] = o.message.Sequence
		seen++
		r.window.push(o).confirm = yes
		if r.window.full() || seen == entries {
			r.window.settle(r.marks.reach)
		}
	}
	if seen != entries {
		t.Errorf("%d of %d came", seen, entries)
	}
	if grown := int64(heap()) - int64(before); grown > 8<<20 {
		t.Errorf("%d bytes are held after all", grown)
	}
}
