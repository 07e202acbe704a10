package bridge

import "math"

// estate is how far this relay is with what a gone writer left.
//
// A writer that is gone may still write: what it had under way when it was frozen or cut off can become durable minutes
// later, also below numbers that are in the journal already. So a number that is missing is a gap for good only once
// something above it, by as much as one writer may have under way, was seen in the journal before the gap was looked at.
// Until then the mark waits in front of it, and what stands above is remembered as handed out.
type estate struct {
	solid   uint64              // up to here everything was handed out, and nothing can come any more: the mark may follow
	above   map[uint64]struct{} // handed out, above solid
	read    uint64              // entries up to here were read since reading began at solid
	highest uint64              // number ever read
	sure    uint64              // gaps up to here, when they are read again now, are for good
}

func newEstate() *estate { return &estate{above: map[uint64]struct{}{}} }

// begin starts reading at the mark. final says that the writer can't write any more.
func (e *estate) begin(mark, underWay uint64, final bool) {
	if mark > e.solid {
		e.solid = mark
		e.prune()
	}
	e.again(underWay)
	if final {
		e.sure = math.MaxUint64
	}
}

func (e *estate) again(underWay uint64) {
	e.read = e.solid
	if e.highest > underWay {
		e.sure = max(e.sure, e.highest-underWay)
	}
}

// next returns the number to read on from: behind what was read, or at the oldest gap once it can be closed, so that
// what is remembered stays bounded however long the log is.
func (e *estate) next(underWay uint64) uint64 {
	if e.read >= e.highest && len(e.above) > 0 && e.highest > e.solid+underWay {
		e.again(underWay)
	}
	return e.read
}

// reached notes what was read.
func (e *estate) reached(number uint64) {
	e.read = number
	e.highest = max(e.highest, number)
}

func (e *estate) handed(number uint64) bool {
	_, ok := e.above[number]
	return ok || number <= e.solid
}

// pass notes that the entry, the next one in the order of reading, was handed out. It returns how far the mark may move
// with it; 0: not at all.
func (e *estate) pass(number uint64) uint64 {
	before := e.solid
	e.above[number] = struct{}{}
	e.solid = max(e.solid, min(e.sure, number))
	for {
		if _, ok := e.above[e.solid+1]; !ok {
			break
		}
		e.solid++
	}
	if e.solid == before {
		return 0
	}
	e.prune()
	return e.solid
}

func (e *estate) prune() {
	for number := range e.above {
		if number <= e.solid {
			delete(e.above, number)
		}
	}
}
