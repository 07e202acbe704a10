package storage

import (
	"context"
	"errors"
	"time"
)

// ErrEvicted says that the member's lease is no more: the others go on without it, and it must stop at once.
var ErrEvicted = errors.New("lease is no more")

// Lease says that a process is a member of the cluster, and until when nobody may doubt it.
type Lease struct {
	Member  string    // the member's id; never used by another process, nor by the next start of this one
	Addr    string    // host:port at which the other members reach it
	Writer  string    // its name in the journal
	Leaving bool      // it hands over what it has, and owns nothing any more
	Expires time.Time // by the store's clock; UTC, milliseconds
}

// Leases keeps the membership of a cluster where its entities are: who can't reach the journal can't own an order. All
// times are those of the store's clock. An error other than ErrEvicted leaves the outcome unknown; the call may be
// repeated. Safe for concurrent use.
type Leases interface {
	// Join stores a lease that expires after ttl. Joining again with the same address and writer is the same join; with
	// others it is an error.
	Join(ctx context.Context, lease Lease, ttl time.Duration) error
	// Renew lets the member's lease expire ttl from now, or from an earlier instant within the call; it never takes time
	// away. When the lease has been evicted, also just now by another member, it returns ErrEvicted, and never succeeds
	// again.
	Renew(ctx context.Context, member string, ttl time.Duration) error
	// Retreat marks the member's lease as leaving; ErrEvicted as for Renew.
	Retreat(ctx context.Context, member string) error
	// Leases returns all leases, expired ones too, sorted by member, and the store's time.
	Leases(ctx context.Context) (leases []Lease, now time.Time, err error)
	// Evict ends a lease if it still expires at the instant that seen says, and says whether it did: a member that
	// has renewed since stays. A lease that is no more is not evicted; so a repeat after a lost answer may say false.
	Evict(ctx context.Context, seen Lease) (bool, error)
}
