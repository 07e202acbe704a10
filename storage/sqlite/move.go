package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// stepRows is about how many rows one step moves: few enough that an append which waits for the step does so for a few
// milliseconds.
const stepRows = 512

// Moved says what was moved to archive.db.
type Moved struct {
	Entries int64
	Freed   int64 // bytes in journal.db that are there for new entries now: the file does not shrink
	Written int64 // bytes of the blocks in archive.db
}

func (m *Moved) add(step Moved) {
	m.Entries += step.Entries
	m.Freed += step.Freed
	m.Written += step.Written
}

// Archive moves the oldest entries to archive.db, all that were older than after at the instant now and that the projections
// hold. It stops before the first entry that has to stay, and at the last one that fills a block.
func (s *Store) Archive(ctx context.Context, now time.Time, after time.Duration) (moved Moved, err error) {
	defer s.archive.rest()
	for {
		step, err := s.archiveStep(ctx, now, after)
		if err != nil {
			return moved, fmt.Errorf("archive: %w", err)
		}
		if step.Entries == 0 {
			return moved, nil
		}
		moved.add(step)
	}
}

// archiveStep moves some rows:
//  1. read them, and prove that they are what was written: what is damaged stays where somebody may still mend it;
//  2. write them to archive.db, durably;
//  3. read them from there and compare;
//  4. delete them from journal.db and note that, in one transaction.
//
// A process that dies in between leaves rows in both files. Those of journal.db count, and the next step begins with them.
func (s *Store) archiveStep(ctx context.Context, now time.Time, after time.Duration) (moved Moved, err error) {
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	rows, err := s.movable(ctx, now, after)
	if err != nil || len(rows) == 0 {
		return moved, err
	}
	if moved.Written, err = s.archive.write(rows); err != nil {
		return moved, fmt.Errorf("%s: %w", archiveName, err)
	}
	if err := s.archive.compare(rows); err != nil {
		return moved, fmt.Errorf("%s: %w", archiveName, err)
	}
	moved.Entries = int64(len(rows))
	if moved.Freed, err = s.remove(ctx, rows[0].number, moved.Entries); err != nil {
		return moved, fmt.Errorf("%s: %w", journalName, err)
	}
	return moved, nil
}

// movable returns the next rows that may be moved, as many as one step moves and as fill blocks. Only what read.db knows of
// may go, so that a start reads nothing from the archive, and only what projections hold: who makes those again after a crash
// reads it back. Events that wait for the broker don't keep rows here. In a shop without one they wait for ever, and a relay
// that comes back after a week reads the archive as fast as it can publish.
func (s *Store) movable(ctx context.Context, now time.Time, after time.Duration) ([]sealedRow, error) {
	rows, err := s.oldest(ctx, now, after)
	if rows = s.archive.whole(rows); err != nil || len(rows) == 0 {
		return nil, err
	}
	last := rows[len(rows)-1].number
	watermark, err := s.watermark(ctx)
	if err == nil && watermark < last {
		if err = s.flush(ctx); err == nil {
			watermark, err = s.watermark(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", readName, err)
	}
	return s.archive.whole(rows[:max(0, int64(len(rows))-max(0, last-watermark))]), nil
}

// whole leaves out rows that don't fill a block.
func (a *archive) whole(rows []sealedRow) []sealedRow {
	return rows[:int64(len(rows))/a.rows*a.rows]
}

func (s *Store) watermark(ctx context.Context) (int64, error) {
	conn, err := s.readers.take(ctx)
	if err != nil {
		return 0, err
	}
	defer s.readers.put(conn)
	return metaNumber(conn, metaWatermark)
}

// oldest reads rows from the beginning of journal.db to the first one that is too young or not projected.
func (s *Store) oldest(ctx context.Context, now time.Time, after time.Duration) (rows []sealedRow, err error) {
	src, err := s.journalReaders.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.journalReaders.put(src)
	unprojected := s.index.unprojected()
	archived, err := metaNumber(src.conn, metaArchived)
	if err != nil {
		return nil, err
	}
	err = query(src.conn, `SELECT `+rowColumns+` FROM journal WHERE number > ? ORDER BY number LIMIT ?`,
		func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, archived)
			stmt.BindInt64(2, max(1, stepRows/s.archive.rows)*s.archive.rows)
		},
		func(stmt *sqlite.Stmt) error {
			r := scanSealed(stmt)
			if want := archived + int64(len(rows)) + 1; r.number != want {
				return damaged(want, r.stream, errNoRow)
			}
			e, err := s.entry(&r)
			if err != nil {
				return err
			}
			from, enlisted := unprojected[max(r.writer, -r.writer)]
			if (enlisted && r.serial >= from) || young(e, now, after) {
				return errStays
			}
			rows = append(rows, r)
			return nil
		})
	if errors.Is(err, errStays) {
		err = nil
	}
	return rows, err
}

var errStays = errors.New("row stays in the journal")

// young says that something of the entry happened in the time after which entries are archived. An instant that is still to
// come was read from a clock that was ahead. It says nothing, or it would keep everything behind it here.
func young(e storage.Entry, now time.Time, after time.Duration) bool {
	for i := range e.Events {
		if at := e.Events[i].At; at.After(now.Add(-after)) && !at.After(now) {
			return true
		}
	}
	return false
}

// remove deletes rows that are in archive.db, and returns the bytes that became free.
func (s *Store) remove(ctx context.Context, first, count int64) (freed int64, err error) {
	err = s.journalTurn(ctx, func(w *journalWriter) error {
		return transact(w.conn, func() error {
			before, err := freeBytes(w.conn)
			if err != nil {
				return err
			}
			last := first + count - 1
			err = query(w.conn, `DELETE FROM journal WHERE number BETWEEN ? AND ?`, func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, first)
				stmt.BindInt64(2, last)
			}, nil)
			if err != nil {
				return err
			}
			if deleted := int64(w.conn.Changes()); deleted != count {
				return fmt.Errorf("%d of rows %d to %d were there to delete", deleted, first, last)
			}
			after, err := freeBytes(w.conn)
			if err != nil {
				return err
			}
			freed = after - before
			if err := setMeta(w.conn, metaArchived, last); err != nil || first > 1 {
				return err
			}
			return run(w.conn, setLayout(archivedLayout))
		})
	})
	return freed, err
}

func freeBytes(conn *sqlite.Conn) (free int64, err error) {
	err = query(conn, `SELECT freelist_count * page_size FROM pragma_freelist_count(), pragma_page_size()`, nil,
		func(stmt *sqlite.Stmt) error {
			free = stmt.ColumnInt64(0)
			return nil
		})
	return free, err
}
