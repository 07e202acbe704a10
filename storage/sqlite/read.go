package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	selectRow   = `SELECT number, prev, stream, ordinal, first, last, writer, serial FROM journal WHERE number = ?`
	selectEntry = `SELECT ` + rowColumns + ` FROM journal WHERE number = ?`
)

var errNoRow = errors.New("row is missing")

// source reads rows of the journal by their number, wherever they are; one caller at a time.
type source struct {
	conn *sqlite.Conn // of journal.db
	past *past
}

func (src *source) Close() error { return errors.Join(src.past.Close(), src.conn.Close()) }

// moved reads a row that is not in journal.db. Rows are deleted there after they have come to archive.db, together with a
// note about it, so one that is not to be found is there, or has been lost.
func (src *source) moved(number int64) (r sealedRow, err error) {
	archived, err := metaNumber(src.conn, metaArchived)
	if err != nil {
		return r, err
	}
	if number > archived {
		return r, damaged(number, "", errNoRow)
	}
	return src.past.row(number)
}

// row reads a row without its events.
func (src *source) row(number int64) (r row, err error) {
	found := false
	err = query(src.conn, selectRow,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, number) },
		func(stmt *sqlite.Stmt) error {
			r, found = scanRow(stmt), true
			return nil
		})
	if err == nil && !found {
		var archived sealedRow
		archived, err = src.moved(number)
		r = archived.row
	}
	return r, err
}

func (s *Store) readEntry(src *source, number int64) (r row, e storage.Entry, err error) {
	found := false
	err = query(src.conn, selectEntry,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, number) },
		func(stmt *sqlite.Stmt) (err error) {
			r, e, err = s.scanEntry(stmt)
			found = true
			return err
		})
	if err == nil && !found {
		var archived sealedRow
		if archived, err = src.moved(number); err == nil {
			r = archived.row
			e, err = s.archivedEntry(&archived)
		}
	}
	return r, e, err
}

// archivedEntry is entry for a row whose body is a part of a block: the entry outlives the block.
func (s *Store) archivedEntry(r *sealedRow) (storage.Entry, error) {
	own := *r
	own.body = append(make([]byte, 0, len(r.body)+sealRoom(r.stream)), r.body...)
	return s.entry(&own)
}

// walk visits the stream's entries from a row back to its first one, until visit returns false.
func (s *Store) walk(ctx context.Context, src *source, stream storage.Stream, number int64, visit func(storage.Entry) bool) error {
	return atOnce(src.conn, func() error { return s.walkRows(ctx, src, stream, number, visit) })
}

func (s *Store) walkRows(ctx context.Context, src *source, stream storage.Stream, number int64, visit func(storage.Entry) bool) error {
	for number > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, e, err := s.readEntry(src, number)
		if err != nil {
			return err
		}
		if r.stream != stream || r.prev >= number {
			return damaged(number, r.stream, fmt.Errorf("row does not belong to the chain of %s", stream))
		}
		if !visit(e) {
			return nil
		}
		number = r.prev
	}
	return nil
}

// Read returns the entries above after. It goes from milestone to milestone upwards, and from each one backwards.
func (s *Store) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	entries, err := s.read(ctx, stream, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s after %d: %w", stream, after, err)
	}
	return entries, nil
}

func (s *Store) read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	h, err := s.head(ctx, stream)
	if err != nil || after >= h.last {
		return nil, err
	}
	src, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(src)
	var entries []storage.Entry
	for after < h.last && (limit <= 0 || len(entries) < limit) {
		top, err := s.milestone(ctx, stream, h, after)
		if err != nil {
			return nil, err
		}
		start := len(entries)
		err = s.walk(ctx, src, stream, top.number, func(e storage.Entry) bool {
			if e.Last() > after {
				entries = append(entries, e)
			}
			return e.First > after+1
		})
		if err != nil {
			return nil, err
		}
		slices.Reverse(entries[start:])
		after = top.last
	}
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit:limit]
	}
	return entries, nil
}

// ReadBack returns the entries below before.
func (s *Store) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	entries, err := s.readBack(ctx, stream, before, limit)
	if err != nil {
		return nil, fmt.Errorf("read %s back from %d: %w", stream, before, err)
	}
	return entries, nil
}

func (s *Store) readBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	h, err := s.head(ctx, stream)
	if err != nil || before == 1 || h.last == 0 {
		return nil, err
	}
	src, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(src)
	top := milestone{last: h.last, number: h.number}
	if before > 0 && before <= h.last {
		if top, err = s.milestone(ctx, stream, h, before-2); err != nil {
			return nil, err
		}
	}
	var entries []storage.Entry
	err = s.walk(ctx, src, stream, top.number, func(e storage.Entry) bool {
		if before == 0 || e.First < before {
			entries = append(entries, e)
		}
		return limit <= 0 || len(entries) < limit
	})
	return entries, err
}

// scanChunk is how many entries Scan reads before it visits them: no transaction is open during a visit.
const scanChunk = 256

// Scan visits the entries in the order of commit.
func (s *Store) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	for number := int64(1); ; {
		entries, err := s.forward(ctx, number, scanChunk)
		if err != nil {
			return fmt.Errorf("scan from row %d: %w", number, err)
		}
		if len(entries) == 0 {
			return nil
		}
		for _, e := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := visit(e); err != nil {
				return err
			}
		}
		number += int64(len(entries))
	}
}

// forward reads rows from a number on; numbers have no gaps.
func (s *Store) forward(ctx context.Context, number int64, limit int) ([]storage.Entry, error) {
	src, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(src)
	var entries []storage.Entry
	err = atOnce(src.conn, func() error {
		archived, err := metaNumber(src.conn, metaArchived)
		if err != nil {
			return err
		}
		if number <= archived {
			entries, err = s.forwardPast(src.past, number, min(int64(limit), archived-number+1))
			return err
		}
		entries, err = s.forwardRows(src.conn, number, limit)
		return err
	})
	return entries, err
}

func (s *Store) forwardPast(p *past, number, count int64) ([]storage.Entry, error) {
	entries := make([]storage.Entry, count)
	for i := range entries {
		r, err := p.row(number + int64(i))
		if err != nil {
			return nil, err
		}
		if entries[i], err = s.archivedEntry(&r); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (s *Store) forwardRows(conn *sqlite.Conn, number int64, limit int) (entries []storage.Entry, err error) {
	err = query(conn, `SELECT `+rowColumns+` FROM journal WHERE number >= ? ORDER BY number LIMIT ?`,
		func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, number)
			stmt.BindInt64(2, int64(limit))
		},
		func(stmt *sqlite.Stmt) error {
			r, e, err := s.scanEntry(stmt)
			if err == nil && r.number != number+int64(len(entries)) {
				err = damaged(number+int64(len(entries)), r.stream, errNoRow)
			}
			entries = append(entries, e)
			return err
		})
	return entries, err
}
