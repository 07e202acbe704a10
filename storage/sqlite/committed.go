package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Committed merges the writer's rows, in which serials rise, with those that came late. A call for what lies above the
// writer's last entry, the normal case of a relay that keeps up, reads nothing at all.
func (s *Store) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	entries, err := s.committed(ctx, writer, after, limit)
	if err != nil {
		return nil, fmt.Errorf("committed by %s after %d: %w", writer, after, err)
	}
	return entries, nil
}

func (s *Store) committed(ctx context.Context, name string, after uint64, limit int) ([]storage.Entry, error) {
	conn, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(conn)
	w, _ := s.index.writer(name)
	if limit <= 0 || after >= w.ends.serial {
		return nil, nil
	}
	late, err := lateRows(conn, w.id, after, limit)
	if err != nil {
		return nil, err
	}
	start, err := firstAbove(ctx, conn, w, after)
	if err != nil {
		return nil, err
	}
	entries := make([]storage.Entry, 0, min(int64(limit), w.ends.last-start+1+int64(len(late))))
	takeLate := func(below uint64) error {
		for len(late) > 0 && late[0].serial < below && len(entries) < limit {
			_, e, err := s.readEntry(conn, late[0].number)
			if err != nil {
				return err
			}
			entries, late = append(entries, e), late[1:]
		}
		return nil
	}
	err = s.inOrder(conn, w, start, limit, func(e storage.Entry) error {
		if err := takeLate(e.Number); err != nil {
			return err
		}
		if len(entries) < limit {
			entries = append(entries, e)
		}
		return nil
	})
	return entries, err
}

// inOrder visits the writer's rows from a number on, without those that came late. Its highest number is among them, so
// no late one lies above the last.
func (s *Store) inOrder(conn *sqlite.Conn, w writerState, from int64, limit int, visit func(storage.Entry) error) error {
	return query(conn, `SELECT `+rowColumns+` FROM journal WHERE number BETWEEN ? AND ? AND writer = +? ORDER BY number LIMIT +?`,
		func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, from)
			stmt.BindInt64(2, w.ends.last)
			stmt.BindInt64(3, w.id)
			stmt.BindInt64(4, int64(limit))
		},
		func(stmt *sqlite.Stmt) error {
			_, e, err := s.scanEntry(stmt)
			if err != nil {
				return err
			}
			return visit(e)
		})
}

// firstAbove finds, by bisection, a row from which on every row in order of the writer has a serial above after, and
// before which none has. Rows of other writers in between cost a longer look, nothing else.
func firstAbove(ctx context.Context, conn *sqlite.Conn, w writerState, after uint64) (int64, error) {
	low, high := w.ends.first, w.ends.last
	for low < high {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		middle := low + (high-low)/2
		number, serial := int64(0), uint64(0)
		err := query(conn, `SELECT number, serial FROM journal WHERE number BETWEEN ? AND ? AND writer = +?
			ORDER BY number LIMIT 1`,
			func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, middle)
				stmt.BindInt64(2, high)
				stmt.BindInt64(3, w.id)
			},
			func(stmt *sqlite.Stmt) error {
				number, serial = stmt.ColumnInt64(0), uint64(stmt.ColumnInt64(1))
				return nil
			})
		if err != nil {
			return 0, err
		}
		if number == 0 || serial > after {
			high = middle
		} else {
			low = number + 1
		}
	}
	return low, nil
}

type lateRow struct {
	serial uint64
	number int64
}

func lateRows(conn *sqlite.Conn, writer int64, after uint64, limit int) (rows []lateRow, err error) {
	err = query(conn, `SELECT serial, number FROM late WHERE writer = ? AND serial > ? ORDER BY serial LIMIT +?`,
		func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, writer)
			stmt.BindInt64(2, int64(after))
			stmt.BindInt64(3, int64(limit))
		},
		func(stmt *sqlite.Stmt) error {
			rows = append(rows, lateRow{uint64(stmt.ColumnInt64(0)), stmt.ColumnInt64(1)})
			return nil
		})
	return rows, err
}
