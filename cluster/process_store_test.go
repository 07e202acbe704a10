package cluster_test

import (
	"context"
	"fmt"
	"net"
	"net/rpc"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// Store is what the processes of a test share: the leases, a journal, and what they report. It is called by net/rpc.
type Store struct {
	leases *memory.Leases

	mu        sync.Mutex
	journal   map[string][]Entry // by stream
	conflicts int
	reports   map[string]Report // newest of each member
}

// Entry is one command that an entity has executed.
type Entry struct{ Command, Member string }

// Report is what a member has done so far.
type Report struct {
	Member  string
	Size    int
	Lost    bool
	Asked   int
	Acked   []string // ids of commands
	Failed  []string
	Longest time.Duration
	Slowest string // which one that was
}

func (r Report) brief() string {
	return fmt.Sprintf("%s: %d members, lost %v, %d answers, longest %v, failed %v", r.Member, r.Size, r.Lost, len(r.Acked), r.Longest, r.Failed)
}

type (
	// LeaseCall are the arguments of all calls about leases.
	LeaseCall struct {
		Lease storage.Lease
		TTL   time.Duration
	}
	// LeaseList is the answer of List.
	LeaseList struct {
		Leases []storage.Lease
		Now    time.Time
	}
	// AppendCall are the arguments of Append.
	AppendCall struct {
		Stream  string
		Version int
		Entry   Entry
	}
	// Nothing is no argument and no answer.
	Nothing struct{}
)

// evicted is how ErrEvicted travels: net/rpc turns errors into texts.
func evicted(err error, gone *bool) error {
	if *gone = err != nil; *gone {
		return nil
	}
	return err
}

// Join stores a lease.
func (s *Store) Join(c LeaseCall, _ *Nothing) error {
	return s.leases.Join(context.Background(), c.Lease, c.TTL)
}

// Renew extends one.
func (s *Store) Renew(c LeaseCall, gone *bool) error {
	return evicted(s.leases.Renew(context.Background(), c.Lease.Member, c.TTL), gone)
}

// Retreat marks one.
func (s *Store) Retreat(c LeaseCall, gone *bool) error {
	return evicted(s.leases.Retreat(context.Background(), c.Lease.Member), gone)
}

// List returns all.
func (s *Store) List(_ Nothing, list *LeaseList) (err error) {
	list.Leases, list.Now, err = s.leases.Leases(context.Background())
	return err
}

// Evict ends one.
func (s *Store) Evict(c LeaseCall, done *bool) (err error) {
	*done, err = s.leases.Evict(context.Background(), c.Lease)
	return err
}

// Load returns a stream.
func (s *Store) Load(stream string, entries *[]Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	*entries = append([]Entry{}, s.journal[stream]...)
	return nil
}

// Append adds to a stream that is at that version.
func (s *Store) Append(c AppendCall, done *bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *done = len(s.journal[c.Stream]) == c.Version; *done {
		s.journal[c.Stream] = append(s.journal[c.Stream], c.Entry)
	} else {
		s.conflicts++
	}
	return nil
}

// Report takes what a member has done.
func (s *Store) Report(r Report, _ *Nothing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports[r.Member] = r
	return nil
}

func (s *Store) report(member string) Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports[member]
}

// executed says how often each command was, and how many appends were fenced out.
func (s *Store) executed() (times map[string]int, conflicts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	times = map[string]int{}
	for _, entries := range s.journal {
		for _, e := range entries {
			times[e.Command]++
		}
	}
	return times, s.conflicts
}

// serveStore returns a store and its address.
func serveStore(t *testing.T) (*Store, string) {
	t.Helper()
	s := &Store{leases: memory.NewLeases(time.Now), journal: map[string][]Entry{}, reports: map[string]Report{}}
	server := rpc.NewServer()
	require.NoError(t, server.Register(s))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { server.ServeConn(connection) }) // until the process at the other end is gone
		}
	})
	t.Cleanup(func() { _ = listener.Close(); connections.Wait() })
	return s, listener.Addr().String()
}

// remoteStore is a process's way to the store.
type remoteStore struct{ *rpc.Client }

func (r remoteStore) call(ctx context.Context, method string, args, reply any) error {
	call := r.Go("Store."+method, args, reply, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outcome makes ErrEvicted of an answer.
func outcome(gone *bool, err error) error {
	if err == nil && *gone {
		return storage.ErrEvicted
	}
	return err
}

func (r remoteStore) Join(ctx context.Context, lease storage.Lease, ttl time.Duration) error {
	return r.call(ctx, "Join", LeaseCall{Lease: lease, TTL: ttl}, &Nothing{})
}

func (r remoteStore) Renew(ctx context.Context, member string, ttl time.Duration) error {
	gone := new(bool)
	return outcome(gone, r.call(ctx, "Renew", LeaseCall{Lease: storage.Lease{Member: member}, TTL: ttl}, gone))
}

func (r remoteStore) Retreat(ctx context.Context, member string) error {
	gone := new(bool)
	return outcome(gone, r.call(ctx, "Retreat", LeaseCall{Lease: storage.Lease{Member: member}}, gone))
}

func (r remoteStore) Leases(ctx context.Context) ([]storage.Lease, time.Time, error) {
	list := new(LeaseList)
	if err := r.call(ctx, "List", Nothing{}, list); err != nil {
		return nil, time.Time{}, err
	}
	return list.Leases, list.Now, nil
}

func (r remoteStore) Evict(ctx context.Context, seen storage.Lease) (bool, error) {
	done := new(bool)
	if err := r.call(ctx, "Evict", LeaseCall{Lease: seen}, done); err != nil {
		return false, err
	}
	return *done, nil
}

var _ storage.Leases = remoteStore{}
