package sqlite

import (
	"errors"
	"slices"

	"zombiezen.com/go/sqlite"
)

// past reads rows from archive.db; one caller at a time. It opens the file when it is asked for the first of them, and keeps
// the block that it read last: who walks a stream, or scans, asks for a neighbour next.
type past struct {
	archive *archive
	conn    *sqlite.Conn
	rows    int64 // of each block
	packed  []byte
	last    block
}

// keepBytes is how large a block may be that is kept: one of very large events is read again instead.
const keepBytes = 1 << 20

func (p *past) open() error {
	if p.conn != nil {
		return nil
	}
	// Without leave to make the file: one that has vanished must not come back empty.
	conn, err := sqlite.OpenConn(p.archive.path, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	conn.SetBusyTimeout(busyTimeout)
	if err := run(conn, "PRAGMA query_only=1", "PRAGMA cache_size=-64"); err != nil {
		return errors.Join(err, conn.Close())
	}
	rows, err := p.archive.belongs(conn)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	p.conn, p.rows = conn, rows
	return nil
}

// row reads a row, whose body is good until the next call.
func (p *past) row(number int64) (sealedRow, error) {
	b, err := p.block(number)
	if err != nil {
		return sealedRow{}, err
	}
	return b.row(number)
}

// block reads the block that holds a row, and proves that it is as it was written. It is good until the next call.
func (p *past) block(number int64) (*block, error) {
	if p.last.holds(number) {
		return &p.last, nil
	}
	if err := p.open(); err != nil {
		return nil, err
	}
	first := (number-1)/p.rows*p.rows + 1
	count, sum := int64(0), int64(0)
	err := query(p.conn, `SELECT count, sum, body FROM blocks WHERE first = ?`,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, first) },
		func(stmt *sqlite.Stmt) error {
			count, sum = stmt.ColumnInt64(0), stmt.ColumnInt64(1)
			size := stmt.ColumnLen(2)
			p.packed = slices.Grow(p.packed[:0], size)[:size]
			stmt.ColumnBytes(2, p.packed)
			return nil
		})
	if err == nil {
		err = p.unpack(first, count, sum)
	} else if code := sqlite.ErrCode(err).ToPrimary(); code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB {
		err = damagedBlock(first, p.rows, err)
	}
	if err != nil {
		p.last = block{}
		return nil, err
	}
	return &p.last, nil
}

// unpack makes the block in p.packed the last one.
func (p *past) unpack(first, count, sum int64) (err error) {
	switch {
	case count == 0:
		return damagedBlock(first, p.rows, errors.New("block is missing"))
	case count != p.rows || blockSum(p.packed, first, count) != sum:
		return damagedBlock(first, p.rows, errors.New("checksum does not match"))
	}
	if cap(p.last.raw) > keepBytes {
		p.last = block{}
	}
	p.last.first, p.last.rows = first, p.last.rows[:0]
	if p.last.raw, err = p.archive.unpacker.DecodeAll(p.packed, p.last.raw[:0]); err == nil {
		err = p.last.split(count)
	}
	if err != nil {
		return damagedBlock(first, count, err)
	}
	return nil
}

func (p *past) Close() error {
	if p.conn == nil {
		return nil
	}
	return p.conn.Close()
}
