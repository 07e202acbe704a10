package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// ErrDamaged says that a row of the journal is not what was written; the text names the row.
var ErrDamaged = errors.New("journal row is damaged")

// row is a row of the table journal.
type row struct {
	number, prev int64
	stream       storage.Stream
	ordinal      uint64
	first, last  uint64
	writer       int64
	serial       uint64
}

// A body is: version (1 byte), length of the head (uvarint), head, then the Data of every event, one after the other.
// The head is: trace, number of events, and for each event type, schema, instant (ms, zigzag), command, cause, length
// of Data. Numbers are uvarints, texts are their length and their bytes.
const bodyVersion = 1

// encoder makes bodies in buffers that it keeps.
type encoder struct{ head, body []byte }

func (c *encoder) encode(e storage.Entry) []byte {
	head := appendText(c.head[:0], e.Trace)
	head = binary.AppendUvarint(head, uint64(len(e.Events)))
	for i := range e.Events {
		event := &e.Events[i]
		head = appendText(head, event.Type)
		head = binary.AppendUvarint(head, uint64(event.Schema))
		head = binary.AppendVarint(head, event.At.UnixMilli())
		head = appendText(head, event.Command)
		head = appendText(head, event.Cause)
		head = binary.AppendUvarint(head, uint64(len(event.Data)))
	}
	body := append(c.body[:0], bodyVersion)
	body = binary.AppendUvarint(body, uint64(len(head)))
	body = append(body, head...)
	for i := range e.Events {
		body = append(body, e.Events[i].Data...)
	}
	c.head, c.body = head, body
	return body
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed returns the body with the other columns behind it: what the checksum is taken over. With room in the body's
// buffer it allocates nothing.
func (r *row) sealed(body []byte) []byte {
	for _, n := range [...]uint64{
		uint64(r.number), uint64(r.prev), r.ordinal, r.first, r.last, uint64(r.writer), r.serial,
	} {
		body = binary.LittleEndian.AppendUint64(body, n)
	}
	return append(body, r.stream...)
}

// sealRoom is how many bytes sealed adds to the body of an entry of this stream.
func sealRoom(stream storage.Stream) int { return 7*8 + len(stream) }

func checksum(sealed []byte) int64 { return int64(crc32.Checksum(sealed, castagnoli)) }

// decoder takes a head apart; after the first error it returns zeros.
type decoder struct {
	head string
	err  error
}

var errShort = errors.New("body ends early")

func (d *decoder) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(d.head) && i < binary.MaxVarintLen64; i++ {
		b := d.head[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.head = d.head[i+1:]
			return n
		}
	}
	d.err, d.head = errShort, ""
	return 0
}

func (d *decoder) varint() int64 {
	n := d.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.head)) {
		d.err, d.head = errShort, ""
		return ""
	}
	text := d.head[:n]
	d.head = d.head[n:]
	return text
}

// decodeBody fills in the trace and the events. All texts share one string and all Data one slice, which is body's.
func decodeBody(body []byte, e *storage.Entry) error {
	if len(body) < 2 || body[0] != bodyVersion {
		return errors.New("unknown version of the body")
	}
	size, width := binary.Uvarint(body[1:])
	if width <= 0 || size > uint64(len(body)-1-width) {
		return errShort
	}
	start := 1 + width
	d := decoder{head: string(body[start : start+int(size)])}
	data := body[start+int(size):]
	e.Trace = d.text()
	count := d.uvarint()
	if count > uint64(len(d.head)) {
		return errShort
	}
	e.Events = make([]storage.Event, count)
	for i := range e.Events {
		event := &e.Events[i]
		event.Type = d.text()
		event.Schema = int(d.uvarint())
		event.At = time.UnixMilli(d.varint()).UTC()
		event.Command = d.text()
		event.Cause = d.text()
		n := d.uvarint()
		if n > uint64(len(data)) {
			return errShort
		}
		event.Data, data = data[:n:n], data[n:]
	}
	if d.err == nil && (len(d.head) > 0 || len(data) > 0) {
		return errors.New("body is longer than its events")
	}
	return d.err
}

// rowColumns are what scanEntry reads, from column 0.
const rowColumns = `number, prev, stream, ordinal, first, last, writer, serial, sum, body`

func scanRow(stmt *sqlite.Stmt) row {
	return row{
		number:  stmt.ColumnInt64(0),
		prev:    stmt.ColumnInt64(1),
		stream:  storage.Stream(stmt.ColumnText(2)),
		ordinal: uint64(stmt.ColumnInt64(3)),
		first:   uint64(stmt.ColumnInt64(4)),
		last:    uint64(stmt.ColumnInt64(5)),
		writer:  stmt.ColumnInt64(6),
		serial:  uint64(stmt.ColumnInt64(7)),
	}
}

// sealedRow is a row with all that is stored of it.
type sealedRow struct {
	row
	sum    int64
	summed bool // false: sum is NULL
	body   []byte
}

func scanSealed(stmt *sqlite.Stmt) sealedRow {
	r := scanRow(stmt)
	return sealedRow{row: r, sum: stmt.ColumnInt64(8), summed: !stmt.ColumnIsNull(8), body: columnBlob(stmt, 9, sealRoom(r.stream))}
}

// scanEntry reads a whole row and proves that it is as it was written.
func (s *Store) scanEntry(stmt *sqlite.Stmt) (row, storage.Entry, error) {
	r := scanSealed(stmt)
	e, err := s.entry(&r)
	return r.row, e, err
}

// entry proves that a row is as it was written. The entry's data is the row's body.
func (s *Store) entry(r *sealedRow) (storage.Entry, error) {
	if r.summed && r.sum != checksum(r.sealed(r.body)) {
		return storage.Entry{}, damaged(r.number, r.stream, errors.New("checksum does not match"))
	}
	e := storage.Entry{Stream: r.stream, First: r.first, Number: r.serial}
	if err := decodeBody(r.body, &e); err != nil {
		return storage.Entry{}, damaged(r.number, r.stream, err)
	}
	if e.Last() != r.last {
		return storage.Entry{}, damaged(r.number, r.stream, errors.New("number of events does not match"))
	}
	name, ok := s.index.writerName(r.writer)
	if !ok {
		return storage.Entry{}, damaged(r.number, r.stream, fmt.Errorf("unknown writer %d", r.writer))
	}
	e.Writer = name
	return e, nil
}

func damaged(number int64, stream storage.Stream, why error) error {
	return fmt.Errorf("%w: number %d (%s): %w", ErrDamaged, number, stream, why)
}
