package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// roomyHeap is how large the heap may become before anything in it is collected. Go collects when a heap has doubled: one
// of 15 MB some ten times a second, and buyers see each time in their slowest answers.
const roomyHeap = 96 << 20

// roomy is the percentage, as in GOGC, with which a heap of that many live bytes becomes as large as roomyHeap; what Go
// has by default for a larger one.
func roomy(live uint64) int {
	const usual, most = 100, 800
	if live == 0 {
		return most
	}
	return int(min(max(roomyHeap*100/live, usual+100)-100, most))
}

// growRoomy keeps collections rare while the heap is small. It leaves a process alone that was told by GOGC.
func growRoomy() {
	if before := debug.SetGCPercent(100); before != 100 {
		debug.SetGCPercent(before)
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var collected func(*sentinel)
	collected = func(s *sentinel) { // runs after each collection, on the runtime's goroutine for finalizers
		metrics.Read(live)
		debug.SetGCPercent(roomy(live[0].Value.Uint64()))
		runtime.SetFinalizer(s, collected)
	}
	collected(&sentinel{self: new(byte)})
}

// sentinel is dropped at each collection, and tells of it. The pointer keeps it out of the allocator's blocks for tiny
// objects, whose finalizers may never run.
type sentinel struct{ self *byte }
