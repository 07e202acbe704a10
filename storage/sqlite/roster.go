package sqlite

import (
	"fmt"

	"github.com/queuecommerce/queuecommerce/storage"
)

// writerState is what is kept of a writer in memory; the index's mutex guards it. Its ends change only in the journal's
// turn, so who has that may read them without the mutex.
type writerState struct {
	id                 int64
	name               string
	enlisted           bool
	relayed, projected uint64
	ends               writerEnds
}

// writerEnds say where a writer's entries lie.
type writerEnds struct {
	first, last int64  // rows of its first and last entry
	serial      uint64 // its highest number
}

// add notes an entry in the next row, and says whether its number comes late.
func (e *writerEnds) add(number int64, serial uint64) (late bool) {
	if e.first == 0 {
		e.first = number
	}
	e.last = number
	if late = serial <= e.serial; !late {
		e.serial = serial
	}
	return late
}

// staged is where a writer will end when the batch that is being written has been committed.
type staged struct {
	writer *writerState
	ends   writerEnds
}

func (x *index) addWriter(w *writerState) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writers[w.name], x.writersByID[w.id] = w, w
}

// writer returns a copy of a writer's state.
func (x *index) writer(name string) (writerState, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w := x.writers[name]; w != nil {
		return *w, true
	}
	return writerState{}, false
}

// enlistedWriter returns a copy of a writer's state, or an error if it is not enlisted.
func (x *index) enlistedWriter(name string) (writerState, error) {
	w, _ := x.writer(name)
	if !w.enlisted {
		return w, fmt.Errorf("writer %s: %w", name, storage.ErrNotFound)
	}
	return w, nil
}

// state returns the state itself, for the holder of the journal's turn.
func (x *index) state(name string) *writerState {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.writers[name]
}

// writerName resolves the column writer.
func (x *index) writerName(id int64) (string, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w := x.writersByID[max(id, -id)]; w != nil {
		return w.name, true
	}
	return "", false
}

// update changes a writer's state.
func (x *index) update(name string, change func(*writerState)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if w := x.writers[name]; w != nil {
		change(w)
	}
}

// forget undoes what was read from a read.db that can't be used.
func (x *index) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.streams = newFilter(0)
	for _, w := range x.writers {
		w.ends, w.projected = writerEnds{}, 0
	}
}
