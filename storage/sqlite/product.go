package sqlite

import (
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// A product's row stands at its place: its creation in milliseconds, and in the lowest bits a number among those of one
// millisecond. So the search index, which goes by rows, gives what a word finds in the order of time.
const (
	placeBits = 20
	lastTime  = math.MaxInt64 >> placeBits // in the year 2248: what is further away, either way, is put there
)

// placeOf is the first place of a millisecond.
func placeOf(created int64) int64 { return min(max(created, -lastTime), lastTime) << placeBits }

// sameTime says that places do not tell which of two products is newer.
func sameTime(a, b int64) bool { return a>>placeBits == b>>placeBits }

// freePlace is behind all products of that millisecond.
func freePlace(conn *sqlite.Conn, created int64) (place int64, err error) {
	place = placeOf(created)
	last := place | (1<<placeBits - 1)
	err = query(conn, `SELECT pk FROM products WHERE pk BETWEEN ? AND ? ORDER BY pk DESC LIMIT 1`, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, place)
		stmt.BindInt64(2, last)
	}, func(stmt *sqlite.Stmt) error {
		place = stmt.ColumnInt64(0) + 1
		return nil
	})
	if err == nil && place > last {
		err = fmt.Errorf("more than %d products of one millisecond", 1<<placeBits)
	}
	return place, err
}

// saveProduct stores a product at its place, and notes what that changes in counters and words.
func (v *view) saveProduct(conn *sqlite.Conn, d *storage.Document, changed *aside) error {
	before, old, known, err := v.stored(conn, d.ID)
	if err != nil {
		return err
	}
	now, place := factsOf(d), before
	if !known || !sameTime(before, placeOf(now.created)) {
		if place, err = freePlace(conn, now.created); err != nil {
			return err
		}
	}
	if known {
		err = v.moveAndChange(conn, before, place, old, now, d)
	} else {
		_, err = v.add(conn, &place, now, d)
	}
	if err != nil {
		return err
	}
	changed.count(now, +1)
	if known {
		changed.count(old, -1)
	}
	if old.words == now.words && before == place {
		return nil
	}
	if old.words != 0 {
		changed.words = append(changed.words, wording{place: before, gone: true})
	}
	if now.words != 0 {
		changed.words = append(changed.words, wording{place: place, tokens: tokensOf(d)})
	}
	return nil
}

func (v *view) moveAndChange(conn *sqlite.Conn, before, place int64, old, now facts, d *storage.Document) error {
	if place != before {
		err := query(conn, `UPDATE products SET pk = ? WHERE pk = ?`, func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, place)
			stmt.BindInt64(2, before)
		}, nil)
		if err != nil {
			return err
		}
	}
	return v.change(conn, place, old, now, d)
}
