// Bench measures QueueCommerce against a shop that any good engineer would write, side by side on this machine, and
// writes a report. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	programs
	out, commit, dir, parts, mongodb string
	pairs, stored                    int
	quick, report                    bool
}

func main() {
	var o settings
	flag.StringVar(&o.shop, "shop", "", "the program queuecommerce")
	flag.StringVar(&o.baseline, "baseline", "", "the program of the folder baseline")
	flag.StringVar(&o.rabbitmq, "rabbitmq", "", "the script that runs a RabbitMQ; empty: leave that part out")
	flag.StringVar(&o.out, "out", ".", "folder for the report")
	flag.StringVar(&o.commit, "commit", "unknown", "what is measured, for the report")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "where all systems keep their data: a folder on the disk that counts")
	flag.StringVar(&o.parts, "parts", "", "only these parts, separated by commas: tune, compare, sweep, paced, growth, engine, broker")
	flag.StringVar(&o.mongodb, "mongodb", os.Getenv("BENCH_MONGODB_URI"), "address of a MongoDB: measure QueueCommerce on it, too")
	flag.IntVar(&o.pairs, "pairs", 0, "how often each comparison is repeated; 0: 5, or 2 if quick")
	flag.IntVar(&o.stored, "stored", 0, "orders to pile up; 0: 100,000, or 10,000 if quick")
	flag.BoolVar(&o.quick, "quick", false, "loads of a second: to see that all works, not to quote")
	flag.BoolVar(&o.report, "report", false, "measure nothing, write the report again")
	flag.Parse()
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx); err != nil {
		stop()
		log.Fatal("bench: ", err)
	}
}

func (o settings) run(ctx context.Context) error {
	raw := filepath.Join(o.out, "raw", "records.jsonl")
	if !o.report {
		if err := o.measure(ctx, raw); err != nil {
			return err
		}
	}
	records, err := readRecords(raw)
	if err != nil {
		return err
	}
	if err := writeReport(records, o.out); err != nil {
		return err
	}
	fmt.Print("\n", goalTable(goalsOf(records)))
	return nil
}

// measure writes the raw results. Those of a run that fails are not put in the place of the last ones.
func (o settings) measure(ctx context.Context, raw string) (err error) {
	if err := os.MkdirAll(filepath.Dir(raw), 0o755); err != nil {
		return err
	}
	file, err := os.Create(raw + ".partial")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "queuecommerce-bench-*")
	if err != nil {
		return err
	}
	err = os.Chmod(dir, 0o755) // databases run as other users
	if err == nil {
		err = o.measureIn(ctx, dir, newRecorder(file))
	}
	if err = errors.Join(err, os.RemoveAll(dir), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), raw)
}

func (o settings) measureIn(ctx context.Context, dir string, recorder *recorder) (err error) {
	database, err := startPostgres(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	r := &run{plan: o.plan(), programs: o.programs, dir: dir, database: database, recorder: recorder}
	r.systems = []*system{newShop(ours, o.shop, dir, nil)}
	if o.mongodb != "" {
		r.systems = append(r.systems, newMongoShop(o.shop, dir, o.mongodb))
	}
	for _, style := range styles {
		r.systems = append(r.systems, newBaseline(style, o.baseline, database))
	}
	if err := r.conditions(ctx, o.commit, o.quick); err != nil {
		return err
	}
	return r.all(ctx, strings.FieldsFunc(o.parts, func(c rune) bool { return c == ',' }))
}

// plan is made to end within twenty-five minutes, or four if quick, on a small machine.
func (o settings) plan() plan {
	p := plan{pairs: 5, sweepPairs: 1, load: 2500 * time.Millisecond, sweepLoad: 1500 * time.Millisecond, tuneLoad: time.Second,
		stored: 100_000, catalogue: 100_000, sweeps: []workload{many, two, hot}, clients: []int{1, 8, 128}, shares: []int{25, 50, 75}}
	if o.quick {
		p = plan{pairs: 2, sweepPairs: 1, load: time.Second, sweepLoad: time.Second,
			stored: 10_000, catalogue: 10_000, sweeps: []workload{many}, clients: []int{1, 128}, shares: []int{50}}
	}
	if o.pairs > 0 {
		p.pairs = o.pairs
	}
	if o.stored > 0 {
		p.stored = o.stored
	}
	return p
}
