package sqlite

import (
	"context"
	"fmt"
	"sync"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

var _ storage.Newest = (*Store)(nil)

// Newest returns a document that the journal has nothing newer about. What is read again and again is kept in memory.
func (s *Store) Newest(ctx context.Context, stream storage.Stream, c storage.Collection, id string) (storage.Document, uint64, error) {
	if s.index.ahead(stream) {
		return storage.Document{}, 0, storage.ErrNotFound
	}
	h, known, moves := s.index.find(stream)
	if known {
		if d, ok := s.newest.get(stream, h.last, id); ok {
			return d, h.last, usable(ctx, s.closed)
		}
	}
	d, version, stored, err := s.projected(ctx, stream, c, id)
	if err != nil {
		return storage.Document{}, 0, fmt.Errorf("newest %s %q: %w", c, id, err)
	}
	if !known && version > 0 {
		h = stored
		s.index.remember(stream, h, moves)
	}
	if version == 0 || version != h.last {
		return storage.Document{}, 0, fmt.Errorf("newest %s %q: %w", c, id, storage.ErrNotFound)
	}
	s.newest.put(stream, version, d)
	return d, version, nil
}

// projected reads a document, the version that it is of, 0 if there is none, and the stream's head, at one moment.
func (s *Store) projected(ctx context.Context, stream storage.Stream, c storage.Collection, id string) (d storage.Document, version uint64, h head, err error) {
	v := s.views[c]
	if v == nil {
		return d, 0, h, fmt.Errorf("unknown collection %q", c)
	}
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, v.newest, func(stmt *sqlite.Stmt) {
			bindStream(stmt, stream)
			bindID(stmt, 3, id)
		}, func(stmt *sqlite.Stmt) error {
			d, version = scanDocument(c, stmt), uint64(stmt.ColumnInt64(4))
			h = head{last: uint64(stmt.ColumnInt64(5)), number: stmt.ColumnInt64(6), ordinal: uint64(stmt.ColumnInt64(7))}
			return nil
		})
	})
	return d, version, h, err
}

// newestHalf is how many documents each half of the cache holds; one has about a kilobyte.
const newestHalf = 4096

// newest is a cache of documents. Those that were not asked for since recent was last full are forgotten.
type newest struct {
	mu            sync.Mutex
	recent, older map[storage.Stream]versioned
}

type versioned struct {
	version  uint64
	document storage.Document
}

func (n *newest) get(stream storage.Stream, version uint64, id string) (storage.Document, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, ok := n.recent[stream]
	if !ok {
		if v, ok = n.older[stream]; ok {
			n.keep(stream, v)
		}
	}
	return v.document, ok && v.version == version && v.document.ID == id
}

func (n *newest) put(stream storage.Stream, version uint64, d storage.Document) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keep(stream, versioned{version, d})
}

func (n *newest) keep(stream storage.Stream, v versioned) {
	if n.recent == nil || len(n.recent) >= newestHalf {
		n.older, n.recent = n.recent, make(map[storage.Stream]versioned)
	}
	n.recent[stream] = v
}
