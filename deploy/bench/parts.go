package main

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// part of the plan.
type part struct {
	name, what string
	run        func(context.Context) error
}

func (r *run) parts() []part {
	return []part{
		{partTune, "the best number of connections for each style of the baseline", r.tune},
		{partCompare, "all systems side by side", r.compare},
		{partSweep, "other numbers of clients", r.sweep},
		{partPaced, "fixed rates", r.paced},
		{partGrowth, "orders pile up, and are read", r.growth},
		{partEngine, "the storage engine alone", r.engine},
		{partBroker, "RabbitMQ alone, and behind the shop", r.broker},
	}
}

// all carries out the parts, or only those that are named.
func (r *run) all(ctx context.Context, only []string) error {
	for _, name := range only {
		if !slices.ContainsFunc(r.parts(), func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part called %q", name)
		}
	}
	for _, part := range r.parts() {
		if len(only) > 0 && !slices.Contains(only, part.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "--- %s: %s\n", part.name, part.what)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// tune finds out with how many connections each style of the baseline is fastest, for one product and for many.
func (r *run) tune(ctx context.Context) error {
	for _, sys := range r.systems {
		if sys.pools == nil || r.tuneLoad == 0 {
			continue
		}
		for _, w := range []workload{many, hot} {
			best := 0.0
			err := r.session(ctx, sys, w, func(s server) error {
				for _, connections := range []int{8, 16, 32} {
					record, err := r.measure(ctx, sys, s, w, Record{Part: partTune, Clients: usual, Pool: connections})
					if err != nil {
						return err
					}
					if record.PerSecond > best {
						best, sys.pools[w.name] = record.PerSecond, connections
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		sys.pools[two.name] = sys.pools[many.name]
	}
	return nil
}

// inTurn calls do for each pair and each that is compared. Each pair begins with another one, so that none is always the
// first.
func inTurn[T any](pairs int, compared []T, do func(pair int, one T) error) error {
	for pair := range pairs {
		for i := range compared {
			if err := do(pair, compared[(pair+i)%len(compared)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// compare measures the systems in turn, each time a fresh one.
func (r *run) compare(ctx context.Context) error {
	for _, w := range []workload{many, two, hot} {
		err := inTurn(r.pairs, r.systems, func(pair int, sys *system) error {
			return r.session(ctx, sys, w, func(s server) error {
				_, err := r.measure(ctx, sys, s, w, Record{Part: partCompare, Pair: pair, Clients: usual})
				if err == nil && w == hot {
					_, err = r.measure(ctx, sys, s, w, Record{Part: partCompare, Pair: pair, Clients: 128})
				}
				return err
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep measures with few clients and with many.
func (r *run) sweep(ctx context.Context) error {
	for _, w := range r.sweeps {
		err := inTurn(r.sweepPairs, r.systems, func(pair int, sys *system) error {
			return r.session(ctx, sys, w, func(s server) error {
				for _, clients := range r.clients {
					if w == hot && clients == 128 {
						continue // compared already
					}
					if _, err := r.measure(ctx, sys, s, w, Record{Part: partSweep, Pair: pair, Clients: clients}); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// paced measures at shares of each system's own peak, which it looks for right before: a machine is not as fast in each minute.
// At the shop's rates it measures the floor too.
func (r *run) paced(ctx context.Context) error {
	return inTurn(r.pairs, r.systems, func(pair int, sys *system) error {
		return r.session(ctx, sys, many, func(s server) error {
			peak, err := r.measure(ctx, sys, s, many, Record{Part: partPaced, Pair: pair, Clients: usual})
			if err != nil {
				return err
			}
			for _, share := range r.shares {
				rate := max(1, int(peak.PerSecond)*share/100)
				paced := Record{Part: partPaced, Pair: pair, Clients: usual, Rate: rate, Share: share}
				if _, err := r.measure(ctx, sys, s, many, paced); err != nil {
					return err
				}
				if sys.name != ours {
					continue
				}
				if err := r.floor(ctx, orderBytes, Record{Workload: floorOrders, Pair: pair, Clients: usual, Rate: rate, Share: share}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
