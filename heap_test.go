package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestASmallHeapHasRoom(t *testing.T) {
	for live, want := range map[uint64]int{
		0:               800,
		1 << 20:         800,
		roomyHeap / 4:   300,
		roomyHeap / 2:   100,
		roomyHeap - 1:   100,
		10 * roomyHeap:  100,
		100 * roomyHeap: 100,
	} {
		assert.Equal(t, want, roomy(live), "%d bytes live", live)
	}
}

func TestTheHeapIsLookedAtAfterEachCollection(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	growRoomy()
	for range 3 { // a sentinel that is set only once would not notice the later ones
		debug.SetGCPercent(50)
		assert.Eventually(t, func() bool {
			runtime.GC()
			now := debug.SetGCPercent(50)
			return now > 100
		}, 10*time.Second, time.Millisecond)
	}
}
