package chaos

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// settlePatience is how long clients and checks wait, in a world that is whole, for what has to happen.
	settlePatience = 60 * time.Second
	// faultLease is short, so that even a short run sees members lose their places.
	faultLease = 2 * time.Second
)

// plan is a run: a world, its clients, and what happens to it.
type plan struct {
	layout
	seed     uint64
	crowd    crowd
	patience time.Duration // how long what has to happen in a whole world may take; 0: settlePatience
	// during has the world broken while the clients are in; it returns when all is over.
	during func(ctx context.Context, w *world)
	faults schedule // that it makes, for the report
}

// result is what a run has shown.
type result struct {
	plan       plan
	world      *world
	history    *history
	violations []violation
	purchases  int
	events     int
	deliveries int
	settled    time.Duration // after the end of the faults
}

// run runs a plan to its end, and checks everything.
func run(t testing.TB, p plan) (r result) {
	t.Helper()
	p.patience = cmp.Or(p.patience, settlePatience)
	w := newWorld(t, p.layout)
	m := newMarket(w, p.seed)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	require.NoError(t, m.open(ctx))
	m.history.began = time.Now()
	leave := m.load(ctx, p.crowd)
	p.during(ctx, w)
	w.grumble(w.heal())
	whole := time.Now()
	patience := time.AfterFunc(p.patience, cancel)
	leave()
	patience.Stop()
	audited, end := context.WithTimeout(context.Background(), p.patience)
	defer end()
	a := &audit{market: m, ctx: audited}
	if err := w.awaitReady(p.patience); err != nil {
		a.wrong(ruleStuck, "%v", err)
	}
	a.all()
	if len(a.violations) == 0 {
		a.wantClosed(p.patience)
	}
	r = result{plan: p, world: w, history: m.history, purchases: len(m.purchases), settled: time.Since(whole)}
	a.violations = append(a.violations, w.checkEvents(context.Background(), p.patience)...)
	a.close()
	r.violations, r.events, r.deliveries = a.violations, len(w.hears.first), w.hears.deliveries
	return r
}

// all asks the shop.
func (a *audit) all() {
	a.settle()
	if a.ctx.Err() != nil {
		return
	}
	orders := a.ends()
	if len(a.violations) > 0 {
		return // what follows rests on it, and would only wait in vain
	}
	a.wantStock(orders)
	a.wantLedger(orders)
	a.repeated()
	a.wantLists(orders)
}

// close ends the members in order, and looks at what they have left.
func (a *audit) close() {
	for _, m := range a.world.members {
		if err := m.terminate(30 * time.Second); err != nil {
			a.wrong(ruleStuck, "%v", err)
		}
		m.dispose()
		for _, err := range m.troubles {
			a.world.grumble(err)
		}
		for _, line := range m.panics() {
			a.wrong(ruleCrash, "%s", line)
		}
	}
	a.violations = append(a.violations, a.checkHistories()...)
	a.wantVerified()
}

// longestWait is the longest that any client had to wait for an answer, all attempts together, between two moments.
func (h *history) longestWait(from, to time.Duration) (longest wait) {
	for _, w := range h.waits {
		if w.at >= from && w.at <= to && w.took > longest.took {
			longest = w
		}
	}
	return longest
}

// percentile is how long at most that part of the requests took that were answered between two moments.
func (h *history) percentile(part float64, from, to time.Duration) time.Duration {
	var all []time.Duration
	for _, w := range h.waits {
		if w.at >= from && w.at <= to {
			all = append(all, w.took)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(part*float64(len(all))))]
}

// longestWaits tells, for each kind of client, who waited longest.
func (h *history) longestWaits() string {
	longest := map[string]wait{}
	for _, w := range h.waits {
		kind, _, _ := strings.Cut(w.client, "-")
		if w.took > longest[kind].took {
			longest[kind] = w
		}
	}
	var texts []string
	for _, kind := range []string{"buyer", "keeper", "watcher"} {
		w := longest[kind]
		texts = append(texts, fmt.Sprintf("%s %v at %.1fs", w.client, w.took.Round(time.Millisecond), w.at.Seconds()))
	}
	return strings.Join(texts, ", ")
}

// line is the run in one line.
func (r result) line() string {
	falls := 0
	for _, m := range r.world.members {
		falls += m.falls
	}
	return fmt.Sprintf("seed %d: %s: %d operations, %d orders, %d events (%d deliveries), p99 %v, longest waits %s, settled after %v, members fell %d times, %d violations",
		r.plan.seed, r.plan.faults.summary(), len(r.history.operations), r.purchases, r.events, r.deliveries,
		r.history.percentile(0.99, 0, math.MaxInt64).Round(time.Millisecond), r.history.longestWaits(),
		r.settled.Round(100*time.Millisecond), falls, len(r.violations))
}

// story is all that somebody who looks for the cause of a violation has to know.
func (r result) story() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s\nagain: go test ./chaos -run TestFaults -chaos.long=%t -chaos.runs 1 -chaos.seed %d -chaos.duration %v -chaos.members %d -chaos.faults %q\nlogs: %s\n%s",
		r.line(), options.long, r.plan.seed, options.duration, r.plan.members, options.faults, r.world.dir, r.plan.faults)
	for _, grumble := range r.world.grumbles {
		fmt.Fprintln(&text, "note:", grumble)
	}
	const most = 12
	for i, v := range r.violations {
		if i == most {
			fmt.Fprintf(&text, "and %d more\n", len(r.violations)-most)
			break
		}
		fmt.Fprintln(&text, v)
	}
	return text.String()
}
