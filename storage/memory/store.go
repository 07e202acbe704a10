// Package memory is a storage.Store in this process's memory, for tests. It keeps the whole contract except durability,
// which it plays: a Store is the disk, and Close ends only a use of it. A test that crashes a host keeps the *Store and
// attaches a new host to it. It is not for production: every call takes one lock, and lists look at every document.
package memory

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

var _ storage.Store = (*Store)(nil)

// Store keeps everything in maps. Make it with New.
type Store struct {
	mu       sync.RWMutex
	journal  []*storage.Entry                      // in the order of commit
	streams  map[storage.Stream][]*storage.Entry   // each in sequence
	numbers  map[string][]*storage.Entry           // by writer, each by number
	writers  map[string]*storage.Marks             // those enlisted
	secrets  map[string][]byte                     //
	streamed map[storage.Stream]storage.Projection // without documents
	views    map[storage.Collection]map[string]storage.Document
}

// New makes an empty store.
func New() *Store {
	s := &Store{
		streams: map[storage.Stream][]*storage.Entry{},
		numbers: map[string][]*storage.Entry{},
		writers: map[string]*storage.Marks{},
		secrets: map[string][]byte{},
	}
	s.clearProjections()
	return s
}

func (s *Store) clearProjections() {
	s.streamed = map[storage.Stream]storage.Projection{}
	s.views = map[storage.Collection]map[string]storage.Document{
		storage.Orders: {}, storage.Products: {}, storage.Reservations: {}, storage.Payments: {},
	}
}

// Secret returns the secret of that name.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets[name] == nil {
		secret := make([]byte, 32)
		rand.Read(secret)
		s.secrets[name] = secret
	}
	return append([]byte(nil), s.secrets[name]...), nil
}

// Ping returns nil: memory is always there.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Close ends one use; the store keeps what it holds and can be used again.
func (s *Store) Close() error { return nil }

// milliseconds cuts an instant the way stores on disk do.
func milliseconds(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func unknownWriter(name string) error { return fmt.Errorf("writer %s: %w", name, storage.ErrNotFound) }
