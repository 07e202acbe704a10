package mongo

import (
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// ends remembers, for the streams used last, a sequence at which an entry of the stream is known to end: the highest one
// seen. What it says stays true for ever; what it does not know may be true all the same. It holds at least size streams
// and at most twice as many.
type ends struct {
	size int

	mu    sync.Mutex
	young map[storage.Stream]uint64
	old   map[storage.Stream]uint64
}

func newEnds(size int) *ends { return &ends{size: size, young: map[storage.Stream]uint64{}} }

// known returns the highest known end; 0 is every stream's start.
func (e *ends) known(stream storage.Stream) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	end, ok := e.young[stream]
	if ok {
		return end
	}
	end, ok = e.old[stream]
	if ok {
		e.put(stream, end)
	}
	return end
}

// learn records that an entry of the stream ends at the sequence.
func (e *ends) learn(stream storage.Stream, end uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if end > max(e.young[stream], e.old[stream]) {
		e.put(stream, end)
	}
}

func (e *ends) put(stream storage.Stream, end uint64) {
	if _, there := e.young[stream]; !there && len(e.young) >= e.size {
		e.old, e.young = e.young, make(map[storage.Stream]uint64, e.size)
	}
	e.young[stream] = end
}
