package cluster

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// membership keeps this member's lease and knows those of the others. Who can't reach the store where the leases are
// can't write to the journal either, and is no member soon.
type membership struct {
	leases  storage.Leases
	self    string // this member's id
	addr    string // and where it was found to be the one that is reached
	ttl     time.Duration
	logger  *slog.Logger
	publish func(leases []storage.Lease, asked time.Time) // told of every list, in order, and when it was asked for
	spread  func()                                        // tells the other members to list at once: this one has changed the leases
	broken  *broken                                       // told of every list, and of every one that could not be had

	born    time.Time
	renewed atomic.Int64 // when the last successful renewal began: nanoseconds since born, by the monotonic clock
	contact contact
	known   atomic.Pointer[listing]

	again chan struct{} // to list at once
	seen  chan struct{} // closed when this member is in the view
	lost  chan struct{} // closed when the others have gone on without this member
	once  sync.Once
}

// listing is what the store has said of the leases.
type listing struct {
	leases       []storage.Lease
	now          time.Time // by the store's clock
	asked, heard time.Time // before and after
}

func newMembership(leases storage.Leases, self storage.Lease, ttl time.Duration, logger *slog.Logger) *membership {
	m := &membership{leases: leases, self: self.Member, addr: self.Addr, ttl: ttl, logger: logger, born: time.Now(),
		again: make(chan struct{}, 1), seen: make(chan struct{}), lost: make(chan struct{})}
	m.renewed.Store(math.MinInt64 / 2) // never
	return m
}

// Shares of the lease's life, in parentheses at the default of 6 s.
func (m *membership) renewEvery() time.Duration { return m.ttl / 24 }      // (250 ms)
func (m *membership) freshFor() time.Duration   { return freshFor(m.ttl) } // (750 ms)
func (m *membership) listEvery() time.Duration  { return m.ttl / 20 }      // (300 ms)
func (m *membership) probeEvery() time.Duration { return m.ttl / 30 }      // (200 ms)
func (m *membership) callLimit() time.Duration  { return m.ttl / 3 }       // (2 s)

func freshFor(ttl time.Duration) time.Duration { return ttl / 8 }

// current says whether this member may act: its lease can't have expired, because the store counted from later on. A
// process that was stopped is not current from its first instruction on.
func (m *membership) current() bool { return m.renewedWithin(m.ttl) }

// fresh says whether nobody can have gone on without this member: a lease that was renewed just now is not ended even if
// this member's port refuses connections. What it writes is fenced by the journal; what it only tells is not.
func (m *membership) fresh() bool { return m.renewedWithin(m.freshFor()) }

func (m *membership) renewedWithin(d time.Duration) bool {
	select {
	case <-m.lost:
		return false
	default:
		return m.sinceRenewal() <= d
	}
}

func (m *membership) sinceRenewal() time.Duration {
	return time.Since(m.born) - time.Duration(m.renewed.Load())
}

// join makes this process a member; it must be reachable by then.
func (m *membership) join(ctx context.Context, lease storage.Lease) error {
	begun := time.Since(m.born)
	call, cancel := context.WithTimeout(ctx, m.callLimit())
	defer cancel()
	if err := m.leases.Join(call, lease, m.ttl); err != nil {
		return err
	}
	m.renewed.Store(int64(begun))
	return nil
}

// renew keeps the lease until ctx ends.
func (m *membership) renew(ctx context.Context) {
	failing := false
	for every(ctx, m.renewEvery(), nil) {
		begun := time.Since(m.born)
		call, cancel := context.WithTimeout(ctx, m.callLimit())
		err := m.leases.Renew(call, m.self, m.ttl)
		cancel()
		if err == nil {
			m.renewed.Store(int64(begun))
		}
		m.judge(ctx, "own lease", err, &failing)
	}
}

// list keeps the view up to date until ctx ends.
func (m *membership) list(ctx context.Context) {
	failing := false
	first := true
	for more := true; more; more = every(ctx, m.listEvery(), m.again) {
		asked := time.Now()
		call, cancel := context.WithTimeout(ctx, m.callLimit())
		leases, now, err := m.leases.Leases(call)
		cancel()
		m.judge(ctx, "list of members", err, &failing)
		if ctx.Err() == nil {
			m.broken.judge(leases, err, asked)
		}
		if err != nil {
			continue
		}
		if !slices.ContainsFunc(leases, func(l storage.Lease) bool { return l.Member == m.self }) {
			m.lose("not in the list of members any more")
			return
		}
		m.known.Store(&listing{leases: leases, now: now, asked: asked, heard: time.Now()})
		m.publish(leases, asked)
		if first {
			close(m.seen)
			first = false
		}
		m.evictDead(ctx, leases, now)
	}
}

// gone says whether certainly no member writes under that name.
func (m *membership) gone(writer string) bool {
	known := m.known.Load()
	if known == nil || !m.current() || time.Since(known.asked) > m.ttl/2 {
		return false
	}
	return !slices.ContainsFunc(known.leases, func(l storage.Lease) bool { return l.Writer == writer })
}

// judge takes the outcome of a call to the store. The log has the first of a row of failures, and its end.
func (m *membership) judge(ctx context.Context, what string, err error, failing *bool) {
	switch {
	case err == nil:
		m.contact.made(time.Now(), m.ttl/2)
		if *failing {
			m.logger.Info("store answers again", "member", m.self, "what", what)
		}
		*failing = false
	case ctx.Err() != nil:
	case errors.Is(err, storage.ErrEvicted):
		m.lose("evicted")
	default:
		m.contact.lost()
		if !*failing {
			m.logger.Warn("store does not answer", "member", m.self, "what", what, "err", err)
		}
		*failing = true
	}
}

func (m *membership) lose(why string) {
	m.once.Do(func() {
		m.logger.Error("no member any more", "member", m.self, "reason", why)
		close(m.lost)
	})
}

// listSoon makes the next list come at once.
func (m *membership) listSoon() {
	select {
	case m.again <- struct{}{}:
	default:
	}
}

// retreat tells the others to take over.
func (m *membership) retreat(ctx context.Context) error {
	for pause := m.listEvery(); ; {
		call, cancel := context.WithTimeout(ctx, m.callLimit())
		err := m.leases.Retreat(call, m.self)
		cancel()
		switch {
		case err == nil:
			m.spread()
			m.listSoon()
			return nil
		case errors.Is(err, storage.ErrEvicted):
			m.lose("evicted")
			return err
		case !wait(ctx, pause):
			return err
		}
	}
}

// resign ends this member's lease, so that the others need not wait until it expires. Nothing renews it any more, but a
// renewal may still be on its way.
func (m *membership) resign(ctx context.Context) error {
	for {
		leases, _, err := m.leases.Leases(ctx)
		if err != nil {
			return err
		}
		own := slices.IndexFunc(leases, func(l storage.Lease) bool { return l.Member == m.self })
		if own < 0 {
			return nil
		}
		if done, err := m.leases.Evict(ctx, leases[own]); done || err != nil {
			return err
		}
	}
}

// every waits for the period, or until it is asked to come sooner. False: ctx has ended.
func every(ctx context.Context, period time.Duration, sooner <-chan struct{}) bool {
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-sooner:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// contact is since when the store has answered without interruption.
type contact struct {
	mu    sync.Mutex
	since time.Time // zero: it does not
	last  time.Time
}

// made notes an answer. A pause longer than gap, as of a process that was stopped, is an interruption too.
func (c *contact) made(now time.Time, gap time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() || now.Sub(c.last) > gap {
		c.since = now
	}
	c.last = now
}

// lost notes a failure.
func (c *contact) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Time{}
}

// lasted says whether there has been contact for that long.
func (c *contact) lasted(d time.Duration, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.since.IsZero() && now.Sub(c.since) >= d
}
