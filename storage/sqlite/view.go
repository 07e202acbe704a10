package sqlite

import (
	"fmt"
	"hash/fnv"
	"io"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// view holds the statements of one collection's table, and where its next row goes.
type view struct {
	find, get, newest, last string
	insert, remove, move    string
	replace, status, onBody string
	ofCustomers             int64 // its number in customers; 0: it is not there

	number int64 // of the last place; belongs to who has the turn to write read.db
}

func newViews() map[storage.Collection]*view {
	views := map[storage.Collection]*view{}
	for _, c := range collections {
		views[c] = &view{
			ofCustomers: ofCustomers[c],
			find: fmt.Sprintf(`SELECT pk, created, status, customer, order_id, external, category, active, in_stock, words
				FROM %s WHERE id = ?`, c),
			get: fmt.Sprintf(`SELECT %s FROM %s WHERE id = ?`, documentColumns, c),
			newest: fmt.Sprintf(`SELECT %s, version, last, number, ordinal, due FROM %s, streams
				WHERE identity = +?1 AND kind = +?2 AND version IS NOT NULL AND id = +?3`, documentColumns, c),
			last: fmt.Sprintf(`SELECT pk FROM %s WHERE pk BETWEEN ? AND ? ORDER BY pk DESC LIMIT 1`, c),
			insert: fmt.Sprintf(`INSERT INTO %s(created, status, customer, order_id, external, category, active, in_stock,
				words, body, id, pk) VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING`, c),
			remove: fmt.Sprintf(`DELETE FROM %s WHERE pk = ?`, c),
			move:   fmt.Sprintf(`UPDATE %s SET pk = ? WHERE pk = ?`, c),
			replace: fmt.Sprintf(`UPDATE %s SET created = ?, status = ?, customer = ?, order_id = ?, external = ?,
				category = ?, active = ?, in_stock = ?, words = ?, body = ? WHERE pk = ?`, c),
			status: fmt.Sprintf(`UPDATE %s SET status = ?, body = ? WHERE pk = ?`, c),
			onBody: fmt.Sprintf(`UPDATE %s SET body = ? WHERE pk = ?`, c),
		}
	}
	return views
}

// facts are what a row says beside its body. Indexes and counters change only where facts do.
type facts struct {
	created                                     int64
	status, customer, order, external, category string
	active, inStock                             bool
	words                                       int64 // hash of what the search index holds of it, 0: not in it
}

func factsOf(d *storage.Document) facts {
	f := facts{
		created: d.Created.UnixMilli(), status: d.Status, customer: d.Customer, order: d.Order, external: d.External,
		category: d.Category, active: d.Active, inStock: d.InStock,
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
	stmt.BindInt64(9, f.words)
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
				active: stmt.ColumnBool(7), inStock: stmt.ColumnBool(8), words: stmt.ColumnInt64(9),
			}
			return nil
		})
	return pk, f, found, err
}

// save stores a document of which there is little to know: most are stored once, so it is looked for only if it can't be
// added at its place.
func (v *view) save(conn *sqlite.Conn, d *storage.Document) error {
	now := factsOf(d)
	if !d.Hidden {
		if added, err := v.add(conn, v.nextPlace(now.created), now, d); added || err != nil {
			return err
		}
	}
	before, old, known, err := v.stored(conn, d.ID)
	if err != nil {
		return err
	}
	_, err = v.put(conn, before, old, known, now, d)
	return err
}

// put stores a document whose row was looked for: it stands at before, or is not known. It returns where it stands now; a
// hidden document has no row.
func (v *view) put(conn *sqlite.Conn, before int64, old facts, known bool, now facts, d *storage.Document) (place int64, err error) {
	switch {
	case known && d.Hidden:
		if err := query(conn, v.remove, func(stmt *sqlite.Stmt) { stmt.BindInt64(1, before) }, nil); err != nil {
			return before, err
		}
		return before, v.disowned(conn, before, old)
	case d.Hidden:
		return before, nil
	case known:
		return v.change(conn, before, old, now, d)
	}
	place = v.nextPlace(now.created)
	if added, err := v.add(conn, place, now, d); added || err != nil {
		return place, err
	}
	if place, err = v.freePlace(conn, now.created); err != nil {
		return 0, err
	}
	_, err = v.add(conn, place, now, d)
	return place, err
}

// add stores a document, unless it has a row already or its place is taken.
func (v *view) add(conn *sqlite.Conn, place int64, now facts, d *storage.Document) (added bool, err error) {
	err = query(conn, v.insert, func(stmt *sqlite.Stmt) {
		now.bind(stmt)
		stmt.BindBytes(10, d.Body)
		bindID(stmt, 11, d.ID)
		stmt.BindInt64(12, place)
	}, nil)
	if err != nil || conn.Changes() == 0 {
		return false, err
	}
	return true, v.owned(conn, place, now)
}

// change stores a document over its row, which moves if the time has changed.
func (v *view) change(conn *sqlite.Conn, before int64, old, now facts, d *storage.Document) (place int64, err error) {
	place = before
	if !sameTime(before, firstPlace(now.created)) {
		if place, err = v.freePlace(conn, now.created); err != nil {
			return 0, err
		}
		err := query(conn, v.move, func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, place)
			stmt.BindInt64(2, before)
		}, nil)
		if err != nil {
			return 0, err
		}
	}
	if place != before || now.customer != old.customer || now.status != old.status {
		if err := v.disowned(conn, before, old); err != nil {
			return 0, err
		}
		if err := v.owned(conn, place, now); err != nil {
			return 0, err
		}
	}
	return place, v.overwrite(conn, place, old, now, d)
}

// overwrite touches only the indexes of what has changed.
func (v *view) overwrite(conn *sqlite.Conn, pk int64, old, now facts, d *storage.Document) error {
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
		stmt.BindBytes(10, d.Body)
		stmt.BindInt64(11, pk)
	}, nil)
}

// documentColumns are what a scanner reads, from column 0.
const documentColumns = `id, created, status, body`

// scanner makes documents of rows. Those of one scanner share memory: a page then takes a few allocations, not a few for each
// document on it.
type scanner struct {
	collection storage.Collection
	limit      int    // how many rows may come, or nearly
	scanned    int    // how many came
	status     string // of the last row: neighbours often have the same
	bodies     []byte
}

func (s *scanner) scan(stmt *sqlite.Stmt) storage.Document {
	d := storage.Document{
		Collection: s.collection,
		ID:         columnID(stmt, 0),
		Created:    time.UnixMilli(stmt.ColumnInt64(1)).UTC(),
		Status:     s.columnStatus(stmt, 2),
		Body:       s.columnBody(stmt, 3),
	}
	s.scanned++
	return d
}

func (s *scanner) columnStatus(stmt *sqlite.Stmt, column int) string {
	var text [32]byte
	if size := stmt.ColumnLen(column); size > len(text) || string(text[:stmt.ColumnBytes(column, text[:])]) != s.status {
		s.status = stmt.ColumnText(column)
	}
	return s.status
}

// fewDocuments is how many documents memory is taken for at first, as many lists are short. A longer one is taken for a
// full page.
const fewDocuments = 4

// room is for how many documents more memory is to be taken, of which there are so many now.
func (s *scanner) room(now int) int {
	if now < fewDocuments {
		return min(s.limit, fewDocuments)
	}
	return max(s.limit-now, 1)
}

// maxBodies bounds what is allocated at once for bodies that may come, by the size of one that has.
const maxBodies = 16 << 10

func (s *scanner) columnBody(stmt *sqlite.Stmt, column int) []byte {
	size := stmt.ColumnLen(column)
	if size > cap(s.bodies)-len(s.bodies) {
		s.bodies = make([]byte, 0, max(size, min(size*s.room(s.scanned), maxBodies)))
	}
	start := len(s.bodies)
	s.bodies = s.bodies[:start+size]
	body := s.bodies[start : start+size : start+size]
	stmt.ColumnBytes(column, body)
	return body
}
