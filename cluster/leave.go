package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/remote"

	"github.com/queuecommerce/queuecommerce/messages"
)

const (
	// drainTimeout bounds the end of all activations.
	drainTimeout = 30 * time.Second
	// partTimeout bounds each of the last steps of Stop.
	partTimeout = 2 * time.Second
	// farewellTimeout bounds the wait for the others to hear that this member is gone. They list the leases anyway, and one
	// that ends at the same time is no longer seen to end.
	farewellTimeout = 500 * time.Millisecond
)

// Leave hands everything over: the other members take over while this one ends its entities, each after it has finished
// what it has begun. Asking goes on working. It returns an error if the others could not be told or entities have not
// ended when ctx ends. The last member has nobody to hand over to, and goes on until Drain or Stop.
func (m *Member) Leave(ctx context.Context) error {
	if !slices.ContainsFunc(m.view.Load().ring, func(p *peer) bool { return p.id != m.self.Member }) {
		return nil
	}
	told := m.membership.retreat(ctx)
	if told != nil {
		told = fmt.Errorf("leave cluster: %w", told)
	}
	if err := m.lookup.close(ctx); err != nil {
		return errors.Join(told, fmt.Errorf("end all entities: %w", err))
	}
	return told
}

// Drain ends all entities of this member after they have finished what they had begun. It executes no command any more.
func (m *Member) Drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := m.lookup.close(ctx); err != nil {
		m.config.Logger.Warn("not all entities have stopped in time", "member", m.self.Member)
	}
}

// Stop ends all entities and this member. Without Leave before it, what they owned is out of reach until they have ended.
func (m *Member) Stop() {
	m.stop.Do(func() {
		m.Drain()
		there := m.settle(slices.Collect(maps.Values(m.view.Load().peers)), partTimeout)
		m.cancel()
		m.loops.Wait()
		m.resign()
		m.settle(there, farewellTimeout)
		m.disconnect()
		m.system.Shutdown()
		m.remote.Shutdown(false) // the graceful way only waits for streams that never end
	})
}

// settle waits until the peers have got all answers that this member has given, and know that the leases have changed. It
// returns those that have said so.
func (m *Member) settle(peers []*peer, within time.Duration) (there []*peer) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	arrived := make([]bool, len(peers))
	var questions sync.WaitGroup
	for i, p := range peers {
		if p.id != m.self.Member {
			questions.Go(func() { arrived[i] = m.arrived(ctx, p) })
		}
	}
	questions.Wait()
	for i, p := range peers {
		if arrived[i] {
			there = append(there, p)
		}
	}
	return there
}

// arrived waits until the peer has got everything that it was sent, or is gone.
func (m *Member) arrived(ctx context.Context, p *peer) bool {
	q := m.client.desk.Open()
	defer q.Close()
	m.system.Root.RequestWithCustomSender(p.door, &messages.Release{}, q.PID)
	for v := m.view.Load(); v.peers[p.id] != nil; v = m.view.Load() {
		select {
		case <-q.Answer:
			return true
		case <-v.superseded:
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// disconnect ends the connections to the other members. Nothing is sent any more.
func (m *Member) disconnect() {
	for id, p := range m.view.Load().peers {
		if id != m.self.Member {
			m.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: p.door.GetAddress()})
		}
	}
}

func (m *Member) resign() {
	if m.membership == nil {
		return
	}
	select {
	case <-m.membership.lost:
		return
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), partTimeout)
	defer cancel()
	if err := m.membership.resign(ctx); err != nil {
		m.config.Logger.Warn("own lease not ended; the others wait until it expires", "member", m.self.Member, "err", err)
	}
}
