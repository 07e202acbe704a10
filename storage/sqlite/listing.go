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

	top   int64 // where the page begins, or above: the latest millisecond
	skip  int   // how many of the documents from there on do not belong to the page
	limit int
	group []storage.Document // of one millisecond, not sorted yet
	page  []storage.Document
}

// newListing names the index itself, because the planner has no statistics to choose by.
func newListing(conn *sqlite.Conn, f storage.Filter, after storage.Position, skip, limit int) *listing {
	l := &listing{conn: conn, table: f.Collection, terms: conditions(f), after: after, top: math.MaxInt64, skip: skip, limit: limit}
	by := byTime
	for _, term := range slices.Backward(l.terms) {
		if slices.Contains(indexes[f.Collection], term.column) {
			by = term.column
		}
	}
	var from strings.Builder
	fmt.Fprintf(&from, ` FROM %s INDEXED BY %s WHERE hidden = 0`, f.Collection, indexName(f.Collection, by))
	for _, term := range l.terms {
		fmt.Fprintf(&from, ` AND %s = ?`, term.column)
	}
	from.WriteString(` AND created <= ?`)
	l.from = from.String()
	if after != (storage.Position{}) {
		l.top = after.Created.UnixMilli()
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

// farSkip is from how many documents on it is better to count them in the index than to read them.
const farSkip = 32

// seek moves the top down to where the page begins, as far as counting can do that: to a whole millisecond.
func (l *listing) seek() error {
	if l.skip < farSkip {
		return nil
	}
	if l.after != (storage.Position{}) {
		// The count begins with a whole millisecond, so what lies there before the position is skipped too.
		err := l.query(`id, created`, ` AND created = ?`, func(stmt *sqlite.Stmt) error {
			d := storage.Document{ID: columnID(stmt, 0), Created: time.UnixMilli(stmt.ColumnInt64(1))}
			if !l.behind(&d) {
				l.skip++
			}
			return nil
		}, l.top)
		if err != nil {
			return err
		}
		l.after = storage.Position{}
	}
	begin, found := int64(0), false
	err := l.query(`created`, ` ORDER BY created DESC LIMIT 1 OFFSET ?`, func(stmt *sqlite.Stmt) error {
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
	err = l.query(`count(*)`, ` AND created > ?`, func(stmt *sqlite.Stmt) error {
		l.skip -= stmt.ColumnInt(0)
		return nil
	}, begin)
	l.top = begin
	return err
}

var errEnough = errors.New("page is full")

// read fills the page.
func (l *listing) read() error {
	if l.limit == 0 {
		return nil
	}
	err := l.query(documentColumns, ` ORDER BY created DESC`, func(stmt *sqlite.Stmt) error {
		d := scanDocument(l.table, stmt)
		if len(l.group) > 0 && !l.group[0].Created.Equal(d.Created) && l.settle() {
			return errEnough
		}
		l.group = append(l.group, d)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	l.settle()
	return nil
}

// settle puts the documents of one millisecond on the page, and says whether that is full.
func (l *listing) settle() (full bool) {
	slices.SortFunc(l.group, func(a, b storage.Document) int {
		return strings.Compare(b.ID, a.ID)
	})
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
