package mongo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	leaseConnections = 4              // of a client of their own: a store that is busy with orders must not delay a renewal
	evictedFor       = 24 * time.Hour // how long an evicted member is remembered, so that nothing late brings it back
)

// leases is a storage.Leases on one small collection. An eviction is a mark on the lease, not its end: a Join or Renew
// that arrives late finds it. Every change is one conditional write on one document, by its _id.
//
// Instants are those of the server that answers, so the clocks of a replica set must agree to well within a lease's time.
// The clock is read before the write that depends on it: a lease ends rather too early than too late. A renewal never
// takes time away, so one that arrives late does no harm.
type leases struct {
	client  *driver.Client
	members *driver.Collection
	gate    *gate // the store's
}

var _ storage.Leases = (*leases)(nil)

type leaseDocument struct {
	Member  string    `bson:"_id"`
	Addr    string    `bson:"addr"`
	Writer  string    `bson:"writer"`
	Leaving bool      `bson:"leaving"`
	Expires time.Time `bson:"expires"`
	Evicted bool      `bson:"evicted"`
}

func (d leaseDocument) lease() storage.Lease {
	return storage.Lease{Member: d.Member, Addr: d.Addr, Writer: d.Writer, Leaving: d.Leaving, Expires: d.Expires.UTC()}
}

// Leases returns the membership that is kept beside the orders. Its few connections are opened when it is first used, and
// closed with the store.
func (s *Store) Leases() (storage.Leases, error) {
	if err := s.gate.enter(context.Background()); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	s.leasing.Lock()
	defer s.leasing.Unlock()
	if s.leases != nil {
		return s.leases, nil
	}
	opts := s.config.clientOptions().SetAppName("queuecommerce-leases").SetMinPoolSize(1).SetMaxPoolSize(leaseConnections)
	client, err := driver.Connect(opts)
	if err != nil {
		return nil, fmt.Errorf("connect to mongodb for leases: %w", err)
	}
	members := client.Database(s.config.Prefix+"_"+shardNames[orders]).Collection(membersName, truth())
	s.leases = &leases{client: client, members: members, gate: &s.gate}
	return s.leases, nil
}

// held selects the member's lease while it has not been evicted.
func held(member string) bson.D {
	return bson.D{{Key: keyID, Value: member}, {Key: "evicted", Value: false}}
}

// extended lets a lease expire at an instant, or later if it does so already.
func extended(until time.Time) bson.D {
	return bson.D{{Key: "$max", Value: bson.D{{Key: "expires", Value: bson.NewDateTimeFromTime(until)}}}}
}

// Join stores a lease. To join again with the same address and writer is the same join, whose answer was lost.
func (l *leases) Join(ctx context.Context, lease storage.Lease, ttl time.Duration) error {
	if err := l.gate.enter(ctx); err != nil {
		return err
	}
	defer l.gate.leave()
	if err := l.join(ctx, lease, ttl); err != nil {
		return fmt.Errorf("join as %s: %w", lease.Member, err)
	}
	return nil
}

func (l *leases) join(ctx context.Context, lease storage.Lease, ttl time.Duration) error {
	now, err := l.now(ctx)
	if err != nil {
		return err
	}
	if err := l.forget(ctx, now.Add(-evictedFor)); err != nil {
		return err
	}
	_, err = l.members.InsertOne(ctx, leaseDocument{
		Member: lease.Member, Addr: lease.Addr, Writer: lease.Writer, Leaving: lease.Leaving, Expires: now.Add(ttl),
	})
	if !driver.IsDuplicateKeyError(err) {
		return err
	}
	same := append(held(lease.Member), bson.E{Key: "addr", Value: lease.Addr}, bson.E{Key: "writer", Value: lease.Writer})
	changed, err := l.change(ctx, same, extended(now.Add(ttl)))
	if err != nil || changed {
		return err
	}
	stored, err := l.find(ctx, lease.Member)
	if err != nil {
		return err
	}
	if stored.Addr != lease.Addr || stored.Writer != lease.Writer {
		return fmt.Errorf("the id is taken by %s at %s", stored.Writer, stored.Addr)
	}
	return errNotVisible
}

// forget deletes the marks of members that were evicted long ago.
func (l *leases) forget(ctx context.Context, before time.Time) error {
	old := bson.D{
		{Key: "evicted", Value: true},
		{Key: "expires", Value: bson.D{{Key: "$lt", Value: bson.NewDateTimeFromTime(before)}}},
	}
	if _, err := l.members.DeleteMany(ctx, old); err != nil {
		return fmt.Errorf("forget evicted members: %w", err)
	}
	return nil
}

// Renew extends a lease. After an error other than storage.ErrEvicted it may have done so; the caller does it again.
func (l *leases) Renew(ctx context.Context, member string, ttl time.Duration) error {
	if err := l.gate.enter(ctx); err != nil {
		return err
	}
	defer l.gate.leave()
	now, err := l.now(ctx)
	if err == nil {
		err = l.update(ctx, member, extended(now.Add(ttl)))
	}
	if err != nil {
		return fmt.Errorf("renew lease of %s: %w", member, err)
	}
	return nil
}

// Retreat marks a lease as leaving; repeating it is safe.
func (l *leases) Retreat(ctx context.Context, member string) error {
	if err := l.gate.enter(ctx); err != nil {
		return err
	}
	defer l.gate.leave()
	leaving := bson.D{{Key: "$set", Value: bson.D{{Key: "leaving", Value: true}}}}
	if err := l.update(ctx, member, leaving); err != nil {
		return fmt.Errorf("retreat of %s: %w", member, err)
	}
	return nil
}

// update changes the member's lease, or says that it is no more, which only a majority's word proves: an eviction that a
// failover takes back must not stop a member.
func (l *leases) update(ctx context.Context, member string, change bson.D) error {
	changed, err := l.change(ctx, held(member), change)
	if err != nil || changed {
		return err
	}
	if _, err := l.find(ctx, member); err != nil {
		return err
	}
	return errNotVisible
}

// find returns the lease that a majority holds, or storage.ErrEvicted.
func (l *leases) find(ctx context.Context, member string) (leaseDocument, error) {
	var stored leaseDocument
	err := l.members.FindOne(ctx, bson.D{{Key: keyID, Value: member}}).Decode(&stored)
	if errors.Is(err, driver.ErrNoDocuments) || (err == nil && stored.Evicted) {
		return stored, storage.ErrEvicted
	}
	return stored, err
}

// change does an update where the filter holds, and says whether it did.
func (l *leases) change(ctx context.Context, filter, update bson.D) (bool, error) {
	err := l.members.FindOneAndUpdate(ctx, filter, update).Err()
	if errors.Is(err, driver.ErrNoDocuments) {
		return false, nil
	}
	return err == nil, err
}

// Leases returns the leases that a majority holds, and the server's time from just before.
func (l *leases) Leases(ctx context.Context) ([]storage.Lease, time.Time, error) {
	if err := l.gate.enter(ctx); err != nil {
		return nil, time.Time{}, err
	}
	defer l.gate.leave()
	now, err := l.now(ctx)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list leases: %w", err)
	}
	opts := options.Find().SetSort(bson.D{{Key: keyID, Value: 1}})
	cursor, err := l.members.Find(ctx, bson.D{{Key: "evicted", Value: false}}, opts)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("list leases: %w", err)
	}
	var documents []leaseDocument
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, time.Time{}, fmt.Errorf("list leases: %w", err)
	}
	all := make([]storage.Lease, len(documents))
	for i, d := range documents {
		all[i] = d.lease()
	}
	return all, now, nil
}

// Evict marks a lease as no more, unless it was renewed since it was seen. After an error it may be no more; a repeat
// then says false.
func (l *leases) Evict(ctx context.Context, seen storage.Lease) (bool, error) {
	if err := l.gate.enter(ctx); err != nil {
		return false, err
	}
	defer l.gate.leave()
	still := append(held(seen.Member), bson.E{Key: "expires", Value: bson.NewDateTimeFromTime(seen.Expires)})
	evicted, err := l.change(ctx, still, bson.D{{Key: "$set", Value: bson.D{{Key: "evicted", Value: true}}}})
	if err != nil {
		return false, fmt.Errorf("evict %s: %w", seen.Member, err)
	}
	return evicted, nil
}

// now is the time of the server that takes the writes. The command has its old name, by which the driver calls it too and
// which every server knows.
func (l *leases) now(ctx context.Context) (time.Time, error) {
	var hello struct {
		Now time.Time `bson:"localTime"`
	}
	command := bson.D{{Key: "isMaster", Value: 1}}
	opts := options.RunCmd().SetReadPreference(readpref.Primary())
	if err := l.client.Database("admin").RunCommand(ctx, command, opts).Decode(&hello); err != nil {
		return time.Time{}, fmt.Errorf("ask for the server's time: %w", err)
	}
	if hello.Now.IsZero() {
		return time.Time{}, errors.New("the server does not tell its time")
	}
	return hello.Now.UTC(), nil
}
