package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// maxVisitors is how many a paced load has at most; from then on requests wait for one, and what they wait is counted.
const maxVisitors = 2048

// timerSlack is how late timers may wake on a machine that has time: a request that is no later than that comes when it
// comes, so that the load's own timers are not counted as the shop's latency.
const timerSlack = 2 * time.Millisecond

// visit makes one request, which was due at that time.
type visit func(due time.Time)

// pace says when requests are due.
type pace struct {
	clients  int
	duration time.Duration
	total    int // requests, however long they take; 0: as many as the duration allows
	rate     int // per second; 0: a closed loop
}

func (p pace) over(number int, start, now time.Time) bool {
	if p.total > 0 {
		return number >= p.total
	}
	return now.Sub(start) >= p.duration
}

// run lets visitors come until it is over and all have been answered. It calls newVisitor one at a time.
func (p pace) run(ctx context.Context, start time.Time, newVisitor func(number int) visit) {
	if p.rate > 0 {
		p.open(ctx, start, newVisitor)
	} else {
		p.closed(ctx, start, newVisitor)
	}
}

// closed lets every visitor come again as soon as it has been answered.
func (p pace) closed(ctx context.Context, start time.Time, newVisitor func(number int) visit) {
	var visitors sync.WaitGroup
	var begun atomic.Int64
	for number := range p.clients {
		visit := newVisitor(number)
		visitors.Go(func() {
			for ctx.Err() == nil {
				now := time.Now()
				if p.over(int(begun.Add(1)-1), start, now) {
					return
				}
				visit(now)
			}
		})
	}
	visitors.Wait()
}

// open lets requests be due at fixed times, whatever becomes of the ones before: when all visitors wait for an answer,
// another one comes. A request counts from when it was due, so nothing that it had to wait for is hidden.
func (p pace) open(ctx context.Context, start time.Time, newVisitor func(number int) visit) {
	var visitors sync.WaitGroup
	due := make(chan time.Time)
	here := 0
	come := func() {
		visit := newVisitor(here)
		here++
		visitors.Go(func() {
			for at := range due {
				visit(at)
			}
		})
	}
	for range p.clients {
		come()
	}
	for n := 0; ctx.Err() == nil; n++ {
		at := start.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
		if p.over(n, start, at) {
			break
		}
		time.Sleep(time.Until(at))
		if now := time.Now(); now.Sub(at) < timerSlack {
			at = now
		}
		select {
		case due <- at:
		default:
			if here < maxVisitors {
				come()
			}
			due <- at
		}
	}
	close(due)
	visitors.Wait()
}
