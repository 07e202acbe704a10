package bridge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// acts are the steps of a world. Each world takes to some of them more than to others, so that together they also come to
// what an even mixture would never reach.
func (w *world) acts() []func() {
	anyone := func(act func(*member)) func() {
		return func() { act(w.members[w.random.IntN(len(w.members))]) } // also what a frozen or dead one had under way
	}
	alive := func(act func(*member)) func() {
		return func() {
			if m := w.pick((*member).acts); m != nil {
				act(m)
			}
		}
	}
	acts := []func(){w.trouble, w.moves, anyone(w.arrives), anyone(w.write), alive(w.decide), alive(w.decide), alive(w.write), alive(w.write),
		alive(w.relays), alive(w.relays), alive(w.arrives), alive(w.arrives), alive(w.answers), alive(w.answers), alive(w.looks),
		alive(w.marks)}
	var weighted []func()
	for _, act := range acts {
		for range 1 + w.random.IntN(4) {
			weighted = append(weighted, act)
		}
	}
	return weighted
}

func (w *world) run(steps int) {
	for acts := w.acts(); steps > 0; steps-- {
		w.now = w.now.Add(time.Duration(w.random.IntN(700)) * time.Millisecond)
		acts[w.random.IntN(len(acts))]()
	}
}

// settle ends all trouble, lets the last member relay what is left, and checks that nothing is missing.
func (w *world) settle() {
	w.ending = true
	last := w.pick(func(m *member) bool { return m.acts() && !m.evicted })
	if last == nil {
		last = w.born()
	}
	for _, m := range w.members {
		for len(m.batch) > 0 && slices.Contains(m.results, errUnknown) && w.random.IntN(3) > 0 {
			w.write(m)
		}
		m.dead, m.evicted = m != last, m != last
	}
	for len(last.batch) > 0 {
		w.write(last)
	}
	if !last.online {
		w.reconnects(last)
	}
	last.relay.adoption.mine = nil
	expected := w.expected()
	for range 100_000 {
		if len(w.seen) == len(expected) {
			break
		}
		w.now = w.now.Add(time.Second)
		w.looks(last)
		w.relays(last)
		w.arrives(last)
		w.answers(last)
	}
	w.marks(last)
	for _, id := range expected {
		if _, ok := w.seen[id]; !ok {
			w.fail("%s never came", id)
		}
	}
	if len(w.seen) != len(expected) {
		w.fail("%d messages came, %d are in the journal", len(w.seen), len(expected))
	}
}

func (w *world) expected() (ids []string) {
	w.must(w.store.Scan(w.t.Context(), func(e storage.Entry) error {
		ids = append(ids, w.ids(&e)...)
		return nil
	}))
	return ids
}

// ids are those of an entry's messages.
func (w *world) ids(e *storage.Entry) (ids []string) {
	place := fmt.Sprintf("%s|%d", e.Writer, e.Number)
	if ids, known := w.made[place]; known {
		return ids
	}
	defer func() { w.made[place] = ids }()
	for i, event := range e.Events {
		m, ok, err := Catalogue(Origin{Stream: e.Stream, Sequence: e.First + uint64(i), OrderID: orderOfAll}, event)
		w.must(err)
		if ok {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Members freeze, wake, die, lose their connections and adopt one another while entities move between them: whatever the
// order of it all, a subscriber sees every event, each aggregate's in order.
func TestOrderHoldsWhateverHappensToMembers(t *testing.T) {
	worlds := uint64(2000)
	if testing.Short() {
		worlds = 200
	}
	var repeats, moves, late, messages int
	for seed := range worlds {
		w := newWorld(t, seed, 2+int(seed%3), 1+int(seed%6))
		w.note("seed %d", seed)
		w.run(150 + w.random.IntN(500))
		w.settle()
		repeats, moves, late, messages = repeats+w.counts.repeats, moves+w.counts.moves, late+w.counts.late, messages+len(w.seen)
	}
	t.Logf("%d messages, %d repeats, %d moves, %d entries written after their member was given up", messages, repeats, moves, late)
	if repeats == 0 || moves == 0 || late == 0 {
		t.Error("the worlds were too quiet to prove anything")
	}
}
