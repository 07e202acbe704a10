package memory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Leases is a storage.Leases in this process's memory, for clusters whose members share it. Make it with NewLeases.
type Leases struct {
	mu      sync.Mutex
	clock   func() time.Time
	held    map[string]storage.Lease
	evicted map[string]bool
}

var _ storage.Leases = (*Leases)(nil)

// NewLeases makes an empty membership whose time is the clock's.
func NewLeases(clock func() time.Time) *Leases {
	return &Leases{clock: clock, held: map[string]storage.Lease{}, evicted: map[string]bool{}}
}

// Join stores a lease. To join again with the same address and writer is the same join, whose answer was lost.
func (l *Leases) Join(ctx context.Context, lease storage.Lease, ttl time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stored, there := l.held[lease.Member]
	switch {
	case l.evicted[lease.Member]:
		return fmt.Errorf("join as %s: %w", lease.Member, storage.ErrEvicted)
	case !there:
		lease.Expires = time.Time{}
		stored = lease
	case stored.Addr != lease.Addr || stored.Writer != lease.Writer:
		return fmt.Errorf("join as %s: the id is taken by %s at %s", lease.Member, stored.Writer, stored.Addr)
	}
	l.held[lease.Member] = l.extended(stored, ttl)
	return nil
}

// extended lets the lease expire ttl from now, or later if it does so already.
func (l *Leases) extended(lease storage.Lease, ttl time.Duration) storage.Lease {
	if until := milliseconds(l.clock().Add(ttl)); until.After(lease.Expires) {
		lease.Expires = until
	}
	return lease
}

// Renew extends a lease.
func (l *Leases) Renew(ctx context.Context, member string, ttl time.Duration) error {
	return l.change(ctx, member, func(lease storage.Lease) storage.Lease { return l.extended(lease, ttl) })
}

// Retreat marks a lease as leaving; repeating it is safe.
func (l *Leases) Retreat(ctx context.Context, member string) error {
	return l.change(ctx, member, func(lease storage.Lease) storage.Lease { lease.Leaving = true; return lease })
}

func (l *Leases) change(ctx context.Context, member string, change func(storage.Lease) storage.Lease) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, there := l.held[member]
	if !there {
		return fmt.Errorf("lease of %s: %w", member, storage.ErrEvicted)
	}
	l.held[member] = change(lease)
	return nil
}

// Leases returns all leases and the clock's time.
func (l *Leases) Leases(ctx context.Context) ([]storage.Lease, time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]storage.Lease, 0, len(l.held))
	for _, lease := range l.held {
		all = append(all, lease)
	}
	slices.SortFunc(all, func(a, b storage.Lease) int { return strings.Compare(a.Member, b.Member) })
	return all, milliseconds(l.clock()), nil
}

// Evict ends a lease, unless it was renewed since it was seen.
func (l *Leases) Evict(ctx context.Context, seen storage.Lease) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	lease, there := l.held[seen.Member]
	if !there || !lease.Expires.Equal(seen.Expires) {
		return false, nil
	}
	delete(l.held, seen.Member)
	l.evicted[seen.Member] = true
	return true, nil
}
