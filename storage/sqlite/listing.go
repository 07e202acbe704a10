package sqlite

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// listing is one call of List at work.
type listing struct {
	conn   *sqlite.Conn
	from   string // FROM and WHERE up to top
	places string // the same where only places are asked for: it need not look at the rows
	place  string // the column of places
	terms  []condition
	after  storage.Position

	top   int64 // where the page begins, or above: the last place of a millisecond
	skip  int   // how many of the documents from there on do not belong to the page
	limit int
	last  int64 // place of the last document
	rows  scanner
	page  []storage.Document
	ready int // so many on the page are at their place; the others are of one millisecond, not sorted yet
}

// newListing names the index itself, because the planner has no statistics to choose by. Without a filter the rows are in
// the right order themselves.
func newListing(conn *sqlite.Conn, f storage.Filter, after storage.Position, skip, limit int) *listing {
	l := &listing{conn: conn, terms: conditions(f), after: after, place: `pk`, top: math.MaxInt64, skip: skip, limit: limit,
		rows: scanner{collection: f.Collection, limit: limit}}
	best := slices.IndexFunc(l.terms, func(c condition) bool {
		return slices.Contains(indexes[f.Collection], c.column) || (c.column == byCustomer && ofCustomers[f.Collection] > 0)
	})
	switch {
	case best < 0:
		l.from = l.filtered(string(f.Collection)+` NOT INDEXED`, nil, `pk <= ?`)
	case l.terms[best].column == byCustomer:
		l.place = `place`
		rest := fmt.Sprintf(`place <= ? AND collection = %d`, ofCustomers[f.Collection])
		l.from = l.filtered(`customers CROSS JOIN `+string(f.Collection)+` ON pk = place`, customerColumns, rest)
		covered := !slices.ContainsFunc(l.terms, func(c condition) bool { return customerColumns[c.column] == "" })
		if covered {
			l.places = l.filtered(`customers`, customerColumns, rest)
		}
	default:
		l.from = l.filtered(string(f.Collection)+` INDEXED BY `+indexName(f.Collection, l.terms[best].column), nil, `pk <= ?`)
	}
	l.places = cmp.Or(l.places, l.from)
	if after != (storage.Position{}) {
		l.top = lastPlace(after.Created.UnixMilli())
	}
	return l
}

// filtered is FROM a source and WHERE all terms hold, of which some have other names there.
func (l *listing) filtered(source string, names map[filterColumn]string, rest string) string {
	var from strings.Builder
	fmt.Fprintf(&from, ` FROM %s WHERE `, source)
	for _, term := range l.terms {
		fmt.Fprintf(&from, `%s = +? AND `, cmp.Or(names[term.column], string(term.column)))
	}
	return from.String() + rest
}

func (l *listing) query(what, tail string, each func(*sqlite.Stmt) error, params ...int64) error {
	return query(l.conn, `SELECT `+what+tail, func(stmt *sqlite.Stmt) {
		for i, term := range l.terms {
			if term.flag != nil {
				stmt.BindBool(i+1, *term.flag)
			} else {
				stmt.BindText(i+1, term.text)
			}
		}
		stmt.BindInt64(len(l.terms)+1, l.top)
		for i, param := range params {
			stmt.BindInt64(len(l.terms)+2+i, param)
		}
	}, each)
}

// farSkip is from how many documents on it is better to count them than to read them.
const farSkip = 32

// seek moves the top down to where the page begins, as far as counting can do that: to a whole millisecond.
func (l *listing) seek() error {
	if l.skip < farSkip {
		return nil
	}
	if l.after != (storage.Position{}) {
		// The count begins with a whole millisecond, so what lies there before the position is skipped too.
		err := l.query(`id, created`+l.from, ` AND `+l.place+` > ?`, func(stmt *sqlite.Stmt) error {
			d := storage.Document{ID: columnID(stmt, 0), Created: time.UnixMilli(stmt.ColumnInt64(1))}
			if !l.behind(&d) {
				l.skip++
			}
			return nil
		}, l.top-lastNumber-1)
		if err != nil {
			return err
		}
		l.after = storage.Position{}
	}
	begin, found := int64(0), false
	err := l.query(l.place+l.places, ` ORDER BY `+l.place+` DESC LIMIT 1 OFFSET ?`, func(stmt *sqlite.Stmt) error {
		begin, found = stmt.ColumnInt64(0), true
		return nil
	}, int64(l.skip))
	if err != nil {
		return err
	}
	if !found {
		l.limit = 0
		return nil
	}
	l.top = begin | lastNumber
	return l.query(`count(*)`+l.places, ` AND `+l.place+` > ?`, func(stmt *sqlite.Stmt) error {
		l.skip = stmt.ColumnInt(0)
		return nil
	}, begin)
}

var errEnough = errors.New("page is full")

// read fills the page.
func (l *listing) read() error {
	if l.limit == 0 {
		return nil
	}
	err := l.query(documentColumns+`, `+l.place+l.from, ` ORDER BY `+l.place+` DESC`, func(stmt *sqlite.Stmt) error {
		place := stmt.ColumnInt64(4)
		if len(l.page) > l.ready && !sameTime(l.last, place) && l.settle() {
			return errEnough
		}
		l.last = place
		if d := l.rows.scan(stmt); l.behind(&d) {
			if len(l.page) == cap(l.page) {
				l.page = slices.Grow(l.page, l.rows.room(len(l.page)))
			}
			l.page = append(l.page, d)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	l.settle()
	return nil
}

// newestFirst is the order of lists.
func newestFirst(a, b storage.Document) int {
	return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
}

// settle brings the documents of one millisecond to their place on the page, and says whether that is full.
func (l *listing) settle() (full bool) {
	slices.SortFunc(l.page[l.ready:], newestFirst)
	skipped := min(l.skip, len(l.page)-l.ready)
	l.page, l.skip = slices.Delete(l.page, l.ready, l.ready+skipped), l.skip-skipped
	l.page = l.page[:min(len(l.page), l.limit)]
	l.ready = len(l.page)
	return l.ready == l.limit
}

// behind says whether a document comes after the position in the list.
func (l *listing) behind(d *storage.Document) bool {
	if l.after == (storage.Position{}) {
		return true
	}
	return cmp.Or(l.after.Created.Compare(d.Created), strings.Compare(l.after.ID, d.ID)) > 0
}
