package main_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/queuecommerce/queuecommerce/verify"
)

// alteration is an edit of one journal entry: of the stream's entry that holds from, all of it becomes to.
type alteration struct {
	kind, from, to string
	guarantees     []verify.Guarantee // one of them has to be named
}

// TestVerifyFindsWhatWasAltered alters one entry of a journal that is in order: as somebody would who knows the layout
// and makes a new checksum, and as a failing disk would.
func TestVerifyFindsWhatWasAltered(t *testing.T) {
	s := newShop(t)
	s.start()
	m := openMarket(t, s.url())
	for i := range 4 {
		r, err := m.client.do(t.Context(), http.MethodPost, "/orders", fmt.Sprintf("altered-%d", i), orderBody("cust-1", "pm_card_visa", line(crate(i), 2)), "Prefer", "wait=20")
		require.NoError(t, err)
		o, err := decode[orderDocument](r)
		require.NoError(t, err)
		require.Equal(t, "confirmed", o.Status, "%s", r)
	}
	s.stop()
	s.wantVerified()
	for name, a := range map[string]alteration{
		"quantity held": {kind: "product", from: `"quantity":2`, to: `"quantity":3`, guarantees: []verify.Guarantee{verify.G3, verify.G4, verify.G7}},
		"amount paid":   {kind: "payment", from: `"amount":3`, to: `"amount":9`, guarantees: []verify.Guarantee{verify.G5, verify.G7}},
		"order's total": {kind: "order", from: `"total":3`, to: `"total":1`, guarantees: []verify.Guarantee{verify.G5, verify.G7}},
	} {
		t.Run(name, func(t *testing.T) {
			row := s.alter(t, a, true)
			defer s.restore(t, row)
			code, stdout, stderr := s.run("verify", "--json")
			require.Equal(t, 1, code, "%s%s", stdout, stderr)
			var report verify.Report
			require.NoError(t, json.Unmarshal([]byte(stdout), &report), "%s%s", stdout, stderr)
			named := false
			for _, v := range report.Violations {
				for _, g := range a.guarantees {
					here := string(v.Stream) == row.stream && v.Sequence >= row.first && v.Sequence <= row.last
					there := v.Against != nil && string(v.Against.Stream) == row.stream
					named = named || (v.Guarantee == g && (here || there))
				}
			}
			require.True(t, named, "none names %s %d-%d: %v", row.stream, row.first, row.last, report.Violations)
			_, text, _ := s.run("verify")
			require.Contains(t, text, report.Violations[0].String(), "the report for people names it too")
		})
		t.Run(name+", checksum left", func(t *testing.T) {
			row := s.alter(t, a, false)
			defer s.restore(t, row)
			code, stdout, stderr := s.run("verify")
			require.Equal(t, 1, code, "%s%s", stdout, stderr)
			require.Contains(t, stdout+stderr, string(verify.G7))
			require.Contains(t, stdout+stderr, row.stream)
			require.Contains(t, stdout+stderr, "checksum")
		})
	}
	s.wantVerified()
}

// journalRow is a row of journal.db as it was before it was altered.
type journalRow struct {
	number                     int64
	stream                     string
	prev, ordinal, first, last uint64
	writer, serial             uint64
	sum                        int64
	body                       []byte
}

// alter changes the first entry of the kind that holds what is to be altered.
func (s *shop) alter(t testing.TB, a alteration, newSum bool) (row journalRow) {
	t.Helper()
	conn := s.openJournal(t)
	defer conn.Close()
	found := false
	require.NoError(t, sqlitex.Execute(conn, `SELECT number, prev, stream, ordinal, first, last, writer, serial, sum, body FROM journal
		WHERE stream LIKE ? AND instr(body, CAST(? AS BLOB)) > 0 ORDER BY number LIMIT 1`, &sqlitex.ExecOptions{
		Args: []any{a.kind + "/%", a.from},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			found = true
			row = journalRow{number: stmt.ColumnInt64(0), prev: uint64(stmt.ColumnInt64(1)), stream: stmt.ColumnText(2), ordinal: uint64(stmt.ColumnInt64(3)),
				first: uint64(stmt.ColumnInt64(4)), last: uint64(stmt.ColumnInt64(5)), writer: uint64(stmt.ColumnInt64(6)), serial: uint64(stmt.ColumnInt64(7)),
				sum: stmt.ColumnInt64(8), body: make([]byte, stmt.ColumnLen(9))}
			stmt.ColumnBytes(9, row.body)
			return nil
		}}))
	require.True(t, found, "no entry of kind %s holds %s", a.kind, a.from)
	require.Equal(t, row.sum, row.checksum(row.body), "the checksum is not what this test takes it for")
	altered := replaceFirst(row.body, a.from, a.to)
	sum := row.sum
	if newSum {
		sum = row.checksum(altered)
	}
	write(t, conn, row.number, altered, sum)
	return row
}

func (s *shop) restore(t testing.TB, row journalRow) {
	t.Helper()
	conn := s.openJournal(t)
	defer conn.Close()
	write(t, conn, row.number, row.body, row.sum)
}

func (s *shop) openJournal(t testing.TB) *sqlite.Conn {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(s.dir, "journal.db"), sqlite.OpenReadWrite)
	require.NoError(t, err)
	return conn
}

func write(t testing.TB, conn *sqlite.Conn, number int64, body []byte, sum int64) {
	t.Helper()
	require.NoError(t, sqlitex.Execute(conn, `UPDATE journal SET body = ?, sum = ? WHERE number = ?`, &sqlitex.ExecOptions{Args: []any{body, sum, number}}))
	require.Equal(t, 1, conn.Changes())
}

// checksum is what the row's sum must be with this body: CRC-32C over the body, the numbers and the stream.
func (r journalRow) checksum(body []byte) int64 {
	sealed := append([]byte(nil), body...)
	for _, n := range []uint64{uint64(r.number), r.prev, r.ordinal, r.first, r.last, r.writer, r.serial} {
		sealed = binary.LittleEndian.AppendUint64(sealed, n)
	}
	return int64(crc32.Checksum(append(sealed, r.stream...), crc32.MakeTable(crc32.Castagnoli)))
}

func replaceFirst(body []byte, from, to string) []byte {
	return bytes.Replace(body, []byte(from), []byte(to), 1)
}
