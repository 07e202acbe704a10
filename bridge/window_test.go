package bridge

import (
	"slices"
	"testing"
)

// A mark must not pass a message that is still open, whoever wrote it, also when entries without messages follow it.
func TestEntriesWithoutMessagesWaitForTheMessageBefore(t *testing.T) {
	w := newWindow(3)
	if w.cover("a", 1) {
		t.Error("an empty window covered an entry: its mark would never move")
	}
	w.push(outgoing{writer: "a", covers: 2})
	w.push(outgoing{writer: "a"}) // the entry goes on
	w.push(outgoing{writer: "b", covers: 8})
	if !w.full() {
		t.Error("not full")
	}
	for _, p := range []progress{{"a", 4}, {"b", 9}, {"c", 1}, {"a", 5}} {
		if !w.cover(p.writer, p.number) {
			t.Errorf("%s is not covered: its mark would pass what is open", p.writer)
		}
	}
	if a, between, b := w.at(0).covers, w.at(1).covers, w.at(2).covers; a != 2 || between != 0 || b != 9 {
		t.Errorf("covers %d, %d, %d", a, between, b)
	}
	var reached []progress
	reach := func(writer string, number uint64) { reached = append(reached, progress{writer, number}) }
	if settled, refused := w.settle(reach); settled != 0 || refused || len(reached) != 0 {
		t.Errorf("settled %d without a confirm, marks moved: %v", settled, reached)
	}
	confirmed := &answer{done: make(chan struct{}), acked: true}
	close(confirmed.done)
	for i := range 2 {
		w.at(i).confirm = confirmed
	}
	if settled, refused := w.settle(reach); settled != 2 || refused || !slices.Equal(reached, []progress{{"a", 2}}) {
		t.Errorf("settled %d of 2, marks moved: %v", settled, reached)
	}
	w.at(0).confirm = confirmed
	if settled, _ := w.settle(reach); settled != 1 || !slices.Equal(reached, []progress{{"a", 2}, {"a", 5}, {"c", 1}, {"b", 9}}) {
		t.Errorf("settled %d of 1, marks moved: %v", settled, reached)
	}
}

func TestWindowGoesRound(t *testing.T) {
	w := newWindow(3)
	for _, writer := range []string{"a", "a", "b"} {
		w.push(outgoing{writer: writer})
	}
	w.pop()
	w.push(outgoing{writer: "c", covers: 3})
	if got := w.at(2); w.count != 3 || got.writer != "c" || got.covers != 3 {
		t.Errorf("after going round: %d open, newest %+v", w.count, got)
	}
}
