package sqlite

import (
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// head is where a stream ends; the zero head is that of a stream that has no entries.
type head struct {
	last    uint64 // sequence
	number  int64  // row that holds it
	ordinal uint64 // how many entries the stream has
	stored  bool   // it is in read.db already; only heads in a tail say so
}

// milestone is an entry of a long stream that reads can start from.
type milestone struct {
	last   uint64
	number int64
}

// stride is how many entries lie between milestones.
const stride = 64

// tail is what has been committed to the journal and is not in read.db yet.
type tail struct {
	heads      map[storage.Stream]head
	milestones map[storage.Stream][]milestone // each rising
	born       []uint64                       // hashes of the streams that began in it
	entries    int
}

func newTail() *tail {
	return &tail{heads: make(map[storage.Stream]head, 1024), milestones: map[storage.Stream][]milestone{}}
}

func (t *tail) add(stream storage.Stream, h head) {
	t.heads[stream] = h
	t.entries++
	if h.ordinal%stride == 0 {
		t.milestones[stream] = append(t.milestones[stream], milestone{last: h.last, number: h.number})
	}
}

// index knows the heads of streams and the ends of writers as of the last commit. What is old is in read.db; what is
// not yet there is in fresh or, while it is being written there, in moving. recent and older are a cache of bounded
// size for what is in read.db only. A stream that streams does not have is new, and nobody needs to look for its head.
type index struct {
	mu            sync.Mutex
	streams       *filter // of all streams of the journal
	fresh, moving *tail
	recent, older map[storage.Stream]head
	cacheHalf     int    // recent's and older's bound
	moves         uint64 // rises when what was moving is in read.db: what was read from there before may be stale
	moveErr       error  // why the last move to read.db failed
	committed     int64  // the journal's last row
	writers       map[string]*writerState
	writersByID   map[int64]*writerState
}

func newIndex(cacheHalf int) *index {
	return &index{
		streams:     newFilter(0),
		fresh:       newTail(),
		recent:      map[storage.Stream]head{},
		older:       map[storage.Stream]head{},
		cacheHalf:   cacheHalf,
		writers:     map[string]*writerState{},
		writersByID: map[int64]*writerState{},
	}
}

// find returns the head of a stream, as far as it is in memory, and the count of moves for remember.
func (x *index) find(stream storage.Stream) (h head, known bool, moves uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	h, known = x.findLocked(stream)
	return h, known, x.moves
}

func (x *index) findLocked(stream storage.Stream) (head, bool) {
	if !x.streams.has(streamHash(stream)) {
		return head{}, true
	}
	if h, ok := x.fresh.heads[stream]; ok {
		return h, true
	}
	if x.moving != nil {
		if h, ok := x.moving.heads[stream]; ok {
			return h, true
		}
	}
	if h, ok := x.recent[stream]; ok {
		return h, true
	}
	if h, ok := x.older[stream]; ok {
		x.cache(stream, h)
		return h, true
	}
	return head{}, false
}

// add notes a stream's new head: its last entry is in the journal.
func (x *index) add(stream storage.Stream, h head) {
	if h.ordinal == 1 {
		hash := streamHash(stream)
		x.streams.add(hash)
		x.fresh.born = append(x.fresh.born, hash)
	}
	x.fresh.add(stream, h)
}

// headsOf returns the streams' heads, as far as they are in memory.
func (x *index) headsOf(projections []storage.Projection) []head {
	heads := make([]head, len(projections))
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range projections {
		heads[i], _ = x.findLocked(projections[i].Stream)
	}
	return heads
}

// stored notes which heads have come to read.db with projections; a zero head has not.
func (x *index) stored(projections []storage.Projection, heads []head) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, h := range heads {
		stream := projections[i].Stream
		if current, ok := x.fresh.heads[stream]; ok && h.number > 0 && current.number == h.number {
			current.stored = true
			x.fresh.heads[stream] = current
		}
	}
}

// ahead says that the journal has certainly more of the stream than the projections. False: they may be level.
func (x *index) ahead(stream storage.Stream) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	h, ok := x.fresh.heads[stream]
	return ok && !h.stored
}

// remember caches what was read from read.db, the absence of a stream included, unless it may be stale by now.
func (x *index) remember(stream storage.Stream, h head, moves uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, known := x.findLocked(stream); !known && moves == x.moves {
		x.cache(stream, h)
	}
}

func (x *index) cache(stream storage.Stream, h head) {
	if len(x.recent) >= x.cacheHalf {
		x.older, x.recent = x.recent, make(map[storage.Stream]head, x.cacheHalf)
	}
	x.recent[stream] = h
}

// milestone returns the lowest milestone in memory that ends above the sequence.
func (x *index) milestone(stream storage.Stream, above uint64) (milestone, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, t := range []*tail{x.moving, x.fresh} {
		if t == nil {
			continue
		}
		for _, m := range t.milestones[stream] {
			if m.last > above {
				return m, true
			}
		}
	}
	return milestone{}, false
}

// startMove hands out what is not in read.db yet; nil if there is nothing. settleMove must follow.
func (x *index) startMove() (moving *tail, committed int64, ends []writerState) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.fresh.entries == 0 {
		return nil, 0, nil
	}
	x.moving, x.fresh = x.fresh, newTail()
	for _, w := range x.writers {
		if w.ends.last > 0 {
			ends = append(ends, *w)
		}
	}
	return x.moving, x.committed, ends
}

// settleMove ends a move: what was moving is in read.db, or is fresh again.
func (x *index) settleMove(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	moved, later := x.moving, x.fresh
	x.moving, x.moveErr = nil, err
	if err == nil {
		x.moves++
		// Whole: appends wait for this, and to add them one by one took ten milliseconds. What was cached before may be of an
		// earlier moment, and is read again if it is asked for.
		x.older, x.recent = map[storage.Stream]head{}, moved.heads
		return
	}
	x.fresh = moved
	x.fresh.entries += later.entries
	x.fresh.born = append(x.fresh.born, later.born...)
	for stream, h := range later.heads {
		x.fresh.heads[stream] = h
	}
	for stream, list := range later.milestones {
		x.fresh.milestones[stream] = append(x.fresh.milestones[stream], list...)
	}
}

// last returns the journal's last row.
func (x *index) last() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.committed
}

// unprojected returns, for each enlisted writer, the number from which on its entries may not be in the projections yet.
func (x *index) unprojected() map[int64]uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	numbers := make(map[int64]uint64, len(x.writers))
	for _, w := range x.writers {
		if w.enlisted {
			numbers[w.id] = w.projected + 1
		}
	}
	return numbers
}

// lastMoveError returns why the last move failed, nil if it did not.
func (x *index) lastMoveError() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.moveErr
}

// full says that the tail should move.
func (x *index) full() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.fresh.full()
}
