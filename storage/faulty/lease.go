package faulty

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Leases puts a membership under the store's rules: the steps are join, renew, retreat, leases and evict, and Cut ends
// the host's access to it too.
func (s *Store) Leases(inner storage.Leases) storage.Leases { return &leases{store: s, inner: inner} }

type leases struct {
	store *Store
	inner storage.Leases
}

// Join passes on.
func (l *leases) Join(ctx context.Context, lease storage.Lease, ttl time.Duration) error {
	return l.store.tell(ctx, Call{Step: Join, Member: lease.Member}, func(ctx context.Context) error {
		return l.inner.Join(ctx, lease, ttl)
	})
}

// Renew passes on.
func (l *leases) Renew(ctx context.Context, member string, ttl time.Duration) error {
	return l.store.tell(ctx, Call{Step: Renew, Member: member}, func(ctx context.Context) error {
		return l.inner.Renew(ctx, member, ttl)
	})
}

// Retreat passes on.
func (l *leases) Retreat(ctx context.Context, member string) error {
	return l.store.tell(ctx, Call{Step: Retreat, Member: member}, func(ctx context.Context) error {
		return l.inner.Retreat(ctx, member)
	})
}

// Leases passes on.
func (l *leases) Leases(ctx context.Context) (all []storage.Lease, now time.Time, err error) {
	call := func() (err error) { all, now, err = l.inner.Leases(ctx); return err }
	if err := l.store.do(ctx, Call{Step: Leases}, call, nil); err != nil {
		return nil, time.Time{}, err
	}
	return all, now, nil
}

// Evict passes on.
func (l *leases) Evict(ctx context.Context, seen storage.Lease) (bool, error) {
	evicted := false
	call := func() (err error) { evicted, err = l.inner.Evict(ctx, seen); return err }
	late := func() { _, _ = l.inner.Evict(context.WithoutCancel(ctx), seen) }
	if err := l.store.do(ctx, Call{Step: Evict, Member: seen.Member}, call, late); err != nil {
		return false, err
	}
	return evicted, nil
}
