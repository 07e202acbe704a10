package bridge

import (
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// tail holds the newest entries that this member committed, so that a relay that keeps up never reads the journal. It is
// bounded: when the relay lags, the oldest are let go, and the relay reads those from the journal.
type tail struct {
	maxBytes int

	mu    sync.Mutex
	ring  []storage.Entry // a power of two
	head  int
	count int
	bytes int
	after uint64 // every committed entry with a number above is in the ring
	known uint64 // number of the newest committed entry
	wake  chan struct{}
}

// newTail makes a tail for a writer whose last entry so far is last.
func newTail(entries, maxBytes int, last uint64) *tail {
	size := 1
	for size < entries {
		size *= 2
	}
	return &tail{maxBytes: maxBytes, ring: make([]storage.Entry, size), after: last, known: last, wake: make(chan struct{}, 1)}
}

func weight(e *storage.Entry) int {
	n := 0
	for i := range e.Events {
		n += len(e.Events[i].Data)
	}
	return n
}

// append takes what was committed. It never blocks and allocates nothing.
func (t *tail) append(entries []storage.Entry) {
	t.mu.Lock()
	for i := range entries {
		e := &entries[i]
		if t.count == len(t.ring) {
			t.drop()
		}
		t.ring[(t.head+t.count)&(len(t.ring)-1)] = *e
		t.count++
		t.bytes += weight(e)
		t.known = e.Number
		for t.bytes > t.maxBytes {
			t.drop()
		}
	}
	t.mu.Unlock()
	t.nudge()
}

// drop lets the oldest entry go.
func (t *tail) drop() {
	e := &t.ring[t.head]
	t.bytes -= weight(e)
	t.after = e.Number
	*e = storage.Entry{}
	t.head = (t.head + 1) & (len(t.ring) - 1)
	t.count--
}

// take moves the entries behind the cursor into buffer, at most as many as it has room for. ok is false when the tail
// no longer reaches back to the cursor: the caller has to read the journal up to known first.
func (t *tail) take(cursor uint64, buffer []storage.Entry) (taken []storage.Entry, known uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if cursor < t.after {
		return nil, t.known, false
	}
	taken = buffer[:0]
	for t.count > 0 && len(taken) < cap(buffer) {
		if e := &t.ring[t.head]; e.Number > cursor {
			taken = append(taken, *e)
		}
		t.drop()
	}
	return taken, t.known, true
}

func (t *tail) newest() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known
}

// nudge wakes the relay without anything new.
func (t *tail) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
