package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// engine compares how fast the shop appends to its journal with how fast the storage engine alone appends the very same
// entries, as many per commit.
func (r *run) engine(ctx context.Context) error {
	for pair := range r.pairs {
		entries, served, err := r.served(ctx, pair)
		if err != nil {
			return err
		}
		if err := r.alone(ctx, pair, entries, served.Batch); err != nil {
			return err
		}
	}
	return nil
}

// served puts load on a shop and returns what its journal holds afterwards, without what the products' making took.
func (r *run) served(ctx context.Context, pair int) (entries []storage.Entry, record Record, err error) {
	dir, err := os.MkdirTemp(r.dir, "engine-*")
	if err != nil {
		return nil, record, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := openShop(ctx, r.programs.shop, dir, nil, func() error { return nil })
	if err != nil {
		return nil, record, err
	}
	var made map[string]float64
	err = stock(ctx, s, many.products)
	if err == nil {
		made, err = s.Counters(ctx)
	}
	if err == nil {
		record, err = r.measure(ctx, r.systems[0], s, many, Record{Part: partEngine, Pair: pair, Clients: usual})
	}
	if err = errors.Join(err, s.Stop()); err != nil {
		return nil, record, err
	}
	if entries, err = journalOf(ctx, filepath.Join(dir, "data"), int(made["appends"])); err != nil {
		return nil, record, err
	}
	record.Batch = max(1, int(record.PerOrder.Appends/record.PerOrder.Commits+0.5))
	return entries, record, nil
}

const mostEntries = 200_000 // that are kept in memory

// journalOf reads the shop's entries, behind the first ones.
func journalOf(ctx context.Context, dir string, skip int) (entries []storage.Entry, err error) {
	store, err := sqlite.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	const writer = "local" // the name of a shop that is alone
	for after := uint64(skip); len(entries) < mostEntries; {
		page, err := store.Committed(ctx, writer, after, 10_000)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		entries, after = append(entries, page...), page[len(page)-1].Number
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("the journal has no entries above number %d", skip)
	}
	return entries, nil
}

// alone appends the entries to an empty store.
func (r *run) alone(ctx context.Context, pair int, entries []storage.Entry, batch int) (err error) {
	dir, err := os.MkdirTemp(r.dir, "alone-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := sqlite.Open(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	batches, bytes := batchesOf(entries, batch), 0
	start := time.Now()
	done := 0
	for _, b := range batches {
		for _, failure := range store.Append(ctx, b) {
			if failure != nil {
				return fmt.Errorf("append: %w", failure)
			}
		}
		if done += len(b); time.Since(start) > r.load {
			break
		}
	}
	took := time.Since(start).Seconds()
	for _, e := range entries {
		for _, event := range e.Events {
			bytes += len(event.Data)
		}
	}
	record := Record{Part: partEngine, System: "storage engine", Workload: many.name, Pair: pair, Batch: batch, Done: done, Seconds: took,
		PerSecond: float64(done) / took, Bytes: float64(bytes) / float64(len(entries))}
	fmt.Fprintf(os.Stderr, "%-8s alone, %d entries of %.0f bytes per commit: %.0f appends/s\n", record.Part, batch, record.Bytes, record.PerSecond)
	return r.add(record)
}

// batchesOf divides the entries of a journal into batches of that size, of which each has at most one entry of a stream.
// An entry that has to wait for the next batch keeps its place among those of its stream. Sequences and numbers are
// given anew, so that they begin in an empty store.
func batchesOf(entries []storage.Entry, size int) (batches [][]storage.Entry) {
	last, number := map[storage.Stream]uint64{}, uint64(0)
	var batch, waiting []storage.Entry
	in := map[storage.Stream]bool{}
	take := func(e storage.Entry) {
		number++
		e.First, e.Number = last[e.Stream]+1, number
		last[e.Stream] = e.Last()
		batch, in[e.Stream] = append(batch, e), true
	}
	next := func() {
		batches, batch = append(batches, batch), nil
		clear(in)
		var still []storage.Entry
		for _, e := range waiting {
			if in[e.Stream] || len(batch) == size {
				still = append(still, e)
				in[e.Stream] = true // none of this stream may overtake it
			} else {
				take(e)
			}
		}
		waiting = still
	}
	for _, e := range entries {
		if in[e.Stream] {
			waiting = append(waiting, e)
			continue
		}
		take(e)
		for len(batch) >= size {
			next()
		}
	}
	for len(batch) > 0 {
		next()
	}
	return batches
}
