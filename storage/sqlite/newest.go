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
func (s *Store) Newest(ctx context.Context, stream storage.Stream, c storage.Collection, id string) (storage.Document, storage.Projection, error) {
	d, p, err := s.newestDocument(ctx, stream, c, id)
	if err != nil {
		return storage.Document{}, storage.Projection{}, fmt.Errorf("newest %s %q: %w", c, id, err)
	}
	return d, p, nil
}

func (s *Store) newestDocument(ctx context.Context, stream storage.Stream, c storage.Collection, id string) (d storage.Document, p storage.Projection, err error) {
	if s.index.ahead(stream) {
		return d, p, storage.ErrNotFound
	}
	h, known, moves := s.index.find(stream)
	if known {
		if k, ok := s.newest.get(stream, h.last, id); ok {
			return k.document, k.projection, usable(ctx, s.closed)
		}
	}
	d, p, stored, err := s.projected(ctx, stream, c, id)
	if err != nil {
		return d, p, err
	}
	if !known && p.Version > 0 {
		h = stored
		s.index.remember(stream, h, moves)
	}
	if p.Version == 0 || p.Version != h.last {
		return d, p, storage.ErrNotFound
	}
	s.newest.put(stream, kept{p, d})
	return d, p, nil
}

// projected reads a document, the projection that it is of, of version 0 if there is none, and the stream's head, at one
// moment.
func (s *Store) projected(ctx context.Context, stream storage.Stream, c storage.Collection, id string) (d storage.Document, p storage.Projection, h head, err error) {
	v := s.views[c]
	if v == nil {
		return d, p, h, fmt.Errorf("unknown collection %q", c)
	}
	rows := scanner{collection: c, limit: 1}
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, v.newest, func(stmt *sqlite.Stmt) {
			bindStream(stmt, stream)
			bindID(stmt, 3, id)
		}, func(stmt *sqlite.Stmt) error {
			d = rows.scan(stmt)
			p = storage.Projection{Stream: stream, Version: uint64(stmt.ColumnInt64(4)), Due: columnInstant(stmt, 8)}
			h = head{last: uint64(stmt.ColumnInt64(5)), number: stmt.ColumnInt64(6), ordinal: uint64(stmt.ColumnInt64(7))}
			return nil
		})
	})
	return d, p, h, err
}

// newestHalf is how many documents each half of the cache holds; one has about a kilobyte.
const newestHalf = 12_288

// newest is a cache of documents. Those that were not asked for since recent was last full are forgotten.
type newest struct {
	mu            sync.Mutex
	recent, older map[storage.Stream]kept
}

type kept struct {
	projection storage.Projection
	document   storage.Document
}

func (n *newest) get(stream storage.Stream, version uint64, id string) (kept, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, ok := n.recent[stream]
	if !ok {
		if k, ok = n.older[stream]; ok {
			n.keep(stream, k)
		}
	}
	return k, ok && k.projection.Version == version && k.document.ID == id
}

func (n *newest) put(stream storage.Stream, k kept) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keep(stream, k)
}

func (n *newest) keep(stream storage.Stream, k kept) {
	if n.recent == nil || len(n.recent) >= newestHalf {
		n.older, n.recent = n.recent, make(map[storage.Stream]kept)
	}
	n.recent[stream] = k
}
