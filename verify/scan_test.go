package verify_test

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// byStream is the order in which a store that keeps streams side by side scans them.
func byStream(entries []storage.Entry) []storage.Entry {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(x, y storage.Entry) int { return cmp.Compare(x.Stream, y.Stream) })
	return sorted
}

// batched joins entries of one stream at random, as a busy entity writes them.
func batched(entries []storage.Entry, random *rand.Rand) []storage.Entry {
	var joined []storage.Entry
	for _, e := range byStream(entries) {
		if last := len(joined) - 1; last >= 0 && joined[last].Stream == e.Stream && random.IntN(3) > 0 {
			joined[last].Events = append(slices.Clone(joined[last].Events), e.Events...)
			continue
		}
		joined = append(joined, e)
	}
	return joined
}

func TestScanOrderAndBatchesDoNotMatter(t *testing.T) {
	for seed := range uint64(30) {
		w := newWorld(t, 1000+seed, 0)
		for range 300 {
			w.turn()
		}
		tape := w.tape()
		want := clean(t, tape, verify.Options{})
		tape.entries = byStream(w.entries)
		if got := clean(t, tape, verify.Options{}); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: by stream:\n%s\nin order of commit:\n%s", seed, got, want)
		}
		tape.entries, tape.marks = batched(w.entries, w.random), nil // joined entries keep only one number
		got := clean(t, tape, verify.Options{})
		if got.Events != want.Events || !reflect.DeepEqual(got.Orders, want.Orders) || got.Stock != want.Stock || !reflect.DeepEqual(got.Money, want.Money) {
			t.Fatalf("seed %d: batched:\n%s\nsingly:\n%s", seed, got, want)
		}
	}
}

type failingStore struct {
	tape
	scan, writers, committed error
	after                    int
}

func (f failingStore) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	for _, e := range f.entries[:f.after] {
		if err := visit(e); err != nil {
			return err
		}
	}
	return f.scan
}

func (f failingStore) Writers(ctx context.Context) ([]storage.Marks, error) {
	if f.writers != nil {
		return nil, f.writers
	}
	return f.tape.Writers(ctx)
}

func (f failingStore) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	if f.committed != nil {
		return nil, f.committed
	}
	return f.tape.Committed(ctx, writer, after, limit)
}

func TestStoreErrorsComeBack(t *testing.T) {
	s, broken := completeShop(t, 0), errors.New("disk on fire")
	for _, store := range []failingStore{{tape: s.tape(), writers: broken}, {tape: s.tape(), committed: broken}, {tape: s.tape(), scan: broken}, {tape: s.tape(), scan: broken, after: len(s.entries)}} {
		report, err := verify.Run(t.Context(), store, verify.Options{})
		if !errors.Is(err, broken) {
			t.Errorf("got %v, want the store's error", err)
		}
		if !report.OK() {
			t.Errorf("what was read before the error is called wrong:\n%s", report)
		}
	}
}

func TestCancelledRunStops(t *testing.T) {
	s := completeShop(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	store := endless{s.tape(), cancel}
	if _, err := verify.Run(ctx, store, verify.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// endless goes on for as long as its visitor lets it, and has its run cancelled on the way.
type endless struct {
	tape
	cancel context.CancelFunc
}

func (e endless) Scan(_ context.Context, visit func(storage.Entry) error) error {
	for n := uint64(1); ; n++ {
		entry := storage.Entry{Stream: "other/1", First: n, Writer: "w", Number: n, Events: []storage.Event{{Type: "other.happened", Data: []byte("{}")}}}
		if err := visit(entry); err != nil {
			return err
		}
		if n == 10_000 {
			e.cancel()
		}
	}
}
