package sqlite

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// head returns where a stream ends.
func (s *Store) head(ctx context.Context, stream storage.Stream) (head, error) {
	h, known, moves := s.index.find(stream)
	if known {
		return h, usable(ctx, s.closed)
	}
	conn, err := s.readers.take(ctx)
	if err != nil {
		return head{}, err
	}
	defer s.readers.put(conn)
	if h, err = storedHead(conn, stream); err != nil {
		return head{}, err
	}
	s.index.remember(stream, h, moves)
	return h, nil
}

// bindStream binds a stream's key. The identity comes first in it: an order and its payment share theirs, and so lie side
// by side. The kind keeps its slash, so that kind and identity together are the stream.
func bindStream(stmt *sqlite.Stmt, stream storage.Stream) {
	at := strings.IndexByte(string(stream), '/') + 1
	stmt.BindText(1, string(stream[at:]))
	stmt.BindText(2, string(stream[:at]))
}

// storeHead writes a head, unless read.db has a later one.
func storeHead(conn *sqlite.Conn, stream storage.Stream, h head) error {
	return query(conn, `INSERT INTO streams(identity, kind, last, number, ordinal) VALUES(?,?,?,?,?)
		ON CONFLICT(identity, kind) DO UPDATE SET last = excluded.last, number = excluded.number, ordinal = excluded.ordinal
		WHERE excluded.number > number`, func(stmt *sqlite.Stmt) {
		bindStream(stmt, stream)
		h.bind(stmt)
	}, nil)
}

// bind binds a head behind its stream.
func (h head) bind(stmt *sqlite.Stmt) {
	stmt.BindInt64(3, int64(h.last))
	stmt.BindInt64(4, h.number)
	stmt.BindInt64(5, int64(h.ordinal))
}

// storedHead reads a head from read.db; the zero head if it has none.
func storedHead(conn *sqlite.Conn, stream storage.Stream) (h head, err error) {
	err = query(conn, `SELECT last, number, ordinal FROM streams WHERE identity = ? AND kind = ?`,
		func(stmt *sqlite.Stmt) { bindStream(stmt, stream) },
		func(stmt *sqlite.Stmt) error {
			h = head{last: uint64(stmt.ColumnInt64(0)), number: stmt.ColumnInt64(1), ordinal: uint64(stmt.ColumnInt64(2))}
			return nil
		})
	if err != nil {
		return head{}, fmt.Errorf("head of %s: %w", stream, err)
	}
	return h, nil
}

// milestone returns the lowest known place of the stream that ends above a sequence, at worst its head: who walks back
// from there sees every entry above the sequence, and few that lie higher than asked for.
func (s *Store) milestone(ctx context.Context, stream storage.Stream, h head, above uint64) (milestone, error) {
	end := milestone{last: h.last, number: h.number}
	if h.ordinal < stride || h.last <= above+stride {
		return end, nil
	}
	if m, ok := s.index.milestone(stream, above); ok {
		end = m
	}
	conn, err := s.readers.take(ctx)
	if err != nil {
		return end, err
	}
	defer s.readers.put(conn)
	err = query(conn, `SELECT last, number FROM milestones WHERE stream = ? AND last > ? ORDER BY last LIMIT 1`,
		func(stmt *sqlite.Stmt) {
			stmt.BindText(1, string(stream))
			stmt.BindInt64(2, int64(above))
		},
		func(stmt *sqlite.Stmt) error {
			end = milestone{uint64(stmt.ColumnInt64(0)), stmt.ColumnInt64(1)} // those in memory are later ones
			return nil
		})
	if err != nil {
		return end, fmt.Errorf("milestone of %s: %w", stream, err)
	}
	return end, nil
}
