package sqlite

import (
	"runtime"
	"time"
)

// paceStep is how many projections are stored between two looks at who else wants to run: some hundred microseconds.
const paceStep = 8

// pace lets long work on read.db give way to whoever else is ready to run, for as long as it has worked itself at most:
// read models are never as urgent as the orders that they show, but they must not fall behind for ever either.
type pace struct {
	began  time.Time
	rested time.Duration
}

func newPace() pace { return pace{began: time.Now()} }

func (p *pace) giveWay() {
	if now := time.Now(); now.Sub(p.began) > 2*p.rested {
		runtime.Gosched()
		p.rested += time.Since(now)
	}
}
