package bridge

import "testing"

// A mark must not pass a message that is still open, also when entries without messages follow it.
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
	if !w.cover("a", 4) || !w.cover("b", 9) || w.cover("c", 1) {
		t.Error("covered by the wrong writers")
	}
	if a, between, b := w.at(0).covers, w.at(1).covers, w.at(2).covers; a != 2 || between != 4 || b != 9 {
		t.Errorf("covers %d, %d, %d", a, between, b)
	}
	var reached []string
	if settled, refused := w.settle(func(writer string, _ uint64) { reached = append(reached, writer) }); settled != 0 || refused || len(reached) != 0 {
		t.Errorf("settled %d without a confirm, marks of %v moved", settled, reached)
	}
	w.pop()
	w.push(outgoing{writer: "c", covers: 3})
	if got := w.at(2); w.count != 3 || got.writer != "c" || got.covers != 3 {
		t.Errorf("after going round: %d open, newest %+v", w.count, got)
	}
}
