package verify_test

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
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
		w := newWorld(t, 1000+seed)
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

// TestRunningShop verifies as of every instant a journal that goes on, scanned by stream: what was written since then is
// not looked at, and the rest is one consistent state.
func TestRunningShop(t *testing.T) {
	s := completeShop(t)
	tape := s.tape()
	tape.entries = byStream(s.entries)
	for i, e := range s.entries {
		now := e.Events[len(e.Events)-1].At
		report := clean(t, tape, verify.Options{Now: now, Grace: 100 * time.Hour})
		later := slices.DeleteFunc(slices.Clone(s.entries), func(e storage.Entry) bool { return !e.Events[len(e.Events)-1].At.After(now) })
		if want := int64(len(later)); report.Later != want {
			t.Fatalf("as of entry %d, %d entries are later, want %d", i, report.Later, want)
		}
	}
}

// TestRunningShopWithUnevenClocks: members' clocks differ a little, so streams that depend on each other may be cut at
// slightly different points. That is no violation while the shop works on them, and one when it is at rest.
func TestRunningShopWithUnevenClocks(t *testing.T) {
	s := newShop(t, 3)
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	s.buy(want{"anvil", 1})
	taken, confirmed := &s.entries[len(s.entries)-2], s.entries[len(s.entries)-1]
	s.pass(10 * time.Second)
	s.buy(want{"anvil", 1})
	now := confirmed.Events[0].At
	ahead := now.Add(200 * time.Millisecond) // by the clock of the product's member
	taken.Events[0].At = ahead
	taken.Events[0].Data = replaced(t, taken.Events[0].Data, "at", domain.At(ahead))
	tape := s.tape()
	if report := clean(t, tape, verify.Options{Now: now}); report.Later == 0 {
		t.Fatalf("nothing is later:\n%s", report)
	}
	tape.entries = slices.DeleteFunc(slices.Clone(s.entries), func(e storage.Entry) bool { return e.Number >= taken.Number && e.Number != confirmed.Number })
	tape.marks = nil
	if report := check(t, tape, verify.Options{Now: now}); !has(report, verify.G4, verify.Place{Stream: confirmed.Stream, Sequence: confirmed.Last()}) {
		t.Fatalf("a shop at rest has confirmed an order without taking its stock:\n%s", report)
	}
}

func TestAnEntryIsNotHiddenByOneAlteredInstant(t *testing.T) {
	s := completeShop(t)
	for i, e := range s.entries {
		tape := s.tape()
		tape.entries = slices.Clone(tape.entries)
		events := slices.Clone(e.Events)
		for j := range events {
			events[j].At = events[j].At.AddDate(1, 0, 0)
		}
		tape.entries[i].Events = events
		report := check(t, tape, verify.Options{Now: s.now.Std()})
		place := verify.Place{Stream: e.Stream, Sequence: e.First}
		if report.Later != 0 || !slices.ContainsFunc(report.Warnings, func(v verify.Violation) bool { return names(v, place) }) {
			t.Fatalf("%s: %d entries later, warnings %v", place, report.Later, report.Warnings)
		}
	}
}

type failingStore struct {
	tape
	scan, writers error
	after         int
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

func TestStoreErrorsComeBack(t *testing.T) {
	s, broken := completeShop(t), errors.New("disk on fire")
	for _, store := range []failingStore{{tape: s.tape(), writers: broken}, {tape: s.tape(), scan: broken}, {tape: s.tape(), scan: broken, after: len(s.entries)}} {
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
	s := completeShop(t)
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
