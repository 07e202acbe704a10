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
	src, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(src)
	w, _ := s.index.writer(name)
	if limit <= 0 || after >= w.ends.serial {
		return nil, nil
	}
	var entries []storage.Entry
	err = atOnce(src.conn, func() error {
		entries, err = s.committedRows(ctx, src, w, after, limit)
		return err
	})
	return entries, err
}

// committedRows needs a transaction: in it, it is certain which rows are in which file.
func (s *Store) committedRows(ctx context.Context, src *source, w writerState, after uint64, limit int) ([]storage.Entry, error) {
	archived, err := metaNumber(src.conn, metaArchived)
	if err != nil {
		return nil, err
	}
	late, err := lateRows(src.conn, w.id, after, limit)
	if err != nil {
		return nil, err
	}
	start, err := firstAbove(ctx, src, archived, w, after)
	if err != nil {
		return nil, err
	}
	entries := make([]storage.Entry, 0, min(int64(limit), w.ends.last-start+1+int64(len(late))))
	takeLate := func(below uint64) error {
		for len(late) > 0 && late[0].serial < below && len(entries) < limit {
			_, e, err := s.readEntry(src, late[0].number)
			if err != nil {
				return err
			}
			entries, late = append(entries, e), late[1:]
		}
		return nil
	}
	err = s.inOrder(ctx, src, archived, w, start, limit, func(e storage.Entry) error {
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
func (s *Store) inOrder(ctx context.Context, src *source, archived int64, w writerState, from int64, limit int, visit func(storage.Entry) error) error {
	for ; from <= min(archived, w.ends.last) && limit > 0; from++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := src.past.row(from)
		if err != nil {
			return err
		}
		if r.writer != w.id {
			continue
		}
		e, err := s.archivedEntry(&r)
		if err != nil {
			return err
		}
		if err := visit(e); err != nil {
			return err
		}
		limit--
	}
	return query(src.conn, `SELECT `+rowColumns+` FROM journal WHERE number BETWEEN ? AND ? AND writer = +? ORDER BY number LIMIT +?`,
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
func firstAbove(ctx context.Context, src *source, archived int64, w writerState, after uint64) (int64, error) {
	low, high := w.ends.first, w.ends.last
	middle := low + (high-low)/2
	if low <= archived && archived+1 < high {
		middle = archived + 1 // what relay and projections come for is hardly ever in the archive
	}
	for low < high {
		number, serial, err := src.firstOf(ctx, archived, w.id, middle, high)
		if err != nil {
			return 0, err
		}
		if number == 0 || serial > after {
			high = middle
		} else {
			low = number + 1
		}
		middle = low + (high-low)/2
	}
	return low, nil
}

// firstOf finds the first row of a writer, in order, in a range.
func (src *source) firstOf(ctx context.Context, archived, writer, from, to int64) (number int64, serial uint64, err error) {
	for ; from <= min(archived, to); from++ {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		if r, err := src.past.row(from); err != nil || r.writer == writer {
			return r.number, r.serial, err
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	err = query(src.conn, `SELECT number, serial FROM journal WHERE number BETWEEN ? AND ? AND writer = +?
		ORDER BY number LIMIT 1`,
		func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, from)
			stmt.BindInt64(2, to)
			stmt.BindInt64(3, writer)
		},
		func(stmt *sqlite.Stmt) error {
			number, serial = stmt.ColumnInt64(0), uint64(stmt.ColumnInt64(1))
			return nil
		})
	return number, serial, err
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
