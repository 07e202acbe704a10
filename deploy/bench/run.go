package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/queuecommerce/queuecommerce/bench"
)

// workload is what buyers want.
type workload struct {
	name            string
	products, lines int
}

var (
	many = workload{"many", 1000, 1}
	two  = workload{"two", 1000, 2}
	hot  = workload{"hot", 1, 1}
)

// usual is how many clients systems are compared with.
const usual = 32

// run carries out the plan.
type run struct {
	plan
	programs programs
	dir      string // on the disk that is measured; removed at the end
	systems  []*system
	database *postgres
	*recorder
}

// plan says how much is measured.
type plan struct {
	pairs, sweepPairs         int           // how often each part is repeated, and those that only draw a line
	load, sweepLoad, tuneLoad time.Duration // how long one load takes; no tuneLoad: nothing is tuned
	stored, catalogue         int           // orders and products that pile up
	sweeps                    []workload    // with other numbers of clients
	clients                   []int         // those numbers
	shares                    []int         // percent of the peak, for the open loop
}

type programs struct{ shop, baseline, rabbitmq string }

// rest is how long a system has, after the last order is confirmed, for what it does behind the answers, so that this
// is counted too.
const rest = 300 * time.Millisecond

// measure puts one load on a server. The record says which one it is.
func (r *run) measure(ctx context.Context, sys *system, s server, w workload, record Record) (Record, error) {
	record.System, record.Workload, record.Pool = sys.name, w.name, sys.pool(w, record.Pool)
	if err := s.Rest(ctx, record.Pool); err != nil {
		return record, err
	}
	before, err := readingOf(ctx, s)
	if err != nil {
		return record, err
	}
	result, err := bench.Run(ctx, bench.Load{URLs: []string{s.URL()}, Clients: record.Clients, Duration: r.duration(record.Part),
		Products: w.products, Lines: w.lines, Rate: record.Rate, Stocked: true})
	if err != nil {
		return record, err
	}
	time.Sleep(rest)
	after, err := readingOf(ctx, s)
	if err != nil {
		return record, err
	}
	if record.Part == partCompare {
		if after.commits, err = restedCommits(ctx, s, record.Pool); err != nil {
			return record, err
		}
	}
	record.fill(result)
	record.cost(before, after)
	record.Behind = after.counters["behind"]
	fmt.Fprintf(os.Stderr, "%-8s %-14s %-5s %3d clients %5d/s asked %3d conns: %6.0f orders/s, p99 %6.1f ms, %5.0f us/order\n",
		record.Part, record.System, record.Workload, record.Clients, record.Rate, record.Pool, record.PerSecond, record.P99, record.CPU)
	return record, r.add(record)
}

// duration is how long a load of that part takes.
func (p plan) duration(part string) time.Duration {
	switch part {
	case partSweep:
		return p.sweepLoad
	case partTune:
		return p.tuneLoad
	}
	return p.load
}

// pool is how many connections to the database are best for a workload, unless it is said.
func (s *system) pool(w workload, said int) int {
	if said > 0 || s.pools == nil {
		return said
	}
	if best := s.pools[w.name]; best > 0 {
		return best
	}
	return 16
}

// session starts a fresh system, stocks it for the workload and lets use measure it.
func (r *run) session(ctx context.Context, sys *system, w workload, use func(server) error) error {
	s, err := sys.start(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", sys.name, err)
	}
	err = stock(ctx, s, w.products)
	if err == nil {
		err = use(s)
	}
	if err = errors.Join(err, s.Stop()); err != nil {
		return fmt.Errorf("%s, %s: %w", sys.name, w.name, err)
	}
	return nil
}

// reading is what a system has used and counted so far.
type reading struct {
	usage
	counters map[string]float64
	commits  float64
}

func readingOf(ctx context.Context, s server) (reading, error) {
	used, err := s.Usage()
	if err != nil {
		return reading{}, err
	}
	counters, err := s.Counters(ctx)
	return reading{usage: used, counters: counters, commits: counters["commits"]}, err
}

// restedCommits is the one counter that is true only after a rest.
func restedCommits(ctx context.Context, s server, connections int) (float64, error) {
	if err := s.Rest(ctx, connections); err != nil {
		return 0, err
	}
	counters, err := s.Counters(ctx)
	return counters["commits"], err
}

// fill takes over what the buyers saw.
func (r *Record) fill(result bench.Result) {
	r.Done, r.Failed = result.Confirmed, result.Failed+result.Orders-result.Confirmed
	r.Seconds, r.PerSecond, r.Accepted = result.Settled.Seconds(), result.PerSecond(), result.AcceptedPerSecond()
	r.latency(result.Latency)
}

func (r *Record) latency(l bench.Latency) {
	r.P50, r.P95, r.P99, r.P999 = milliseconds(l.P50), milliseconds(l.P95), milliseconds(l.P99), milliseconds(l.P999)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// cost divides what was used by the orders.
func (r *Record) cost(before, after reading) {
	if r.Done == 0 {
		return
	}
	done := float64(r.Done)
	each := func(name string) float64 { return (after.counters[name] - before.counters[name]) / done }
	r.CPU = float64((after.cpu - before.cpu).Microseconds()) / done
	r.PeakMiB = float64(after.peak) / (1 << 20)
	r.PerOrder = Counts{Appends: each("appends"), Commands: each("commands"), Messages: each("messages"), Allocations: each("allocations"),
		Commits: (after.commits - before.commits) / done}
}
