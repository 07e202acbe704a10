package sqlite

import (
	"context"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// Flush moves the tail to read.db now.
func (s *Store) Flush(ctx context.Context) error { return s.flush(ctx) }

// Backlog is how many entries a start would have to read again.
func (s *Store) Backlog() int {
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	return s.index.fresh.entries
}

// WithCache bounds the cache of heads to twice that many streams.
func WithCache(half int) Option {
	return func(s *settings) { s.cacheHalf = half }
}

// LimitPages lets journal.db grow by so many pages only, the way a full disk would; a negative number lifts the limit.
func (s *Store) LimitPages(ctx context.Context, more int) error {
	return s.journalTurn(ctx, func(w *journalWriter) error { return limitPages(w.conn, more) })
}

func limitPages(conn *sqlite.Conn, more int) error {
	pages := int64(0)
	err := query(conn, `PRAGMA page_count`, nil, func(stmt *sqlite.Stmt) error {
		pages = stmt.ColumnInt64(0)
		return nil
	})
	if err != nil {
		return err
	}
	if more < 0 {
		more = 1 << 30
	}
	return run(conn, fmt.Sprintf(`PRAGMA max_page_count=%d`, pages+int64(more)))
}

// WithBlocks makes a new archive with blocks of so many rows.
func WithBlocks(rows int64) Option {
	return func(s *settings) { s.blockRows = rows }
}

// WithArchiveTicks says when to look for old entries.
func WithArchiveTicks(ticks <-chan time.Time) Option {
	return func(s *settings) { s.archiving.ticks = ticks }
}

// Archived is how many rows are in archive.db only.
func (s *Store) Archived(ctx context.Context) (archived int64, err error) {
	err = s.journalTurn(ctx, func(w *journalWriter) error {
		archived, err = metaNumber(w.conn, metaArchived)
		return err
	})
	return archived, err
}

// HalfArchive does the first half of a step, as a process does that dies then: rows are in both files.
func (s *Store) HalfArchive(ctx context.Context) (count int, err error) {
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	rows, err := s.movable(ctx, time.Now(), 0)
	if err == nil && len(rows) > 0 {
		_, err = s.archive.write(rows)
	}
	return len(rows), err
}

// LimitArchive lets archive.db grow by so many pages only, the way a full disk would; a negative number lifts the limit.
func (s *Store) LimitArchive(more int) error {
	s.archive.mu.Lock()
	defer s.archive.mu.Unlock()
	if err := s.archive.open(); err != nil {
		return err
	}
	return limitPages(s.archive.conn, more)
}
