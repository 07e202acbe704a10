// Package actorstest runs a member's entities in a test without network and cluster: a Shop is one life of one member on
// a store that outlives it. Kill ends that life as a crash does.
package actorstest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Policy is what a shop has configured unless a test says otherwise.
var Policy = order.Policy{TaxPPM: 100_000, ShippingFlat: 1000, Currency: "usd", ReservationTTL: 15 * time.Minute}

// Shop is one life of one member.
type Shop struct {
	Host   *actors.Host
	system *actor.ActorSystem
	desk   *inquiry.Desk

	mu     sync.Mutex
	live   map[storage.Stream]*actor.PID
	closed bool
	tells  sync.WaitGroup
}

// Open begins a life on the store. The test ends it, if it has not ended by then.
func Open(t testing.TB, c actors.Config) *Shop {
	t.Helper()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Policy == (order.Policy{}) {
		c.Policy = Policy
	}
	if c.Writer == "" {
		c.Writer = "local"
	}
	if c.FlushEvery == 0 {
		c.FlushEvery = 5 * time.Millisecond
	}
	s := &Shop{Host: actors.NewHost(c), live: make(map[storage.Stream]*actor.PID)}
	s.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	s.desk = inquiry.NewDesk(s.system)
	if err := s.Host.Start(t.Context()); err != nil {
		t.Fatalf("start host: %v", err)
	}
	s.Host.SetAsker(s, actors.Alone{})
	t.Cleanup(s.Kill)
	return s
}

// Kill ends this life at once: nothing more is written, nobody is answered.
func (s *Shop) Kill() {
	if s.close() {
		s.Host.Abort()
		s.stopAll()
	}
}

// Stop ends this life in an orderly way.
func (s *Shop) Stop() {
	if s.close() {
		s.stopAll()
		s.Host.Stop()
	}
}

func (s *Shop) close() (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, s.closed = !s.closed, true
	return first
}

func (s *Shop) stopAll() {
	s.tells.Wait()
	s.mu.Lock()
	live := slices.Collect(maps.Values(s.live))
	s.mu.Unlock()
	for _, pid := range live {
		_ = s.system.Root.PoisonFuture(pid).Wait()
	}
	s.system.Shutdown()
}

var errClosed = errors.New("this life has ended")

func (s *Shop) find(stream storage.Stream) (*actor.PID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if pid, ok := s.live[stream]; ok {
		return pid, nil
	}
	pid := s.system.Root.Spawn(s.Host.Props(stream.Kind()).Clone(actor.WithMailbox(inquiry.Mailbox(s.system, nil))))
	s.system.Root.Send(pid, &cluster.ClusterInit{Identity: &cluster.ClusterIdentity{Kind: stream.Kind(), Identity: stream.Identity()}})
	s.live[stream] = pid
	return pid, nil
}

func (s *Shop) forget(stream storage.Stream, pid *actor.PID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live[stream] == pid {
		delete(s.live, stream)
	}
}

// Ask implements actors.Asker.
func (s *Shop) Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	stream := storage.StreamOf(kind, identity)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if deadline, _ := ctx.Deadline(); command.GetDeadline() == 0 {
		command.Deadline = deadline.UnixMilli()
	}
	for ctx.Err() == nil {
		pid, err := s.find(stream)
		if err != nil {
			return nil, err
		}
		result, err := s.desk.Ask(ctx, pid, command)
		if reply, ok := result.(*messages.Reply); ok && reply.GetRefusal().GetKind() != 7 {
			return reply, nil
		}
		if err != nil && !errors.Is(err, inquiry.ErrNotDelivered) {
			return nil, err
		}
		s.forget(stream, pid)
	}
	return nil, ctx.Err()
}

// Tell implements actors.Asker.
func (s *Shop) Tell(kind, identity string, command *messages.Command) {
	if pid, err := s.find(storage.StreamOf(kind, identity)); err == nil {
		s.system.Root.Send(pid, command)
	}
}

// Sandbox makes a payment provider whose state outlives a shop, as the real one's does.
func Sandbox(t testing.TB) *gateway.Sandbox {
	t.Helper()
	sandbox, err := gateway.NewSandbox(gateway.SandboxConfig{Secret: []byte("a secret of the installation")})
	if err != nil {
		t.Fatalf("sandbox: %v", err)
	}
	t.Cleanup(func() { _ = sandbox.Close(context.Background()) })
	return sandbox
}
