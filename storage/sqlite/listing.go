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
	conn  *sqlite.Conn
	table storage.Collection
	from  string // FROM and WHERE up to top
	terms []condition
	after storage.Position

	top   int64 // where the page begins, or above: the last place of a millisecond
	skip  int   // how many of the documents from there on do not belong to the page
	limit int
	place int64              // of the last document of the group
	group []storage.Document // of one millisecond, not sorted yet
	page  []storage.Document
}

// newListing names the index itself, because the planner has no statistics to choose by. Without a filter the rows are in
// the right order themselves.
func newListing(conn *sqlite.Conn, f storage.Filter, after storage.Position, skip, limit int) *listing {
	l := &listing{conn: conn, table: f.Collection, terms: conditions(f), after: after, top: math.MaxInt64, skip: skip, limit: limit}
	order := `NOT INDEXED`
	best := slices.IndexFunc(l.terms, func(c condition) bool { return slices.Contains(indexes[f.Collection], c.column) })
	if best >= 0 {
		order = `INDEXED BY ` + indexName(f.Collection, l.terms[best].column)
	}
	var from strings.Builder
	fmt.Fprintf(&from, ` FROM %s %s WHERE `, f.Collection, order)
	for _, term := range l.terms {
		fmt.Fprintf(&from, `%s = +? AND `, term.column)
	}
	from.WriteString(`pk <= ?`)
	l.from = from.String()
	if after != (storage.Position{}) {
		l.top = lastPlace(after.Created.UnixMilli())
	}
	return l
}

func (l *listing) query(columns, tail string, each func(*sqlite.Stmt) error, params ...int64) error {
	return query(l.conn, `SELECT `+columns+l.from+tail, func(stmt *sqlite.Stmt) {
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
		err := l.query(`id, created`, ` AND pk > ?`, func(stmt *sqlite.Stmt) error {
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
	err := l.query(`pk`, ` ORDER BY pk DESC LIMIT 1 OFFSET ?`, func(stmt *sqlite.Stmt) error {
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
	return l.query(`count(*)`, ` AND pk > ?`, func(stmt *sqlite.Stmt) error {
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
	err := l.query(documentColumns+`, pk`, ` ORDER BY pk DESC`, func(stmt *sqlite.Stmt) error {
		place := stmt.ColumnInt64(4)
		if len(l.group) > 0 && !sameTime(l.place, place) && l.settle() {
			return errEnough
		}
		l.place = place
		l.group = append(l.group, scanDocument(l.table, stmt))
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

// settle puts the documents of one millisecond on the page, and says whether that is full.
func (l *listing) settle() (full bool) {
	slices.SortFunc(l.group, newestFirst)
	for i := range l.group {
		switch {
		case len(l.page) == l.limit:
			return true
		case !l.behind(&l.group[i]):
		case l.skip > 0:
			l.skip--
		default:
			l.page = append(l.page, l.group[i])
		}
	}
	l.group = l.group[:0]
	return len(l.page) == l.limit
}

// behind says whether a document comes after the position in the list.
func (l *listing) behind(d *storage.Document) bool {
	if l.after == (storage.Position{}) {
		return true
	}
	return cmp.Or(l.after.Created.Compare(d.Created), strings.Compare(l.after.ID, d.ID)) > 0
}
