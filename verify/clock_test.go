package verify_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// TestJumpingClocksAreClean is about false alarms: whatever the real rules do on members whose clocks differ and jump, and
// wherever they crash, is no violation; nor does it depend on the clock of who looks.
func TestJumpingClocksAreClean(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 5
	}
	for seed := range seeds {
		w := jumpingWorld(t, 2000+seed, 600)
		for n := len(w.entries); n > 0; n -= 1 + w.random.IntN(200) {
			cut := tape{entries: w.entries[:n], marks: lagging(w.random, w.entries[:n])}
			last := cut.entries[n-1].Events[0].At
			for _, now := range []time.Time{{}, last, last.Add(-40 * time.Minute), last.Add(30 * time.Minute)} {
				clean(t, cut, verify.Options{Now: now})
			}
			cut.marks = nil // all of them have been retired
			clean(t, cut, verify.Options{})
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// heldShop is a shop with one hold that its order has forgotten about; see goOn.
func heldShop(t *testing.T, prepare func(*shop)) (*shop, verify.Place) {
	s := newShop(t, 5)
	prepare(s)
	for i, id := range []string{"anvil", "bolt", "crate"} {
		s.catalogue(id, fmt.Sprintf("SKU-%d", i), 100, 1000, 10)
	}
	s.goOn()
	s.reserve(s.place("card", want{"bolt", 1}))
	return s, s.last("product/bolt")
}

func TestAClockThatIsPutForwardMakesNothingOverdueAtOnce(t *testing.T) {
	s, held := heldShop(t, clockModes["one that is right"])
	for range 2 {
		s.pass(time.Hour) // a jump, or an hour in which nobody came: a journal can't tell
		for range 5 {
			s.buy(want{"anvil", 1})
			s.pass(3 * time.Second)
		}
	}
	clean(t, s.tape(), verify.Options{})
	clean(t, s.tape(), verify.Options{Now: s.now.Std()})
	s.goOn()
	if report := check(t, s.tape(), verify.Options{}); !has(report, verify.G4, held) {
		t.Errorf("minutes later the hold still stands, and nobody notices:\n%s", report)
	}
}

func TestAClockThatWasAheadForAWhileNeitherAccusesNorHides(t *testing.T) {
	s, held := heldShop(t, clockModes["one that is right"])
	s.pass(time.Hour)
	s.pass(20 * time.Second)
	s.buy(want{"anvil", 1})
	s.pass(-time.Hour)
	s.goOn()
	if report := clean(t, s.tape(), verify.Options{}); report.WarningCount != 1 { // the hold is a few minutes old
		t.Errorf("one stream was written to by the clock that was ahead and by the one that is right:\n%s", report)
	}
	s.pass(15 * time.Minute)
	s.goOn()
	for _, now := range []time.Time{{}, s.now.Std()} {
		if report := check(t, s.tape(), verify.Options{Now: now}); !has(report, verify.G4, held) {
			t.Errorf("as of %v: the hold is past its deadline by the clock that was put right, and nobody notices:\n%s", now, report)
		}
	}
}

// TestAMemberThatIsBehindIsGivenItsTime: its holds end by its own clock. Only when it shows none for longer than clocks
// can differ is it taken to be idle.
func TestAMemberThatIsBehindIsGivenItsTime(t *testing.T) {
	s, held := heldShop(t, func(s *shop) {
		clockModes["three that differ"](s)
		for _, member := range s.members.running {
			s.members.ahead[member] = 0
		}
		s.members.ahead[s.members.running[0]] = -time.Hour
	})
	behind := s.members.running[0]
	s.pass(30 * time.Minute)
	s.goOn()
	clean(t, s.tape(), verify.Options{})
	clean(t, s.tape(), verify.Options{Now: s.now.Std()})
	s.pass(time.Hour)
	s.goOn()
	if report := check(t, s.tape(), verify.Options{Now: s.now.Std()}); !has(report, verify.G4, held) {
		t.Errorf("past its deadline by every clock, and nobody notices:\n%s", report)
	}
	// One that is gone shows no clock, and is enlisted still.
	left := s.tape()
	left.entries = slices.DeleteFunc(slices.Clone(s.entries), func(e storage.Entry) bool {
		return e.Writer == behind && e.Stream == "product/anvil" && e.First > 1
	})
	left.marks = marksOf(left.entries)
	clean(t, left, verify.Options{Now: s.now.Std()})
	if report := check(t, left, verify.Options{Now: s.now.Add(time.Hour).Std()}); !has(report, verify.G4, held) {
		t.Errorf("past its deadline by more than clocks differ, and nobody notices:\n%s", report)
	}
	left.marks = slices.DeleteFunc(left.marks, func(m storage.Marks) bool { return m.Writer == behind })
	if report := check(t, left, verify.Options{Now: s.now.Std()}); !has(report, verify.G4, held) {
		t.Errorf("past its deadline by the clock of every member that is not retired, and nobody notices:\n%s", report)
	}
}

// TestClocksAreReadAsOfTheBeginning: a long run sees the clocks of its end, and holds as they were at its beginning.
func TestClocksAreReadAsOfTheBeginning(t *testing.T) {
	s, _ := heldShop(t, clockModes["one that is right"])
	begun, order := len(s.entries), s.entries[len(s.entries)-1].Stream.Identity()
	s.expire(order)
	s.undo(order)
	s.goOn()
	compared := 0
	for range 1000 {
		if clean(t, s.running(begun), verify.Options{}).Fresh == 0 {
			compared++
		}
	}
	if compared == 0 {
		t.Error("the order was set aside each time")
	}
}

func TestAnOrderThatHasJustBeenWorkedOnIsNotStuck(t *testing.T) {
	s, _ := heldShop(t, clockModes["one that is right"])
	late := s.place("card", want{"anvil", 1})
	s.pass(40 * time.Minute)
	s.goOn()
	s.expire(late)
	place := s.last(storage.StreamOf("order", late))
	stuck := func() bool {
		return slices.ContainsFunc(check(t, s.tape(), verify.Options{}).Warnings, func(v verify.Violation) bool { return v.Guarantee == verify.G6 && names(v, place) })
	}
	if stuck() {
		t.Errorf("%s is called stuck in the moment in which it is ended", place)
	}
	s.goOn()
	if !stuck() {
		t.Errorf("%s is not called stuck although it goes no further", place)
	}
}

// TestOneAlteredInstantIsNoClock alters the store's own instant of one entry at a time: that is worth a warning, hides
// nothing and accuses nobody.
func TestOneAlteredInstantIsNoClock(t *testing.T) {
	s := completeShop(t, 0)
	for i, e := range s.entries {
		tape := s.tape()
		tape.entries = slices.Clone(tape.entries)
		events := slices.Clone(e.Events)
		for j := range events {
			events[j].At = events[j].At.AddDate(1, 0, 0)
		}
		tape.entries[i].Events = events
		report := clean(t, tape, verify.Options{Now: s.now.Std()})
		place := verify.Place{Stream: e.Stream, Sequence: e.First}
		if !slices.ContainsFunc(report.Warnings, func(v verify.Violation) bool { return names(v, place) }) {
			t.Fatalf("%s: not among the warnings %v", place, report.Warnings)
		}
	}
}
