package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	metaIdentity  = "identity"  // in both files: a random text that ties them together
	metaWatermark = "watermark" // in read.db: heads and births are complete up to this row of the journal
	metaReached   = "reached"   // in read.db: no head is that of a row above this one or the watermark
	metaStreams   = "streams"   // in read.db: how many hashes births holds
	metaLost      = "lost"      // in read.db: 1 from when it was made anew until ProjectionsRestored
	metaPing      = "ping"      // in both files: written by Ping
)

// Checkpoints of the journal are small: commits stand still while one is written, and buyers see that. Those of read.db may
// be larger: rows of the same page then share a write. Caches are small, too: each page in one takes twice its size, as
// memory for SQLite comes in powers of two, and what is not there the system has in its own.
var (
	journalPragmas = []string{
		"wal_autocheckpoint=400", "journal_size_limit=67108864", "cache_size=-1024", "fullfsync=1", "checkpoint_fullfsync=1",
	}
	readPragmas   = []string{"synchronous=NORMAL", "wal_autocheckpoint=1000", "journal_size_limit=67108864", "cache_size=-8192"}
	readerPragmas = []string{"query_only=1", "cache_size=-1024"}
)

func (s *Store) openJournal(opened *connections) (*journalWriter, error) {
	path := s.path(journalName)
	if err := private(path); err != nil {
		return nil, err
	}
	conn, err := opened.open(path, append([]string{"synchronous=FULL"}, journalPragmas...)...)
	if err != nil {
		return nil, err
	}
	if err := prepareFile(conn, append(journalSchema, newIdentity()), journalLayout, archivedLayout); err != nil {
		return nil, err
	}
	mark, err := opened.open(path, "synchronous=NORMAL", "wal_autocheckpoint=0", "cache_size=-256")
	if err != nil {
		return nil, err
	}
	insert, err := conn.Prepare(insertRow)
	if err != nil {
		return nil, err
	}
	readers, err := openReaders(opened, path)
	if err != nil {
		return nil, err
	}
	sources := make([]*source, len(readers))
	for i, reader := range readers {
		sources[i] = &source{conn: reader, past: opened.past(s.archive)}
	}
	s.journalReaders = newPool(s.closed, sources...)
	s.journal = &pool[*journalWriter]{free: make(chan *journalWriter, 1), size: 1, closed: s.closed}
	if err := errors.Join(s.journalFiles.watch(path), s.journalFiles.watch(path+"-wal")); err != nil {
		return nil, err
	}
	w := &journalWriter{conn: conn, past: opened.past(s.archive), mark: mark, insert: insert, next: 1, pending: map[storage.Stream]head{}}
	return w, s.loadWriters(conn)
}

func newIdentity() string {
	return fmt.Sprintf(`INSERT INTO meta(key, value) VALUES('%s', '%s')`, metaIdentity, rand.Text())
}

func openReaders(opened *connections, path string) ([]*sqlite.Conn, error) {
	readers := make([]*sqlite.Conn, readConns)
	for i := range readers {
		conn, err := opened.open(path, readerPragmas...)
		if err != nil {
			return nil, err
		}
		readers[i] = conn
	}
	return readers, nil
}

// prepareFile makes the tables of a new file, in the first of the layouts, and refuses one of yet another layout.
func prepareFile(conn *sqlite.Conn, schema []string, layouts ...int64) error {
	found, err := layoutOf(conn)
	if err != nil || slices.Contains(layouts, found) {
		return err
	}
	if found != 0 {
		return fmt.Errorf("%w: file has layout %d, this program knows %d", errLayout, found, layouts)
	}
	return transact(conn, func() error { return run(conn, append(schema, setLayout(layouts[0]))...) })
}

func layoutOf(conn *sqlite.Conn) (layout int64, err error) {
	err = query(conn, `PRAGMA user_version`, nil, func(stmt *sqlite.Stmt) error {
		layout = stmt.ColumnInt64(0)
		return nil
	})
	return layout, err
}

func setLayout(layout int64) string { return fmt.Sprintf(`PRAGMA user_version=%d`, layout) }

var errLayout = errors.New("unknown layout")

// openRead opens read.db, or makes it anew where it can't be used, and returns its watermark.
func (s *Store) openRead(opened *connections, w *journalWriter) (watermark int64, err error) {
	path := s.path(readName)
	conn, watermark, err := s.tryRead(path, w)
	if unusable(err) {
		s.logger.Warn("read store is made anew", "err", err)
		s.index.forget()
		if err := discard(path); err != nil {
			return 0, err
		}
		conn, watermark, err = s.tryRead(path, w)
	}
	if err != nil {
		return 0, err
	}
	*opened = append(*opened, conn)
	readers, err := openReaders(opened, path)
	if err != nil {
		return 0, err
	}
	s.readWriter, s.readers = newPool(s.closed, conn), newPool(s.closed, readers...)
	return watermark, errors.Join(s.readFiles.watch(path), s.readFiles.watch(path+"-wal"))
}

var errForeign = errors.New("file belongs to another journal, or to an earlier state of this one")

func unusable(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return errors.Is(err, errForeign) || errors.Is(err, errLayout) || errors.Is(err, errBirths) ||
		(err != nil && (code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB))
}

// tryRead opens the writing connection of read.db and proves that the file fits the journal.
func (s *Store) tryRead(path string, w *journalWriter) (conn *sqlite.Conn, watermark int64, err error) {
	if err := private(path); err != nil {
		return nil, 0, err
	}
	if conn, err = openConn(path, readPragmas...); err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	identity, err := meta(w.conn, metaIdentity)
	if err != nil {
		return nil, 0, err
	}
	if err := prepareFile(conn, readSchema(), readLayout); err != nil {
		return nil, 0, err
	}
	found, err := meta(conn, metaIdentity)
	if err != nil {
		return nil, 0, err
	}
	last, err := lastRow(w.conn)
	if err != nil {
		return nil, 0, err
	}
	if found == "" { // just made
		return conn, 0, s.adopt(conn, identity, last > 0)
	}
	if found != identity {
		return nil, 0, errForeign
	}
	lost, err := metaNumber(conn, metaLost)
	if err != nil {
		return nil, 0, err
	}
	s.projectionsLost.Store(lost != 0)
	if watermark, err = metaNumber(conn, metaWatermark); err != nil {
		return nil, 0, err
	}
	reached, err := metaNumber(conn, metaReached)
	if err != nil {
		return nil, 0, err
	}
	if reached = max(reached, watermark); reached > last {
		return nil, 0, fmt.Errorf("%w: it knows row %d, the journal ends at %d", errForeign, reached, last)
	}
	if err := s.loadBirths(conn); err != nil {
		return nil, 0, err
	}
	return conn, watermark, errors.Join(s.loadEnds(conn), s.loadMarks(conn))
}

// adopt ties a new read.db to the journal. Identity and loss come together: no crash can forget the loss.
func (s *Store) adopt(conn *sqlite.Conn, identity string, lost bool) error {
	s.projectionsLost.Store(lost)
	return transact(conn, func() error {
		if err := setMeta(conn, metaIdentity, identity); err != nil || !lost {
			return err
		}
		return setMeta(conn, metaLost, int64(1))
	})
}

// replay reads the journal from row w.next on into the index.
func (s *Store) replay(ctx context.Context, w *journalWriter) error {
	archived, err := metaNumber(w.conn, metaArchived)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	for {
		from := w.next
		if from <= archived {
			err = s.replayBlock(w)
		} else {
			err = s.replayRows(w)
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if w.next == from {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if s.index.full() {
			if err := s.flush(ctx); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
	}
}

// replayBlock goes to the end of the archived block that holds the next row.
func (s *Store) replayBlock(w *journalWriter) error {
	b, err := w.past.block(w.next)
	if err != nil {
		return err
	}
	for b.holds(w.next) {
		r, err := b.row(w.next)
		if err != nil {
			return err
		}
		if err := s.replayRow(w, r.row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) replayRows(w *journalWriter) error {
	return query(w.conn, `SELECT number, prev, stream, ordinal, first, last, writer, serial FROM journal
		WHERE number >= ? ORDER BY number LIMIT 10000`,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, w.next) },
		func(stmt *sqlite.Stmt) error { return s.replayRow(w, scanRow(stmt)) })
}

func (s *Store) replayRow(w *journalWriter, r row) error {
	if r.number != w.next {
		return damaged(w.next, r.stream, fmt.Errorf("row is missing, the next one is %d", r.number))
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	writer := s.index.writersByID[max(r.writer, -r.writer)]
	if writer == nil {
		return damaged(r.number, r.stream, fmt.Errorf("unknown writer %d", r.writer))
	}
	writer.ends.add(r.number, r.serial)
	s.index.add(r.stream, head{last: r.last, number: r.number, ordinal: r.ordinal})
	s.index.committed = r.number
	w.next++
	return nil
}

// lastRow returns the number of the journal's last row, which may have been archived with all others.
func lastRow(conn *sqlite.Conn) (last int64, err error) {
	if last, err = metaNumber(conn, metaArchived); err != nil {
		return 0, err
	}
	err = query(conn, `SELECT max(number) FROM journal`, nil, func(stmt *sqlite.Stmt) error {
		last = max(last, stmt.ColumnInt64(0))
		return nil
	})
	return last, err
}

func meta(conn *sqlite.Conn, key string) (value string, err error) {
	err = query(conn, `SELECT value FROM meta WHERE key = ?`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, key) },
		func(stmt *sqlite.Stmt) error {
			value = stmt.ColumnText(0)
			return nil
		})
	return value, err
}

func metaNumber(conn *sqlite.Conn, key string) (number int64, err error) {
	err = query(conn, `SELECT value FROM meta WHERE key = ?`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, key) },
		func(stmt *sqlite.Stmt) error {
			number = stmt.ColumnInt64(0)
			return nil
		})
	return number, err
}

func setMeta[V string | int64](conn *sqlite.Conn, key string, value V) error {
	return query(conn, `INSERT OR REPLACE INTO meta(key, value) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
		stmt.BindText(1, key)
		switch v := any(value).(type) {
		case string:
			stmt.BindText(2, v)
		case int64:
			stmt.BindInt64(2, v)
		}
	}, nil)
}
