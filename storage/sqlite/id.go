package sqlite

import (
	"encoding/hex"

	"zombiezen.com/go/sqlite"
)

const (
	idDigits = 24
	idBytes  = idDigits / 2
)

// bindID binds a document's id in the form in which it is stored: its 24 hex digits as a blob of 12 bytes, which sort as
// the digits do. Whatever else somebody uses as an id is a text, and SQLite sorts texts before blobs.
func bindID(stmt *sqlite.Stmt, param int, id string) {
	var key [idBytes]byte
	if !idKey(&key, id) {
		stmt.BindText(param, id)
		return
	}
	stmt.BindBytes(param, key[:])
}

// idKey says whether the id has the usual form.
func idKey(key *[idBytes]byte, id string) bool {
	if len(id) != idDigits {
		return false
	}
	for i := range key {
		high, low := digit(id[2*i]), digit(id[2*i+1])
		if high|low > 0xf {
			return false
		}
		key[i] = high<<4 | low
	}
	return true
}

func digit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

func columnID(stmt *sqlite.Stmt, column int) string {
	if stmt.ColumnType(column) == sqlite.TypeText {
		return stmt.ColumnText(column)
	}
	var key [idBytes]byte
	stmt.ColumnBytes(column, key[:])
	return hex.EncodeToString(key[:])
}
