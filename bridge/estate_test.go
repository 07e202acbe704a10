package bridge

import "testing"

// A gap that was read before anything far above it was there may have been filled since: it has to be read again.
func TestAGapIsReadAgainBeforeItIsPassed(t *testing.T) {
	const underWay = 4
	e := newEstate()
	read := func(numbers ...uint64) {
		t.Helper()
		e.reached(numbers[len(numbers)-1])
		for _, number := range numbers {
			e.pass(number)
		}
	}
	stands := func(solid uint64) {
		t.Helper()
		if e.solid != solid {
			t.Fatalf("the mark may move to %d instead of %d: %+v", e.solid, solid, e)
		}
	}
	e.begin(0, underWay, false)
	read(1, 2, 4, 5)
	stands(2)
	if after := e.next(underWay); after != 5 {
		t.Fatalf("goes on after %d, though 3 may still come", after)
	}
	read(6, 7, 9)
	stands(2)
	if after := e.next(underWay); after != 2 {
		t.Fatalf("goes on after %d, and not at the gap", after)
	}
	read(3, 4, 5, 6, 7, 9) // 3 has come, 8 may still
	stands(7)
	if after := e.next(underWay); after != 9 {
		t.Fatalf("goes on after %d", after)
	}
	read(20)
	stands(7)
	e.begin(7, underWay, false)
	read(9)
	stands(9)
	read(20)
	stands(16)
	e.begin(0, underWay, true)
	read(20)
	stands(20)
	if len(e.above) != 0 {
		t.Errorf("still remembered: %v", e.above)
	}
}
