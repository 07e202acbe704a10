package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/zstd"

	"github.com/queuecommerce/queuecommerce/storage"
)

// A block is, before zstd has packed it, one row after the other: length of the rest (uvarint), length of the head (uvarint),
// head, body. The head is: prev, stream, ordinal, first, last, writer (zigzag), serial, and sum plus one, 0 where sum is NULL.
// A row's number follows from its place; its own checksum proves that too.

// packer makes blocks, in buffers that it keeps.
type packer struct {
	encoder   *zstd.Encoder
	head, raw []byte
	packed    []byte
}

// block packs rows; what it returns is good until the next call.
func (p *packer) block(rows []sealedRow) ([]byte, error) {
	if p.encoder == nil {
		encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return nil, err
		}
		p.encoder = encoder
	}
	raw := p.raw[:0]
	for i := range rows {
		r := &rows[i]
		head := binary.AppendUvarint(p.head[:0], uint64(r.prev))
		head = appendText(head, string(r.stream))
		for _, n := range [...]uint64{r.ordinal, r.first, r.last} {
			head = binary.AppendUvarint(head, n)
		}
		head = binary.AppendVarint(head, r.writer)
		head = binary.AppendUvarint(head, r.serial)
		sum := uint64(0)
		if r.summed {
			sum = uint64(r.sum) + 1
		}
		head = binary.AppendUvarint(head, sum)
		p.head = head
		size := binary.AppendUvarint(nil, uint64(len(head)))
		raw = binary.AppendUvarint(raw, uint64(len(size)+len(head)+len(r.body)))
		raw = append(append(append(raw, size...), head...), r.body...)
	}
	p.raw, p.packed = raw, p.encoder.EncodeAll(raw, p.packed[:0])
	return p.packed, nil
}

// blockSum is taken over the packed rows, and where they belong.
func blockSum(packed []byte, first, count int64) int64 {
	place := binary.LittleEndian.AppendUint64(nil, uint64(first))
	place = binary.LittleEndian.AppendUint64(place, uint64(count))
	return int64(crc32.Update(crc32.Checksum(packed, castagnoli), castagnoli, place))
}

// block is a block that was unpacked; the zero block holds nothing.
type block struct {
	first int64
	raw   []byte
	rows  [][]byte // each in raw, from the length of its head
}

func (b *block) holds(number int64) bool {
	return number >= b.first && number < b.first+int64(len(b.rows))
}

// split finds the rows in b.raw.
func (b *block) split(count int64) error {
	rest := b.raw
	for range count {
		size, width := binary.Uvarint(rest)
		if width <= 0 || size > uint64(len(rest)-width) {
			return errors.New("block ends early")
		}
		rest = rest[width:]
		b.rows = append(b.rows, rest[:size:size])
		rest = rest[size:]
	}
	if len(rest) > 0 {
		return errors.New("block is longer than its rows")
	}
	return nil
}

// row reads one row; its body is a part of the block.
func (b *block) row(number int64) (r sealedRow, err error) {
	stored := b.rows[number-b.first]
	size, width := binary.Uvarint(stored)
	if width <= 0 || size > uint64(len(stored)-width) {
		return r, damaged(number, "", errShort)
	}
	d := decoder{head: string(stored[width : width+int(size)])}
	r.number = number
	r.prev = int64(d.uvarint())
	r.stream = storage.Stream(d.text())
	r.ordinal, r.first, r.last = d.uvarint(), d.uvarint(), d.uvarint()
	r.writer = d.varint()
	r.serial = d.uvarint()
	if sum := d.uvarint(); sum > 0 {
		r.sum, r.summed = int64(sum-1), true
	}
	r.body = stored[width+int(size):]
	if d.err != nil || d.head != "" {
		return r, damaged(number, r.stream, errors.New("head of the row is not what was written"))
	}
	return r, nil
}

// equal compares all that is stored.
func (r *sealedRow) equal(other *sealedRow) bool {
	return r.row == other.row && r.sum == other.sum && r.summed == other.summed && bytes.Equal(r.body, other.body)
}

func damagedBlock(first, count int64, why error) error {
	return fmt.Errorf("%w: numbers %d to %d in %s: %w", ErrDamaged, first, first+count-1, archiveName, why)
}
