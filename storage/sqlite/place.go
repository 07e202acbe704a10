package sqlite

import (
	"fmt"
	"math"

	"zombiezen.com/go/sqlite"
)

// A document's row stands at its place: its creation in milliseconds, and in the lowest bits a number among those of one
// millisecond. So rows lie in the order of time, and no list and no search needs an index to find the newest ones.
//
// The number is the next one of a counter that begins anew with the process: a row goes in behind those that came before,
// and without looking for a free place. Where a place is taken all the same, the row gets a number of the upper half, which
// the counter leaves alone.
const (
	placeBits  = 20
	lastNumber = 1<<placeBits - 1
	upperHalf  = 1 << (placeBits - 1)
	lastTime   = math.MaxInt64 >> placeBits // in the year 2248: what is further away, either way, is put there
)

// firstPlace and lastPlace are the ends of a millisecond.
func firstPlace(created int64) int64 { return min(max(created, -lastTime), lastTime) << placeBits }
func lastPlace(created int64) int64  { return firstPlace(created) | lastNumber }

// sameTime says that places do not tell which of two documents is newer.
func sameTime(a, b int64) bool { return a>>placeBits == b>>placeBits }

// nextPlace is hardly ever taken.
func (v *view) nextPlace(created int64) int64 {
	v.number = (v.number + 1) % upperHalf
	return firstPlace(created) | v.number
}

// freePlace is behind all that stand in the upper half of that millisecond.
func (v *view) freePlace(conn *sqlite.Conn, created int64) (place int64, err error) {
	place = firstPlace(created) | upperHalf
	last := lastPlace(created)
	err = query(conn, v.last, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, place)
		stmt.BindInt64(2, last)
	}, func(stmt *sqlite.Stmt) error {
		place = stmt.ColumnInt64(0) + 1
		return nil
	})
	if err == nil && place > last {
		err = fmt.Errorf("too many documents of millisecond %d", created)
	}
	return place, err
}
