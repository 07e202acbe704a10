package main

import (
	"context"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/queuecommerce/queuecommerce/bench"
)

// emptyHandler is the system of a record that was measured with nothing behind the request.
const emptyHandler = "empty handler"

// orderBytes is about the answer to an order.
const orderBytes = 1000

// floorOrders is the workload of a floor below fixed rates of orders.
const floorOrders = "orders"

// floor measures an HTTP handler that does nothing at the rate at which something else has just been measured: what its answers
// take is what machine and load generator take at that rate, whatever is measured.
func (r *run) floor(ctx context.Context, bytes float64, record Record) error {
	empty, err := r.startEmpty(ctx, bytes)
	if err != nil {
		return err
	}
	defer empty.Stop() //nolint:errcheck // it has nothing to lose
	record.Part, record.System = partFloor, emptyHandler
	_, err = r.read(ctx, empty, bench.Read{What: "/empty"}, record)
	return err
}

// nothing is a server that answers every GET with so many bytes.
type nothing struct {
	*process
	addr string
}

func (r *run) startEmpty(ctx context.Context, bytes float64) (*nothing, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	p, err := launch(exec.Command(r.programs.baseline, "-addr", addr, "-empty", strconv.Itoa(int(bytes))))
	if err != nil {
		return nil, err
	}
	n := &nothing{process: p, addr: addr}
	return n, p.until(ctx, func() bool { return answers(n.URL() + "/empty") })
}

func (n *nothing) URL() string                                          { return "http://" + n.addr }
func (n *nothing) Rest(context.Context, int) error                      { return nil }
func (n *nothing) Usage() (usage, error)                                { return usageOf(n.Process.Pid) }
func (n *nothing) Counters(context.Context) (map[string]float64, error) { return nil, nil }
func (n *nothing) Stop() error                                          { return n.stop(syscall.SIGTERM) }
