package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/queuecommerce/queuecommerce/bench"
)

// system is something that takes orders.
type system struct {
	name  string
	start func(context.Context) (server, error) // a fresh one, with no products and no orders
	pools map[string]int                        // connections to the database, by workload, where there are any
}

// server is a system that runs.
type server interface {
	// URL is where it answers.
	URL() string
	// Rest brings it to a state in which all counters are true, and in which it is ready for a load.
	Rest(ctx context.Context, connections int) error
	// Usage is what all its processes have used so far.
	Usage() (usage, error)
	// Counters are those of its own that a report shows, rising since it was started.
	Counters(ctx context.Context) (map[string]float64, error)
	// Stop ends it and leaves nothing behind.
	Stop() error
}

// shop is QueueCommerce.
type shop struct {
	process *process
	addr    string
	clean   func() error // called when it has ended
}

// newShop is a system: the program on its embedded storage, with what the environment adds.
func newShop(name, program, dir string, environment []string) *system {
	return &system{name: name, start: func(ctx context.Context) (server, error) {
		data, err := os.MkdirTemp(dir, "shop-*")
		if err != nil {
			return nil, err
		}
		return openShop(ctx, program, data, environment, func() error { return os.RemoveAll(data) })
	}}
}

// openShop starts the program on a data directory and waits until it is ready.
func openShop(ctx context.Context, program, data string, environment []string, clean func() error) (*shop, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve")
	cmd.Env = append(withoutShop(os.Environ()), "HTTP_ADDR="+addr, "DATA_DIR="+filepath.Join(data, "data"), "LOG_LEVEL=error", "AMQP_URL=off")
	cmd.Env = append(cmd.Env, environment...)
	p, err := launch(cmd)
	if err != nil {
		return nil, err
	}
	s := &shop{process: p, addr: addr, clean: clean}
	if err := p.until(ctx, func() bool { return answers(s.URL() + "/health/ready") }); err != nil {
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

// withoutShop leaves out what would configure a shop otherwise than the bench does.
func withoutShop(environment []string) (kept []string) {
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "LANG":
			kept = append(kept, variable)
		}
	}
	return kept
}

func (s *shop) URL() string                     { return "http://" + s.addr }
func (s *shop) Rest(context.Context, int) error { return nil }
func (s *shop) Usage() (usage, error)           { return usageOf(s.process.Process.Pid) }

func (s *shop) Stop() error {
	err := s.process.stop(syscall.SIGTERM)
	if cleaned := s.clean(); err == nil {
		err = cleaned
	}
	return err
}

func (s *shop) Counters(context.Context) (map[string]float64, error) {
	all, err := metrics(s.URL())
	if err != nil {
		return nil, err
	}
	return map[string]float64{
		"appends": all["queuecommerce_appends_total"], "commits": all["queuecommerce_commits_total"], "events": all["queuecommerce_events_total"],
		"commands": all["queuecommerce_commands_total"], "messages": all["queuecommerce_messages_confirmed_total"],
		"allocations": all["go_memstats_mallocs_total"], "behind": all["queuecommerce_relay_behind"],
	}, nil
}

// metrics reads the values of /metrics that have no labels.
func metrics(url string) (map[string]float64, error) {
	response, err := http.Get(url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	values := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			values[name] = number
		}
	}
	return values, lines.Err()
}

// baseline is a shop on PostgreSQL.
type baseline struct {
	process  *process
	program  string
	style    string
	addr     string
	database *postgres
}

func newBaseline(style, program string, database *postgres) *system {
	return &system{name: style, pools: map[string]int{}, start: func(ctx context.Context) (server, error) {
		b := &baseline{program: program, style: style, database: database}
		return b, b.Rest(ctx, 8)
	}}
}

func (b *baseline) URL() string { return "http://" + b.addr }

// Rest starts the service again: PostgreSQL's counters are true only when the connections that count are closed. It
// also lets the planner see the tables as they are, as it would after the first minute of any shop.
func (b *baseline) Rest(ctx context.Context, connections int) (err error) {
	if b.process != nil {
		if err := b.process.stop(syscall.SIGTERM); err != nil {
			return err
		}
		if err := b.database.exec(ctx, "VACUUM ANALYZE", "CHECKPOINT"); err != nil {
			return err
		}
	}
	if b.addr, err = freeAddr(); err != nil {
		return err
	}
	b.process, err = launch(exec.Command(b.program, "-addr", b.addr, "-database", b.database.url(), "-style", b.style, "-pool", strconv.Itoa(connections)))
	if err != nil {
		return err
	}
	return b.process.until(ctx, func() bool { return answers(b.URL() + "/metrics") })
}

func (b *baseline) Usage() (usage, error) {
	service, err := usageOf(b.process.Process.Pid)
	if err != nil {
		return usage{}, err
	}
	database, err := usageOf(b.database.process.Process.Pid)
	return usage{cpu: service.cpu + database.cpu, peak: service.peak + database.peak}, err
}

func (b *baseline) Counters(ctx context.Context) (map[string]float64, error) {
	all, err := metrics(b.URL())
	if err != nil {
		return nil, err
	}
	syncs, err := b.database.syncs(ctx)
	return map[string]float64{"allocations": all["go_memstats_mallocs_total"], "commits": syncs}, err
}

func (b *baseline) Stop() error {
	err := b.process.stop(syscall.SIGTERM)
	// Nothing is left to be vacuumed or written while another system is measured.
	if emptied := b.database.empty(context.Background()); err == nil {
		err = emptied
	}
	return err
}

// stock makes the products of a workload in a fresh system.
func stock(ctx context.Context, s server, products int) error {
	_, err := bench.Stock(ctx, s.URL(), products)
	if err != nil {
		return fmt.Errorf("stock: %w", err)
	}
	return nil
}
