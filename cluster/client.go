package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
)

var (
	// ErrUnknown says that the command was sent and not answered in time: it may have been executed, or may still be.
	ErrUnknown = errors.New("no answer in time, outcome unknown")
	// ErrNotExecuted says that the command was certainly not executed, and that it could not be within the time given.
	ErrNotExecuted = errors.New("not executed")
)

// Client asks entities. Safe for concurrent use.
type Client struct {
	cluster *cluster.Cluster
	lookup  *lookup
}

func newClient(c *cluster.Cluster, l *lookup) *Client { return &Client{cluster: c, lookup: l} }

const (
	// askBudget bounds a question whose context has no deadline.
	askBudget = 10 * time.Second
	maxPause  = 100 * time.Millisecond
)

// kindRetry is the refusal that says: not executed, ask again.
const kindRetry = 7

// Ask sends the command to the entity and returns its one reply. What was certainly not executed is sent again until
// the context ends; what may have been is not: ErrUnknown. The caller must not change the command afterwards.
func (c *Client) Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askBudget)
		defer cancel()
		deadline, _ = ctx.Deadline()
	}
	if command.GetDeadline() == 0 {
		command.Deadline = deadline.UnixMilli()
	}
	var last error
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		reply, err := c.try(ctx, kind, identity, command)
		if err == nil || errors.Is(err, ErrUnknown) {
			return reply, err
		}
		last = err
		if time.Until(deadline) <= pause {
			return nil, fmt.Errorf("ask %s/%s: %w", kind, identity, last)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return nil, fmt.Errorf("ask %s/%s: %w: %w", kind, identity, ErrNotExecuted, ctx.Err())
		}
	}
}

// try sends once.
func (c *Client) try(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%w: no time left", ErrNotExecuted)
	}
	pid := c.lookup.find(key{kind, identity})
	if pid == nil {
		return nil, fmt.Errorf("%w: no activation", ErrNotExecuted)
	}
	result, err := inquiry.Ask(ctx, c.cluster.ActorSystem, pid, command)
	if err != nil {
		if errors.Is(err, inquiry.ErrNotDelivered) {
			return nil, fmt.Errorf("%w: %w", ErrNotExecuted, err)
		}
		return nil, fmt.Errorf("ask %s/%s: %w", kind, identity, ErrUnknown)
	}
	reply, ok := result.(*messages.Reply)
	if !ok {
		return nil, fmt.Errorf("ask %s/%s: %w", kind, identity, ErrUnknown)
	}
	if reply.GetRefusal().GetKind() == kindRetry {
		return nil, fmt.Errorf("%w: %s", ErrNotExecuted, reply.GetRefusal().GetDetail())
	}
	return reply, nil
}

// Tell sends the command without waiting; it may get lost.
func (c *Client) Tell(kind, identity string, command *messages.Command) {
	if pid := c.lookup.find(key{kind, identity}); pid != nil {
		c.cluster.ActorSystem.Root.Send(pid, command)
	}
}
