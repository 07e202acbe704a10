package cluster

import (
	"log/slog"
	"time"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// publish makes the list the view, if it differs. It was asked for at that time.
func (m *Member) publish(leases []storage.Lease, asked time.Time) {
	before := m.view.Load()
	after := before.next(leases, time.Now())
	if after == nil {
		m.lookup.reclaim(asked)
		return
	}
	m.view.Store(after)
	close(before.superseded)
	m.lookup.reconsider()
	select {
	case m.changed <- struct{}{}:
	default:
	}
	level := slog.LevelInfo
	if m.membership == nil {
		level = slog.LevelDebug // nobody is there to whom it matters
	}
	m.config.Logger.Log(m.running, level, "membership changed", "member", m.self.Member, "members", len(after.leases), "owners", len(after.ring))
}

// spread tells the other members that the leases have changed: they need not wait until they list them anyway.
func (m *Member) spread() {
	for id, p := range m.view.Load().peers {
		if id != m.self.Member {
			m.system.Root.Send(p.door, &messages.Release{})
		}
	}
}

// tidy ends what this member does not own any more, after each change of the view. Connections to members that are gone
// end by themselves: to end them from here would also end those to a successor at the same address, and lose what is on
// its way to it.
func (m *Member) tidy() {
	for {
		select {
		case <-m.changed:
			m.lookup.shed(m.running)
		case <-m.running.Done():
			return
		}
	}
}
