package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/queuecommerce/queuecommerce/bench"
)

// growth lets orders pile up in one shop, measures how fast it still is, and reads what is there.
func (r *run) growth(ctx context.Context) error {
	sys := r.systems[0]
	s, err := sys.start(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", sys.name, err)
	}
	return errors.Join(r.pileUp(ctx, sys, s), s.Stop())
}

// steps is how many times the speed is measured while orders pile up.
const steps = 40

func (r *run) pileUp(ctx context.Context, sys *system, s server) error {
	start := time.Now()
	products, err := bench.Stock(ctx, s.URL(), r.catalogue)
	if err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	err = r.add(Record{Part: partGrowth, System: sys.name, Workload: "products", Clients: usual, Stored: r.catalogue,
		Done: r.catalogue, Seconds: took, PerSecond: float64(r.catalogue) / took})
	var orders []string
	for err == nil && len(orders) < r.stored {
		var ids []string
		ids, err = r.pile(ctx, sys, s, len(orders))
		orders = append(orders, ids...)
	}
	if err != nil {
		return err
	}
	if err := r.age(ctx, sys, s, len(orders)); err != nil {
		return err
	}
	return r.reads(ctx, sys, s, orders, products)
}

// pile adds one step to what is stored.
func (r *run) pile(ctx context.Context, sys *system, s server, stored int) (ids []string, err error) {
	before, err := readingOf(ctx, s)
	if err != nil {
		return nil, err
	}
	result, err := bench.Run(ctx, bench.Load{URLs: []string{s.URL()}, Clients: usual, Orders: max(1000, r.stored/steps), Products: many.products, Lines: 1, Stocked: true})
	if err != nil {
		return nil, err
	}
	after, err := readingOf(ctx, s)
	if err != nil {
		return nil, err
	}
	record := Record{Part: partGrowth, System: sys.name, Workload: many.name, Clients: usual, Stored: stored}
	record.fill(result)
	record.cost(before, after)
	fmt.Fprintf(os.Stderr, "%-8s %8d orders stored: %6.0f orders/s, p99 %6.1f ms\n", record.Part, stored, record.PerSecond, record.P99)
	return result.IDs, r.add(record)
}

// youngOrders is how many orders a young shop has.
const youngOrders = 10_000

// age sets the shop that has grown against a young one, in turn: the steps of the growth are minutes apart, in which the
// machine changes more than the shop.
func (r *run) age(ctx context.Context, sys *system, grown server, stored int) (err error) {
	young, err := sys.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, young.Stop()) }()
	if _, err := bench.Stock(ctx, young.URL(), r.catalogue); err != nil {
		return err
	}
	load := bench.Load{URLs: []string{young.URL()}, Clients: usual, Orders: min(youngOrders, r.stored), Products: many.products, Lines: 1, Stocked: true}
	first, err := bench.Run(ctx, load)
	if err != nil {
		return err
	}
	type shop struct {
		sys    *system // its name is its age
		s      server
		stored int
	}
	shops := []*shop{{&system{name: ageYoung}, young, len(first.IDs)}, {&system{name: ageGrown}, grown, stored}}
	return inTurn(r.pairs, shops, func(pair int, of *shop) error {
		record, err := r.measure(ctx, of.sys, of.s, many, Record{Part: partAge, Pair: pair, Clients: usual, Stored: of.stored})
		of.stored += record.Done
		return err
	})
}

// recentOrders are the newest ones, this many: buyers look after the orders that they have just made, and so does the staff.
const (
	recentOrders = "recent orders"
	recent       = 10_000
)

// reads measures reads of what has been stored, those by id in turn with a server that does nothing.
func (r *run) reads(ctx context.Context, sys *system, s server, orders, products []string) error {
	one, err := bench.Read{URL: s.URL(), What: "orders", IDs: orders[:1], Clients: 1, Duration: 10 * time.Millisecond}.Run(ctx)
	if err != nil || one.OK == 0 {
		return errors.Join(err, fmt.Errorf("order %s can't be read: %s", orders[0], one))
	}
	empty, err := r.startEmpty(ctx, float64(one.Bytes)/float64(one.OK))
	if err != nil {
		return err
	}
	defer empty.Stop() //nolint:errcheck // it has nothing to lose
	idle := &system{name: emptyHandler}
	for pair := range r.pairs {
		for _, next := range []struct {
			sys      *system
			s        server
			workload string
			bench.Read
		}{
			{sys, s, recentOrders, bench.Read{What: "orders", IDs: orders[max(0, len(orders)-recent):]}},
			{idle, empty, "/empty", bench.Read{What: "/empty"}},
			{sys, s, "orders", bench.Read{What: "orders", IDs: orders}},
			{sys, s, "products", bench.Read{What: "products", IDs: products}},
			{sys, s, "list", bench.Read{What: "list"}},
			{sys, s, "search", bench.Read{What: "search", Products: len(products)}},
		} {
			record, err := r.read(ctx, next.s, next.Read, Record{Part: partRead, Pair: pair, System: next.sys.name, Workload: next.workload, Clients: usual, Stored: len(orders)})
			if err != nil {
				return err
			}
			if next.What == "list" || next.What == "search" {
				half := Record{Part: partRead, Pair: pair, System: next.sys.name, Workload: next.workload, Clients: 8, Stored: len(orders), Share: 50, Rate: max(1, int(record.PerSecond)/2)}
				if _, err := r.read(ctx, next.s, next.Read, half); err != nil {
					return err
				}
				if err := r.floor(ctx, record.Bytes, half); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *run) read(ctx context.Context, s server, read bench.Read, record Record) (Record, error) {
	read.URL, read.Clients, read.Duration, read.Rate = s.URL(), record.Clients, r.sweepLoad, record.Rate
	if _, err := read.Run(ctx); err != nil { // once more before: what was read in between has displaced what is cached
		return record, err
	}
	before, err := s.Usage()
	if err != nil {
		return record, err
	}
	result, err := read.Run(ctx)
	if err != nil {
		return record, err
	}
	after, err := s.Usage()
	if err != nil {
		return record, err
	}
	record.Deepest = result.Deepest
	record.Done, record.Failed, record.Seconds, record.PerSecond = result.OK, result.Failed, result.Took.Seconds(), result.PerSecond()
	record.latency(result.Latency)
	if result.OK > 0 {
		record.CPU = float64((after.cpu - before.cpu).Microseconds()) / float64(result.OK)
		record.Bytes = float64(result.Bytes) / float64(result.OK)
	}
	record.PeakMiB = float64(after.peak) / (1 << 20)
	fmt.Fprintf(os.Stderr, "%-8s %-14s %-10s %5d/s asked: %6.0f/s, %d failed, p99 %6.1f ms\n", record.Part, record.System, record.Workload, record.Rate, record.PerSecond, record.Failed, record.P99)
	return record, r.add(record)
}
