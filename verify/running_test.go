package verify_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// running is a store whose members go on writing while it is read: streams are read one after the other, in any
// order, and the more of the journal is there the later they are read.
type running struct {
	entries []storage.Entry // in the order of commit
	begun   int             // how many of them are there when the run begins
	random  *rand.Rand
	marks   []storage.Marks // when the run begins
	joined  []storage.Marks // of writers that join later
	asked   int
}

// running lets the shop come from begun entries to where it is now, while it is read.
func (s *shop) running(begun int) *running {
	r := &running{entries: s.entries, begun: begun, random: s.random}
	r.marks = lagging(s.random, s.entries[:begun])
	for _, m := range marksOf(s.entries) {
		if !enlisted(r.marks, m.Writer) {
			r.joined = append(r.joined, storage.Marks{Writer: m.Writer})
		}
	}
	return r
}

// lagging are marks somewhat behind the writers' last entries, or at them.
func lagging(random *rand.Rand, entries []storage.Entry) []storage.Marks {
	marks := marksOf(entries)
	for i, m := range marks {
		marks[i].Projected -= random.Uint64N(min(m.Projected, 40) + 1)
		marks[i].Relayed -= random.Uint64N(min(m.Relayed, 40) + 1)
	}
	return marks
}

func enlisted(marks []storage.Marks, writer string) bool {
	return slices.ContainsFunc(marks, func(m storage.Marks) bool { return m.Writer == writer })
}

// retire forgets, before the run begins, the writers that have not written of late.
func (r *running) retire() {
	recent := marksOf(r.entries[max(0, r.begun-100):])
	gone := func(m storage.Marks) bool { return !enlisted(recent, m.Writer) }
	r.marks, r.joined = slices.DeleteFunc(r.marks, gone), slices.DeleteFunc(r.joined, gone)
}

func (r *running) Writers(context.Context) ([]storage.Marks, error) {
	if r.asked++; r.asked == 1 {
		return r.marks, nil
	}
	return slices.Concat(r.marks, r.joined), nil
}

func (r *running) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	return tape{entries: r.entries[:r.begun]}.Committed(ctx, writer, after, limit)
}

func (r *running) Scan(_ context.Context, visit func(storage.Entry) error) error {
	of := map[storage.Stream][]int{} // places in the journal
	var streams []storage.Stream
	for i, e := range r.entries {
		if of[e.Stream] == nil {
			streams = append(streams, e.Stream)
		}
		of[e.Stream] = append(of[e.Stream], i)
	}
	r.random.Shuffle(len(streams), func(i, j int) { streams[i], streams[j] = streams[j], streams[i] })
	there, pace := r.begun, 2*(len(r.entries)-r.begun)/len(streams)+2
	for _, stream := range streams {
		for _, i := range of[stream] {
			if i >= there {
				break
			}
			if err := visit(r.entries[i]); err != nil {
				return err
			}
		}
		if r.random.IntN(2) == 0 {
			there = min(len(r.entries), there+r.random.IntN(2*pace))
		}
	}
	return nil
}

// jumpingWorld is a journal of four members, whose clocks jump, and some of which crash.
func jumpingWorld(t testing.TB, seed uint64, turns int) *world {
	w := newWorld(t, seed, 4)
	for range turns {
		w.turn()
	}
	return w
}

// TestRunningShop reads journals that go on meanwhile, by members whose clocks jump: what was read at different moments is
// not compared, and everything else is.
func TestRunningShop(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 5
	}
	var fresh, compared, caught int64
	for seed := range seeds {
		w := jumpingWorld(t, 3000+seed, 600)
		for range 5 {
			store := w.running(len(w.entries)/2 + w.random.IntN(len(w.entries)/2))
			if w.random.IntN(2) == 0 {
				store.retire()
			}
			seen := tape{}
			report := clean(t, recorded{store, &seen}, verify.Options{Now: w.now.Std()})
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			fresh, compared = fresh+report.Fresh, compared+total(report.Orders)+total(report.Reservations)-report.Fresh
			if !check(t, seen, verify.Options{}).OK() { // as if it had been read at one moment
				caught++
			}
		}
	}
	if fresh == 0 || compared == 0 || caught == 0 {
		t.Errorf("%d orders set aside, %d compared, %d journals that contradict themselves: want some of each", fresh, compared, caught)
	}
	t.Logf("%d orders set aside, %d compared, %d of %d journals contradict themselves", fresh, compared, caught, 5*seeds)
}

func total(counts map[string]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// recorded keeps what is read.
type recorded struct {
	*running
	seen *tape
}

func (r recorded) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	return r.running.Scan(ctx, func(e storage.Entry) error {
		r.seen.entries = append(r.seen.entries, e)
		return visit(e)
	})
}

// TestNobodyWriting: a store that others might write to, and nobody does, is compared as a whole, however far the marks
// are behind: nothing hides behind the last things that a crash left.
func TestNobodyWriting(t *testing.T) {
	w := jumpingWorld(t, 1, 400)
	store := w.running(len(w.entries))
	for i := range store.marks {
		store.marks[i].Projected, store.marks[i].Relayed = 0, 0
	}
	if report := clean(t, store, verify.Options{Now: w.now.Std()}); report.Fresh != 0 {
		t.Errorf("%d orders are set aside although nobody writes", report.Fresh)
	}
}

// TestClaimsOfARunningShop: a product's claims are streams of their own, which are read at other moments.
func TestClaimsOfARunningShop(t *testing.T) {
	s := newShop(t, 3)
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	begun := len(s.entries)
	s.catalogue("bolt", "BLT-1", 25, 1000, 10)
	s.must(s.product("anvil", product.Delete{ID: s.products["anvil"].Entry.ID, At: s.pass(time.Second)}))
	s.settleClaims("anvil")
	for range 200 {
		if report := clean(t, s.running(begun), verify.Options{}); report.WarningCount != 0 {
			t.Fatalf("want no warning:\n%s", report)
		}
	}
	cut := s.tape()
	cut.entries = slices.DeleteFunc(slices.Clone(s.entries), func(e storage.Entry) bool { return e.Stream == "claim/sku/BLT-1" })
	if report := check(t, cut, verify.Options{}); !has(report, verify.G7, verify.Place{Stream: "product/bolt", Sequence: 1}) {
		t.Errorf("a claim is missing, nobody writes, and it is not noticed:\n%s", report)
	}
}

func TestWriterThatCanNotBeLookedUp(t *testing.T) {
	s := newShop(t, 3)
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	broken := errors.New("gone away")
	if _, err := verify.Run(t.Context(), lost{s.tape(), new(int), broken}, verify.Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v, want the store's error", err)
	}
}

// lost lists no writers at first, and can't be asked again.
type lost struct {
	tape
	asked *int
	err   error
}

func (l lost) Writers(context.Context) ([]storage.Marks, error) {
	if *l.asked++; *l.asked == 1 {
		return nil, nil
	}
	return nil, l.err
}
