package sqlite

import (
	"fmt"
	"hash/fnv"
	"io"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// view holds the statements of one collection's table.
type view struct {
	find, get, newest               string
	insert, replace, status, onBody string
}

func newViews() map[storage.Collection]*view {
	views := map[storage.Collection]*view{}
	for _, c := range collections {
		views[c] = &view{
			find: fmt.Sprintf(`SELECT pk, created, status, customer, order_id, external, category, active, in_stock, hidden, words
				FROM %s WHERE id = ?`, c),
			get: fmt.Sprintf(`SELECT %s FROM %s WHERE id = ? AND hidden = 0`, documentColumns, c),
			newest: fmt.Sprintf(`SELECT %s, %s, %s, %s, %s FROM %s WHERE id = ?3 AND hidden = 0`,
				documentColumns, ofStream("version"), ofStream("last"), ofStream("number"), ofStream("ordinal"), c),
			insert: fmt.Sprintf(`INSERT INTO %s(created, status, customer, order_id, external, category, active, in_stock,
				hidden, words, body, id, pk) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING`, c),
			replace: fmt.Sprintf(`UPDATE %s SET created = ?, status = ?, customer = ?, order_id = ?, external = ?,
				category = ?, active = ?, in_stock = ?, hidden = ?, words = ?, body = ? WHERE pk = ?`, c),
			status: fmt.Sprintf(`UPDATE %s SET status = ?, body = ? WHERE pk = ?`, c),
			onBody: fmt.Sprintf(`UPDATE %s SET body = ? WHERE pk = ?`, c),
		}
	}
	return views
}

// ofStream is a column of the row in streams that parameters 1 and 2 name, beside rows of another table. A join would be
// planned anew each time that it is executed: SQLite looks at what is bound when it plans one.
func ofStream(column string) string {
	return `(SELECT ` + column + ` FROM streams WHERE identity = ?1 AND kind = ?2)`
}

// facts are what a row says beside its body. Indexes and counters change only where facts do.
type facts struct {
	created                                     int64
	status, customer, order, external, category string
	active, inStock, hidden                     bool
	words                                       int64 // hash of what the search index holds of it, 0: not in it
}

func factsOf(d *storage.Document) facts {
	f := facts{
		created: d.Created.UnixMilli(), status: d.Status, customer: d.Customer, order: d.Order, external: d.External,
		category: d.Category, active: d.Active, inStock: d.InStock, hidden: d.Hidden,
	}
	if d.Collection == storage.Products && d.Active && !d.Hidden {
		h := fnv.New64a()
		_, _ = io.WriteString(h, d.Title)
		_, _ = h.Write([]byte{0})
		_, _ = io.WriteString(h, d.Text)
		f.words = int64(h.Sum64() | 1)
	}
	return f
}

func (f *facts) bind(stmt *sqlite.Stmt) {
	stmt.BindInt64(1, f.created)
	stmt.BindText(2, f.status)
	stmt.BindText(3, f.customer)
	stmt.BindText(4, f.order)
	stmt.BindText(5, f.external)
	stmt.BindText(6, f.category)
	stmt.BindBool(7, f.active)
	stmt.BindBool(8, f.inStock)
	stmt.BindBool(9, f.hidden)
	stmt.BindInt64(10, f.words)
}

// stored finds a document's row.
func (v *view) stored(conn *sqlite.Conn, id string) (pk int64, f facts, found bool, err error) {
	err = query(conn, v.find,
		func(stmt *sqlite.Stmt) { bindID(stmt, 1, id) },
		func(stmt *sqlite.Stmt) error {
			pk, found = stmt.ColumnInt64(0), true
			f = facts{
				created: stmt.ColumnInt64(1), status: stmt.ColumnText(2), customer: stmt.ColumnText(3),
				order: stmt.ColumnText(4), external: stmt.ColumnText(5), category: stmt.ColumnText(6),
				active: stmt.ColumnBool(7), inStock: stmt.ColumnBool(8), hidden: stmt.ColumnBool(9), words: stmt.ColumnInt64(10),
			}
			return nil
		})
	return pk, f, found, err
}

// add stores a document, unless it has a row already; where the place is nil, SQLite chooses it.
func (v *view) add(conn *sqlite.Conn, place *int64, now facts, d *storage.Document) (added bool, err error) {
	err = query(conn, v.insert, func(stmt *sqlite.Stmt) {
		now.bind(stmt)
		stmt.BindBytes(11, d.Body)
		bindID(stmt, 12, d.ID)
		stmt.BindNull(13)
		if place != nil {
			stmt.BindInt64(13, *place)
		}
	}, nil)
	return err == nil && conn.Changes() > 0, err
}

// change stores a document over its row, touching only the indexes of what has changed.
func (v *view) change(conn *sqlite.Conn, pk int64, old, now facts, d *storage.Document) error {
	onlyStatus := old
	onlyStatus.status = now.status
	switch now {
	case old:
		return query(conn, v.onBody, func(stmt *sqlite.Stmt) {
			stmt.BindBytes(1, d.Body)
			stmt.BindInt64(2, pk)
		}, nil)
	case onlyStatus:
		return query(conn, v.status, func(stmt *sqlite.Stmt) {
			stmt.BindText(1, now.status)
			stmt.BindBytes(2, d.Body)
			stmt.BindInt64(3, pk)
		}, nil)
	}
	return query(conn, v.replace, func(stmt *sqlite.Stmt) {
		now.bind(stmt)
		stmt.BindBytes(11, d.Body)
		stmt.BindInt64(12, pk)
	}, nil)
}

// documentColumns are what scanDocument reads, from column 0.
const documentColumns = `id, created, status, body`

func scanDocument(c storage.Collection, stmt *sqlite.Stmt) storage.Document {
	return storage.Document{
		Collection: c,
		ID:         columnID(stmt, 0),
		Created:    time.UnixMilli(stmt.ColumnInt64(1)).UTC(),
		Status:     stmt.ColumnText(2),
		Body:       columnBlob(stmt, 3, 0),
	}
}
