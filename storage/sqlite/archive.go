package sqlite

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"
	"zombiezen.com/go/sqlite"
)

const (
	archiveLayout = 1
	// archivedLayout is that of a journal.db from which rows were archived: an older program would take them for lost.
	archivedLayout = journalLayout + 1

	metaArchived = "archived" // in journal.db: rows up to this one are in archive.db, and only there
	metaRows     = "rows"     // in archive.db: how many rows each block holds
)

// blockRows is how many rows a new archive packs together. More of them take less room and longer to read one of; at 128
// the file has a seventh of the journal's size, and a block is read in some fifty microseconds.
const blockRows = 128

var archiveSchema = []string{
	`CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS blocks(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, sum INTEGER NOT NULL,
		body BLOB NOT NULL)`,
}

var archivePragmas = []string{
	"synchronous=FULL", "journal_size_limit=67108864", "cache_size=-256", "fullfsync=1", "checkpoint_fullfsync=1",
}

// archive is archive.db. The file comes into being with the first row that is moved there.
type archive struct {
	path     string
	identity string // the journal's; known when that has been opened
	unpacker *zstd.Decoder

	mu    sync.Mutex   // one move at a time
	rows  int64        // of each block
	conn  *sqlite.Conn // to write; nil until there is something to move
	files files
	past  *past // reads back what conn has written
	pack  packer
}

// newArchive makes what is needed to read and write the file, without touching it.
func newArchive(path string, rows int64) (*archive, error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(readConns+2), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	a := &archive{path: path, unpacker: unpacker, rows: rows}
	a.past = &past{archive: a}
	return a, nil
}

// inspect proves at the start that archive.db is this journal's, and reaches as far as rows were taken out of journal.db.
func (a *archive) inspect(journal *sqlite.Conn) (err error) {
	if a.identity, err = meta(journal, metaIdentity); err != nil {
		return err
	}
	archived, err := metaNumber(journal, metaArchived)
	if err != nil {
		return err
	}
	_, err = os.Stat(a.path)
	if err == nil {
		err = a.past.open()
	}
	switch {
	case archived == 0 && (errors.Is(err, os.ErrNotExist) || errors.Is(err, errUnmade)):
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("file is missing: entries 1 to %d of the journal are in it and nowhere else; put it back: %w", archived, err)
	case err != nil:
		return err
	}
	if a.rows = a.past.rows; archived == 0 {
		return nil
	}
	if _, err := a.past.block(archived); err != nil {
		return fmt.Errorf("entries 1 to %d of the journal should be in it: %w", archived, err)
	}
	return nil
}

// open makes the file ready to be written. The caller has the mutex.
func (a *archive) open() (err error) {
	if a.conn != nil {
		return a.files.check()
	}
	if err := private(a.path); err != nil {
		return err
	}
	conn, err := openConn(a.path, archivePragmas...)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	first := fmt.Sprintf(`INSERT INTO meta(key, value) VALUES('%s', '%s'), ('%s', %d)`, metaIdentity, a.identity, metaRows, a.rows)
	if err := prepareFile(conn, append(archiveSchema, first), archiveLayout); err != nil {
		return err
	}
	rows, err := a.belongs(conn)
	if err != nil {
		return err
	}
	if rows != a.rows {
		return fmt.Errorf("file was replaced: its blocks have %d rows, not %d", rows, a.rows)
	}
	watched := files{}
	if err := errors.Join(watched.watch(a.path), watched.watch(a.path+"-wal")); err != nil {
		return err
	}
	a.conn, a.files = conn, watched
	return nil
}

// errUnmade says that the file has nothing in it, as when the process died while it made it.
var errUnmade = errors.New("file is empty")

// belongs returns how many rows a block of the file has, or an error if the file is not this journal's.
func (a *archive) belongs(conn *sqlite.Conn) (rows int64, err error) {
	layout, err := layoutOf(conn)
	if err != nil {
		return 0, err
	}
	switch layout {
	case archiveLayout:
	case 0:
		return 0, errUnmade
	default:
		return 0, fmt.Errorf("%w: file has layout %d, this program knows %d", errLayout, layout, archiveLayout)
	}
	identity, err := meta(conn, metaIdentity)
	if err != nil {
		return 0, err
	}
	if identity != a.identity {
		return 0, errForeign
	}
	if rows, err = metaNumber(conn, metaRows); err == nil && rows < 1 {
		err = fmt.Errorf("blocks have %d rows", rows)
	}
	return rows, err
}

// write stores rows that make up blocks, in one transaction, and returns the size of the blocks. What a process that died in
// the middle of a move has left there is replaced. The caller has the mutex.
func (a *archive) write(rows []sealedRow) (size int64, err error) {
	if err := a.open(); err != nil {
		return 0, err
	}
	return size, transact(a.conn, func() error {
		for ; len(rows) > 0; rows = rows[a.rows:] {
			packed, err := a.pack.block(rows[:a.rows])
			if err != nil {
				return err
			}
			size += int64(len(packed))
			err = query(a.conn, `INSERT OR REPLACE INTO blocks(first, count, sum, body) VALUES(?,?,?,?)`, func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, rows[0].number)
				stmt.BindInt64(2, a.rows)
				stmt.BindInt64(3, blockSum(packed, rows[0].number, a.rows))
				stmt.BindBytes(4, packed)
			}, nil)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// compare proves that archive.db holds these rows, by reading them as anybody would. The caller has the mutex.
func (a *archive) compare(rows []sealedRow) error {
	a.past.last = block{} // what is in memory proves nothing
	for i := range rows {
		kept, err := a.past.row(rows[i].number)
		if err != nil {
			return err
		}
		if !kept.equal(&rows[i]) {
			return damaged(rows[i].number, rows[i].stream, errors.New("row was not archived as it is"))
		}
	}
	return a.files.check()
}

// rest lets go of the memory that packing takes: hours may pass until there is something to move again.
func (a *archive) rest() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pack = packer{}
	a.past.last, a.past.packed = block{}, nil
}

// Close waits for a move that is under way.
func (a *archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.past.Close()
	if a.conn != nil {
		err = errors.Join(err, a.conn.Close())
	}
	return err
}
