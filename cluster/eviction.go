package cluster

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// evictDead ends the leases of members that had a full lifetime to renew them and did not, and of those at whose address
// this member is now. An outage of the store evicts nobody: after it, everybody has as long again.
func (m *membership) evictDead(ctx context.Context, leases []storage.Lease, now time.Time) {
	for _, l := range leases {
		switch {
		case l.Member == m.self:
		case l.Addr == m.addr:
			m.evict(ctx, l, "its address is another member's")
		case !l.Expires.After(now) && m.contact.lasted(m.ttl, time.Now()):
			m.evict(ctx, l, "lease has expired")
		}
	}
}

// evict ends a lease unless it has been renewed since it was seen. Only a member that is certain of its own may do it.
func (m *membership) evict(ctx context.Context, seen storage.Lease, why string) {
	if !m.current() || m.sinceRenewal() > m.ttl/2 {
		return
	}
	call, cancel := context.WithTimeout(ctx, m.callLimit())
	defer cancel()
	done, err := m.leases.Evict(call, seen)
	if err != nil {
		m.logger.Warn("member not evicted", "member", seen.Member, "reason", why, "err", err)
	}
	if done {
		m.logger.Warn("member evicted", "member", seen.Member, "addr", seen.Addr, "reason", why)
		m.spread()
		m.listSoon()
	}
}

// refusalsInARow of a member's port, while its lease is not renewed, are taken for the death of its process. It may be
// alive behind a network that refuses in its name: then it has stopped telling what it knows before its lease is ended.
const refusalsInARow = 3

// silent says whether the member can't be fresh any more.
func (k *listing) silent(l storage.Lease, ttl time.Duration) bool {
	now := k.now.Add(time.Since(k.heard))
	return !now.Before(l.Expires.Add(freshFor(ttl) - ttl))
}

// sighting is a member with one state of its lease; with the next renewal it is another one.
type sighting struct {
	member  string
	expires int64
}

// probe looks for members whose process has died, much sooner than their lease expires, until ctx ends.
func (m *membership) probe(ctx context.Context) {
	refusals := make(map[sighting]int)
	for every(ctx, m.probeEvery(), nil) {
		known := m.known.Load()
		if known == nil {
			continue
		}
		refused := m.refused(ctx, known.leases)
		before := refusals
		refusals = make(map[sighting]int, len(refused))
		for _, l := range refused {
			s := sighting{l.Member, l.Expires.UnixMilli()}
			if refusals[s] = before[s] + 1; refusals[s] >= refusalsInARow && known.silent(l, m.ttl) {
				m.evict(ctx, l, "port is closed")
			}
		}
	}
}

// refused returns those whose port actively refuses a connection. Silence and unreachable networks say nothing.
func (m *membership) refused(ctx context.Context, leases []storage.Lease) []storage.Lease {
	dialer := net.Dialer{Timeout: m.probeEvery()}
	closed := make([]bool, len(leases))
	var dials sync.WaitGroup
	for i, l := range leases {
		if l.Member == m.self {
			continue
		}
		dials.Go(func() {
			connection, err := dialer.DialContext(ctx, "tcp", l.Addr)
			if err == nil {
				connection.Close() //nolint:errcheck // nothing was sent
			}
			closed[i] = errors.Is(err, syscall.ECONNREFUSED)
		})
	}
	dials.Wait()
	var refused []storage.Lease
	for i, l := range leases {
		if closed[i] {
			refused = append(refused, l)
		}
	}
	return refused
}
