package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

var errClosed = errors.New("store is closed")

// busyTimeout is far longer than any transaction of ours; there is one writer per file.
const busyTimeout = 10 * time.Second

func openConn(path string, pragmas ...string) (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenWAL)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	for _, pragma := range pragmas {
		if err := run(conn, "PRAGMA "+pragma); err != nil {
			_ = conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// run executes statements that have no parameters, once; rows are thrown away.
func run(conn *sqlite.Conn, statements ...string) error {
	for _, text := range statements {
		stmt, _, err := conn.PrepareTransient(text)
		if err != nil {
			return err
		}
		more := true
		for more && err == nil {
			more, err = stmt.Step()
		}
		if e := stmt.Finalize(); err == nil {
			err = e
		}
		if err != nil {
			return fmt.Errorf("%.60s: %w", text, err)
		}
	}
	return nil
}

// query runs a cached statement; each may be nil. The statement is done with when query returns. A statement that runs often
// says +? where the planner would look at what is bound, as it does in joins, in filters beside a range, and for LIMIT: it
// would plan the statement anew each time, which takes longer than most of them.
func query(conn *sqlite.Conn, text string, bind func(*sqlite.Stmt), each func(*sqlite.Stmt) error) error {
	stmt, err := conn.Prepare(text)
	if err != nil {
		return err
	}
	if bind != nil {
		bind(stmt)
	}
	for {
		row, err := stmt.Step()
		if err != nil {
			return err
		}
		if !row {
			return stmt.Reset()
		}
		if each == nil {
			continue
		}
		if err := each(stmt); err != nil {
			_ = stmt.Reset()
			return err
		}
	}
}

// transact runs f inside a transaction, which is undone if f or the commit fails.
func transact(conn *sqlite.Conn, f func() error) (err error) {
	if err := query(conn, "BEGIN IMMEDIATE", nil, nil); err != nil {
		return err
	}
	committed := false
	defer func() {
		if !committed {
			rollback(conn)
		}
	}()
	if err := f(); err != nil {
		return err
	}
	if err := query(conn, "COMMIT", nil, nil); err != nil {
		return err
	}
	committed = true
	return nil
}

// atOnce runs queries in one read transaction: each one alone would take and release the file's locks by itself.
func atOnce(conn *sqlite.Conn, f func() error) error {
	if err := query(conn, "BEGIN", nil, nil); err != nil {
		return err
	}
	defer rollback(conn)
	return f()
}

// rollback leaves the connection ready for the next transaction. Some errors have ended the transaction already.
func rollback(conn *sqlite.Conn) {
	if !conn.AutocommitEnabled() {
		_ = query(conn, "ROLLBACK", nil, nil)
	}
}

// pool lends things that one caller at a time may use.
type pool[T any] struct {
	free   chan T
	size   int
	closed <-chan struct{}
}

func newPool[T any](closed <-chan struct{}, things ...T) *pool[T] {
	p := &pool[T]{free: make(chan T, len(things)), size: len(things), closed: closed}
	for _, thing := range things {
		p.free <- thing
	}
	return p
}

// usable says whether it makes sense to begin.
func usable(ctx context.Context, closed <-chan struct{}) error {
	select {
	case <-closed:
		return errClosed
	default:
		return ctx.Err()
	}
}

// take waits for a thing; the caller must put it back.
func (p *pool[T]) take(ctx context.Context) (T, error) {
	var none T
	if err := usable(ctx, p.closed); err != nil {
		return none, err
	}
	select {
	case thing := <-p.free:
		return thing, nil
	case <-p.closed:
		return none, errClosed
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

func (p *pool[T]) put(thing T) { p.free <- thing }

// drain waits until everything was put back, and returns it; nothing can be taken afterwards.
func (p *pool[T]) drain() []T {
	things := make([]T, 0, p.size)
	for range p.size {
		things = append(things, <-p.free)
	}
	return things
}

// columnInstant is zero where the column is null.
func columnInstant(stmt *sqlite.Stmt, column int) time.Time {
	if stmt.ColumnIsNull(column) {
		return time.Time{}
	}
	return time.UnixMilli(stmt.ColumnInt64(column)).UTC()
}

// columnBlob copies a column into a slice that has so much room behind it.
func columnBlob(stmt *sqlite.Stmt, column, room int) []byte {
	size := stmt.ColumnLen(column)
	blob := make([]byte, size, size+room)
	stmt.ColumnBytes(column, blob)
	return blob
}
