package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"zombiezen.com/go/sqlite"
)

// hashBytes is the length of a hash in the table births.
const hashBytes = 8

// errBirths says that the table births is not what was written. A stream that is missing there would be taken for new.
var errBirths = errors.New("births are damaged")

// storeBirths adds the hashes of the streams that began up to the watermark, in the watermark's transaction.
func storeBirths(conn *sqlite.Conn, born []uint64) error {
	if len(born) == 0 {
		return nil
	}
	hashes := make([]byte, 0, len(born)*hashBytes)
	for _, hash := range born {
		hashes = binary.LittleEndian.AppendUint64(hashes, hash)
	}
	err := query(conn, `INSERT INTO births(hashes, sum) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
		stmt.BindBytes(1, hashes)
		stmt.BindInt64(2, int64(crc32.Checksum(hashes, castagnoli)))
	}, nil)
	if err != nil {
		return err
	}
	streams, err := metaNumber(conn, metaStreams)
	if err != nil {
		return err
	}
	return setMeta(conn, metaStreams, streams+int64(len(born)))
}

// loadBirths fills the filter with all streams that began up to the watermark.
func (s *Store) loadBirths(conn *sqlite.Conn) error {
	streams, err := metaNumber(conn, metaStreams)
	if err != nil {
		return err
	}
	known := newFilter(int(streams))
	var buffer []byte
	err = query(conn, `SELECT batch, hashes, sum FROM births`, nil, func(stmt *sqlite.Stmt) error {
		size := stmt.ColumnLen(1)
		buffer = slices.Grow(buffer[:0], size)[:size]
		hashes := buffer
		stmt.ColumnBytes(1, hashes)
		if int64(crc32.Checksum(hashes, castagnoli)) != stmt.ColumnInt64(2) {
			return fmt.Errorf("%w: checksum of batch %d does not match", errBirths, stmt.ColumnInt64(0))
		}
		for ; len(hashes) >= hashBytes; hashes = hashes[hashBytes:] {
			known.add(binary.LittleEndian.Uint64(hashes))
		}
		return nil
	})
	if err == nil && int64(known.size) != streams {
		err = fmt.Errorf("%w: got %d streams, want %d", errBirths, known.size, streams)
	}
	s.index.mu.Lock()
	s.index.streams = known
	s.index.mu.Unlock()
	return err
}
