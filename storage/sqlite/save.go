package sqlite

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// countKey is what products are counted by.
type countKey struct {
	category        string
	active, inStock bool
}

// aside is what documents change beside their rows.
type aside struct {
	counts map[countKey]int64 // differences
	words  []wording
}

func (a *aside) count(f facts, difference int64) {
	a.counts[countKey{f.category, f.active, f.inStock}] += difference
}

// Save stores what is newer, and the mark, in one transaction.
func (s *Store) Save(ctx context.Context, projections []storage.Projection, writer string, mark uint64) error {
	if err := s.save(ctx, projections, writer, mark); err != nil {
		return fmt.Errorf("save %d projections: %w", len(projections), err)
	}
	return nil
}

func (s *Store) save(ctx context.Context, projections []storage.Projection, writer string, mark uint64) error {
	marked := false
	var heads []head
	err := s.readTurn(ctx, func(conn *sqlite.Conn) error {
		if err := s.emptyCaches(conn); err != nil {
			return err
		}
		heads = s.index.headsOf(projections)
		changed, reached := aside{counts: map[countKey]int64{}}, int64(0)
		for i := range projections {
			runtime.Gosched() // whoever is ready goes first: buyers saw a whole batch of these in their slowest answers
			newer, err := s.saveProjection(conn, &projections[i], heads[i], &changed)
			if err != nil {
				return fmt.Errorf("%s: %w", projections[i].Stream, err)
			}
			if !newer {
				heads[i] = head{}
			}
			reached = max(reached, heads[i].number)
		}
		for key, difference := range changed.counts {
			if err := saveCount(conn, key, difference); err != nil {
				return err
			}
		}
		if err := saveWords(conn, changed.words); err != nil {
			return err
		}
		if err := reach(conn, reached); err != nil {
			return err
		}
		var err error
		marked, err = s.saveMark(conn, writer, mark)
		return err
	})
	if err != nil {
		return err
	}
	s.index.stored(projections, heads)
	if marked {
		s.index.update(writer, func(state *writerState) { state.projected = max(state.projected, mark) })
	}
	return nil
}

// savesPerCache is how many Saves fill what SQLite caches of pages.
const savesPerCache = 4

// emptyCaches drops what is cached of pages, of all connections, before that becomes too much. They share one limit, and
// who reaches it drops what was used last, instead of what was not used for longest: the root of an index was read again
// for each row. What is dropped has little worth, as any commit makes what others have of the file stale.
func (s *Store) emptyCaches(conn *sqlite.Conn) error {
	if s.saves++; s.saves%savesPerCache != 0 {
		return nil
	}
	return run(conn, `PRAGMA shrink_memory`) // carried out where it is prepared, so it can't be kept
}

// saveMark says whether the mark moves.
func (s *Store) saveMark(conn *sqlite.Conn, writer string, mark uint64) (bool, error) {
	if mark == 0 {
		return false, nil
	}
	state, err := s.index.enlistedWriter(writer)
	if err != nil || mark <= state.projected {
		return false, err
	}
	return true, query(conn, `INSERT OR REPLACE INTO marks(writer, projected) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, state.id)
		stmt.BindInt64(2, int64(mark))
	}, nil)
}

// saveProjection takes the stream's head along, if that is in memory: it shares the row, so that the tail need not be
// moved there for its sake. What is in memory is never older than what is in read.db.
func (s *Store) saveProjection(conn *sqlite.Conn, p *storage.Projection, h head, changed *aside) (newer bool, err error) {
	err = query(conn, `INSERT INTO streams(identity, kind, last, number, ordinal, version, due) VALUES(?,?,?,?,?,?,?)
		ON CONFLICT(identity, kind) DO UPDATE SET version = excluded.version, due = excluded.due,
			last = max(last, excluded.last), number = max(number, excluded.number), ordinal = max(ordinal, excluded.ordinal)
		WHERE version IS NULL OR excluded.version > version`, func(stmt *sqlite.Stmt) {
		bindStream(stmt, p.Stream)
		h.bind(stmt)
		stmt.BindInt64(6, int64(p.Version))
		if !p.Due.IsZero() {
			stmt.BindInt64(7, p.Due.UnixMilli())
		}
	}, nil)
	if err != nil || conn.Changes() == 0 {
		return false, err
	}
	if len(p.Snapshot) > 0 {
		err := query(conn, `INSERT OR REPLACE INTO snapshots(stream, snapshot) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
			stmt.BindText(1, string(p.Stream))
			stmt.BindBytes(2, p.Snapshot)
		}, nil)
		if err != nil {
			return false, err
		}
	}
	for i := range p.Documents {
		if err := s.saveDocument(conn, &p.Documents[i], changed); err != nil {
			return false, fmt.Errorf("document %s %s: %w", p.Documents[i].Collection, p.Documents[i].ID, err)
		}
	}
	return true, nil
}

func (s *Store) saveDocument(conn *sqlite.Conn, d *storage.Document, changed *aside) error {
	v := s.views[d.Collection]
	if v == nil {
		return fmt.Errorf("unknown collection %q", d.Collection)
	}
	if d.Collection == storage.Products {
		return v.saveProduct(conn, d, changed)
	}
	return v.save(conn, d)
}

func saveCount(conn *sqlite.Conn, key countKey, difference int64) error {
	if difference == 0 {
		return nil
	}
	bind := func(stmt *sqlite.Stmt) {
		stmt.BindText(1, key.category)
		stmt.BindBool(2, key.active)
		stmt.BindBool(3, key.inStock)
	}
	err := query(conn, `INSERT INTO product_counts(category, active, in_stock, n) VALUES(?,?,?,?)
		ON CONFLICT(category, active, in_stock) DO UPDATE SET n = n + excluded.n`, func(stmt *sqlite.Stmt) {
		bind(stmt)
		stmt.BindInt64(4, difference)
	}, nil)
	if err != nil || difference > 0 {
		return err
	}
	return query(conn, `DELETE FROM product_counts WHERE category = ? AND active = ? AND in_stock = ? AND n = 0`, bind, nil)
}

// readView runs f on a reading connection.
func (s *Store) readView(ctx context.Context, f func(*sqlite.Conn) error) error {
	conn, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.put(conn)
	return f(conn)
}

// Snapshot returns a stream's projection.
func (s *Store) Snapshot(ctx context.Context, stream storage.Stream) (p storage.Projection, err error) {
	found := false
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, `SELECT version, due, snapshot FROM streams LEFT JOIN snapshots ON stream = +?3
			WHERE identity = +?1 AND kind = +?2 AND version IS NOT NULL`,
			func(stmt *sqlite.Stmt) {
				bindStream(stmt, stream)
				stmt.BindText(3, string(stream))
			},
			func(stmt *sqlite.Stmt) error {
				found = true
				p = storage.Projection{Stream: stream, Version: uint64(stmt.ColumnInt64(0)), Due: columnInstant(stmt, 1),
					Snapshot: columnBlob(stmt, 2, 0)}
				return nil
			})
	})
	if err == nil && !found {
		err = storage.ErrNotFound
	}
	if err != nil {
		return storage.Projection{}, fmt.Errorf("snapshot %s: %w", stream, err)
	}
	return p, nil
}

// Due returns the streams whose deadline has come.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) (streams []storage.Stream, err error) {
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, `SELECT kind, identity FROM streams INDEXED BY streams_due WHERE due <= ?
			ORDER BY due, identity, kind LIMIT ?`,
			func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, at.UnixMilli())
				stmt.BindInt64(2, int64(max(limit, 0)))
			},
			func(stmt *sqlite.Stmt) error {
				streams = append(streams, storage.Stream(stmt.ColumnText(0)+stmt.ColumnText(1)))
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("due at %s: %w", at, err)
	}
	return streams, nil
}

// Reset deletes the projections; heads stay, they belong to the journal.
func (s *Store) Reset(ctx context.Context) error {
	err := s.readTurn(ctx, func(conn *sqlite.Conn) error {
		statements := []string{
			`UPDATE streams SET version = NULL, due = NULL WHERE version IS NOT NULL`, `DELETE FROM snapshots`, `DELETE FROM product_counts`,
			`DELETE FROM marks`, `DELETE FROM customers`,
			`INSERT INTO product_words(product_words) VALUES('delete-all')`,
		}
		for _, c := range collections {
			statements = append(statements, `DELETE FROM `+string(c))
		}
		if err := run(conn, statements...); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	for _, w := range s.index.writers {
		w.projected = 0
	}
	return nil
}
