package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

var _ storage.Store = (*Store)(nil)

// Store is an open data directory. Make it with Open. Safe for concurrent use.
type Store struct {
	logger  *slog.Logger
	dir     string
	lock    *os.File
	index   *index
	archive *archive
	newest  newest
	views   map[storage.Collection]*view
	saves   int // belongs to who has the turn to write read.db, as what is in views does

	closed         chan struct{} // closed by Close: nothing can be taken any more
	journal        *pool[*journalWriter]
	journalReaders *pool[*source]
	readWriter     *pool[*sqlite.Conn]
	readers        *pool[*sqlite.Conn]
	journalFiles   files
	readFiles      files

	moveMu   sync.Mutex    // one move of the tail at a time
	wake     chan struct{} // tells the flusher that the tail is full
	stop     chan struct{} // closed by Close: flusher and archiver end
	flushed  chan struct{} // closed by the flusher when it has ended
	archived chan struct{} // closed by the archiver when it has ended

	projectionsLost atomic.Bool
	closeOnce       sync.Once
	closeErr        error
}

// Option changes a setting.
type Option func(*settings)

type settings struct {
	logger    *slog.Logger
	cacheHalf int
	archiving archiving
	blockRows int64
}

// WithLogger is where trouble in the background is told; without it, nowhere.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// readConns is how many readers each file has.
const readConns = 4

// Open opens the store in a directory, which it makes if need be. The error is ErrInUse while somebody else has it
// open. After a crash it reads the tail of the journal again, a fraction of a second at most; only when read.db is gone
// it passes over the whole journal. The context bounds that, not the store's life.
func Open(ctx context.Context, dir string, options ...Option) (*Store, error) {
	set := settings{logger: slog.New(slog.DiscardHandler), cacheHalf: 32_768, blockRows: blockRows}
	for _, option := range options {
		option(&set)
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, err
	}
	archive, err := newArchive(filepath.Join(dir, archiveName), set.blockRows)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), lock.Close())
	}
	s := &Store{
		logger: set.logger, dir: dir, lock: lock, archive: archive, index: newIndex(set.cacheHalf), views: newViews(),
		closed: make(chan struct{}), journalFiles: files{}, readFiles: files{},
		wake: make(chan struct{}, 1), stop: make(chan struct{}), flushed: make(chan struct{}), archived: make(chan struct{}),
	}
	opened := &connections{archive}
	if err := s.open(ctx, opened); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", dir, err), opened.Close(), lock.Close())
	}
	go s.flusher()
	go s.archiver(set.archiving)
	return s, nil
}

// connections remembers what was opened, for the case that a later step fails.
type connections []io.Closer

func (c *connections) open(path string, pragmas ...string) (*sqlite.Conn, error) {
	conn, err := openConn(path, pragmas...)
	if err == nil {
		*c = append(*c, conn)
	}
	return conn, err
}

// past makes what reads the archive for one connection to the journal.
func (c *connections) past(a *archive) *past {
	p := &past{archive: a}
	*c = append(*c, p)
	return p
}

func (c *connections) Close() error {
	var errs []error
	for _, conn := range *c {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}

func (s *Store) open(ctx context.Context, opened *connections) error {
	w, err := s.openJournal(opened)
	if err != nil {
		return fmt.Errorf("%s: %w", journalName, err)
	}
	if err := s.archive.inspect(w.conn); err != nil {
		return fmt.Errorf("%s: %w", archiveName, err)
	}
	watermark, err := s.openRead(opened, w)
	if err != nil {
		return fmt.Errorf("%s: %w", readName, err)
	}
	w.next = watermark + 1
	if err := s.replay(ctx, w); err != nil {
		return err
	}
	s.journal.put(w)
	return nil
}

// ProjectionsLost says that read.db was missing, damaged or another journal's when the store was opened, now or earlier,
// and that the projections of what the journal held then may be missing. The caller has to replay, and to say so.
func (s *Store) ProjectionsLost() bool { return s.projectionsLost.Load() }

// ProjectionsRestored says that everything in the journal has been projected again.
func (s *Store) ProjectionsRestored(ctx context.Context) error {
	err := s.readTurn(ctx, func(conn *sqlite.Conn) error { return setMeta(conn, metaLost, int64(0)) })
	if err != nil {
		return fmt.Errorf("projections restored: %w", err)
	}
	s.projectionsLost.Store(false)
	return nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Close waits for what is under way, moves the tail to read.db and closes the files. Later calls fail; a second Close
// returns what the first one did.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	close(s.stop)
	<-s.archived
	<-s.flushed
	// What this can't move is read again from the journal at the next start.
	if err := s.flush(context.Background()); err != nil {
		s.logger.Error("heads not moved to the read store", "err", err)
	}
	close(s.closed)
	var errs []error
	for _, src := range s.journalReaders.drain() {
		errs = append(errs, src.Close())
	}
	for _, p := range []*pool[*sqlite.Conn]{s.readers, s.readWriter} {
		for _, conn := range p.drain() {
			errs = append(errs, conn.Close())
		}
	}
	for _, w := range s.journal.drain() {
		errs = append(errs, w.past.Close(), w.mark.Close(), w.conn.Close())
	}
	errs = append(errs, s.archive.Close())
	return errors.Join(append(errs, s.lock.Close())...)
}
