package bridge

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// fleet is a store with other members' writers, and a relay that can be told who of them is gone.
type fleet struct {
	t     *testing.T
	store *memory.Store
	relay *Relay
	now   time.Time
	gone  map[string]bool
	mine  bool
}

func newFleet(t *testing.T, writers ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, store: memory.New(), now: at.Std(), gone: map[string]bool{}, mine: true}
	for _, writer := range append(writers, "own") {
		if _, err := f.store.Enlist(t.Context(), writer); err != nil {
			t.Fatal(err)
		}
	}
	f.relay = NewRelay(RelayConfig{URL: "amqp://x", Writer: "own", UnderWay: 4, RetireAfter: 24 * time.Hour,
		Clock: func() time.Time { return f.now }, Gone: func(writer string) bool { return f.gone[writer] },
		Mine: func(string) bool { return f.mine }}, f.store, f.store, slog.New(slog.DiscardHandler))
	return f
}

// look is one look of the relay's; it returns whose log it found something in.
func (f *fleet) look(everyone bool) (writers []string) {
	f.t.Helper()
	left, retired, err := f.relay.adoption.look(f.t.Context(), everyone)
	if err != nil {
		f.t.Fatal(err)
	}
	f.relay.inherit(left, retired)
	for _, in := range left {
		writers = append(writers, in.writer)
	}
	return writers
}

func (f *fleet) write(writer string, numbers ...uint64) {
	f.t.Helper()
	for _, number := range numbers {
		e := alert(f.t, writer, number)
		e.Stream += storage.Stream("/" + writer)
		e.Events[0].At = f.now
		durable(f.t, f.store, e)
	}
}

// relayed hands out all there is, as if the broker confirmed at once, and returns the sequence of the products' numbers.
func (f *fleet) relayed() (ids []string) {
	f.t.Helper()
	for {
		if err := f.relay.refill(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		o, ok := f.relay.supply.next()
		for ; ok; o, ok = f.relay.supply.next() {
			ids = append(ids, o.message.ID)
			if o.covers != 0 {
				f.relay.marks.reach(o.writer, o.covers)
			}
		}
		if len(f.relay.supply.messages) == 0 && f.relay.supply.covered == 0 {
			break
		}
	}
	if err := f.relay.marks.flush(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	return ids
}

func (f *fleet) marks(writer string) (marks storage.Marks, enlisted bool) {
	f.t.Helper()
	all, err := f.store.Writers(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(m storage.Marks) bool { return m.Writer == writer })
	if i < 0 {
		return storage.Marks{}, false
	}
	return all[i], true
}

func (f *fleet) projected(writer string, number uint64) {
	f.t.Helper()
	if err := f.store.Advance(f.t.Context(), writer, storage.MarkProjected, number); err != nil {
		f.t.Fatal(err)
	}
}

// A member that was frozen with a write under way may carry it out whenever it wakes, also below what was durable of it.
func TestWhatAFrozenMemberWritesOnWakingIsRelayed(t *testing.T) {
	f := newFleet(t, "frozen")
	f.write("frozen", 1, 2, 5)
	f.gone["frozen"] = true
	f.look(false)
	if ids := f.relayed(); len(ids) != 3 {
		t.Fatalf("relayed %v", ids)
	}
	if m, _ := f.marks("frozen"); m.Relayed != 2 {
		t.Fatalf("the mark stands at %d, though 3 and 4 may come", m.Relayed)
	}
	f.now = f.now.Add(3 * time.Minute)
	f.look(false)
	if ids := f.relayed(); len(ids) != 0 {
		t.Fatalf("relayed again: %v", ids)
	}
	f.write("frozen", 4, 6)
	f.now = f.now.Add(3 * time.Minute)
	f.look(false)
	if ids := f.relayed(); !slices.Equal(ids, []string{"product/p-4/frozen|1", "product/p-6/frozen|1"}) {
		t.Fatalf("relayed %v", ids)
	}
	f.write("frozen", 9)
	f.look(true)
	f.relayed()
	f.look(true)
	f.relayed()
	if m, _ := f.marks("frozen"); m.Relayed != 6 {
		t.Errorf("the mark stands at %d: 3 can't come any more once 9 is there, 7 can", m.Relayed)
	}
}

func TestGoneWritersAreRetiredLate(t *testing.T) {
	f := newFleet(t, "living", "gone", "empty", "unprojected", "gap")
	f.write("living", 1)
	f.write("gone", 1, 2)
	f.write("unprojected", 1)
	f.write("gap", 1, 3)
	for _, writer := range []string{"gone", "empty", "unprojected", "gap"} {
		f.gone[writer] = true
	}
	f.projected("gone", 2)
	f.projected("gap", 3)
	enlisted := func() (writers []string) {
		all, err := f.store.Writers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			writers = append(writers, m.Writer)
		}
		slices.Sort(writers)
		return writers
	}
	pass := func(d time.Duration, want ...string) {
		t.Helper()
		f.now = f.now.Add(d)
		for range 3 {
			f.look(true)
			f.relayed()
		}
		slices.Sort(want)
		if got := enlisted(); !slices.Equal(got, want) {
			t.Fatalf("%v after the first sight: %v are enlisted, expected %v", f.now.Sub(at.Std()), got, want)
		}
	}
	pass(0, "own", "living", "gone", "empty", "unprojected", "gap")
	pass(59*time.Minute, "own", "living", "gone", "empty", "unprojected", "gap")
	pass(2*time.Minute, "own", "living", "gone", "unprojected", "gap") // one that never wrote has nothing to wait for
	pass(22*time.Hour, "own", "living", "gone", "unprojected", "gap")
	f.mine = false
	pass(2*time.Hour, "own", "living", "gone", "unprojected", "gap")
	f.mine = true
	pass(0, "own", "living", "unprojected") // and the gap was passed
	f.projected("unprojected", 1)
	pass(0, "own", "living")
	if len(f.relay.supply.estates) != 0 || len(f.relay.adoption.seen) != 0 {
		t.Errorf("remembered of the retired: %v, %v", f.relay.supply.estates, f.relay.adoption.seen)
	}
	pass(1000*time.Hour, "own", "living")
}

// One that came back and goes again is as gone as on the first day.
func TestAWriterThatComesBackIsNotRetired(t *testing.T) {
	f := newFleet(t, "other")
	f.write("other", 1)
	f.projected("other", 1)
	f.gone["other"] = true
	f.look(true)
	f.relayed()
	f.gone["other"] = false
	f.now = f.now.Add(30 * time.Hour)
	f.look(true)
	f.gone["other"] = true
	f.look(true)
	f.relayed()
	f.look(true)
	if _, enlisted := f.marks("other"); !enlisted {
		t.Error("retired at once")
	}
}

// A writer may be retired by another member while it waits to be adopted.
func TestARetiredWriterIsNotAdopted(t *testing.T) {
	f := newFleet(t, "other")
	f.write("other", 1)
	f.gone["other"] = true
	f.relay.Adopt("other")
	f.projected("other", 1)
	if err := f.store.Advance(t.Context(), "other", storage.MarkRelayed, 1); err != nil {
		t.Fatal(err)
	}
	if err := f.store.Retire(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	live := alert(t, "own", 1)
	durable(t, f.store, live)
	f.relay.Committed([]storage.Entry{live})
	if ids := f.relayed(); !slices.Equal(ids, []string{"product/p-1|1"}) {
		t.Errorf("relayed %v", ids)
	}
}

func TestLooksBecomeRare(t *testing.T) {
	f := newFleet(t, "gone")
	f.gone["gone"] = true
	counting := &counted{Store: f.store}
	f.relay.adoption.journal = counting
	for range 1800 { // an hour
		f.now = f.now.Add(2 * time.Second)
		f.look(false)
	}
	if n := counting.committed; n < 60 || n > 200 {
		t.Errorf("%d looks in an hour", n)
	}
	if found := f.look(false); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	f.write("gone", 1)
	if found := f.look(true); !slices.Equal(found, []string{"gone"}) {
		t.Errorf("a nudge found %v", found)
	}
}
