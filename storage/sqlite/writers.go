package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// loadWriters reads the writers from journal.db; loadMarks and replay complete them.
func (s *Store) loadWriters(conn *sqlite.Conn) error {
	return query(conn, `SELECT id, name, enlisted, relayed FROM writers`, nil, func(stmt *sqlite.Stmt) error {
		s.index.addWriter(&writerState{
			id: stmt.ColumnInt64(0), name: stmt.ColumnText(1), enlisted: stmt.ColumnBool(2), relayed: uint64(stmt.ColumnInt64(3)),
		})
		return nil
	})
}

// loadEnds reads from read.db where writers ended at the watermark.
func (s *Store) loadEnds(conn *sqlite.Conn) error {
	return query(conn, `SELECT writer, first_number, last_number, last_serial FROM writer_ends`, nil,
		func(stmt *sqlite.Stmt) error {
			if w := s.index.writersByID[stmt.ColumnInt64(0)]; w != nil {
				w.ends = writerEnds{stmt.ColumnInt64(1), stmt.ColumnInt64(2), uint64(stmt.ColumnInt64(3))}
			}
			return nil
		})
}

func (s *Store) loadMarks(conn *sqlite.Conn) error {
	return query(conn, `SELECT writer, projected FROM marks`, nil, func(stmt *sqlite.Stmt) error {
		if w := s.index.writersByID[stmt.ColumnInt64(0)]; w != nil {
			w.projected = uint64(stmt.ColumnInt64(1))
		}
		return nil
	})
}

// addWriter gives a new writer its id. The caller has the journal's turn.
func (s *Store) addWriter(w *journalWriter, name string, enlisted bool) (*writerState, error) {
	state := &writerState{name: name, enlisted: enlisted}
	err := transact(w.conn, func() error {
		err := query(w.conn, `INSERT INTO writers(name, enlisted, relayed) VALUES(?,?,0)`, func(stmt *sqlite.Stmt) {
			stmt.BindText(1, name)
			stmt.BindBool(2, enlisted)
		}, nil)
		state.id = w.conn.LastInsertRowID()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("new writer %s: %w", name, err)
	}
	s.index.addWriter(state)
	return state, nil
}

// Enlist registers a writer.
func (s *Store) Enlist(ctx context.Context, writer string) (last uint64, err error) {
	err = s.journalTurn(ctx, func(w *journalWriter) error {
		state, known := s.index.writer(writer)
		last = state.ends.serial
		switch {
		case !known:
			_, err := s.addWriter(w, writer, true)
			return err
		case state.enlisted:
			return nil
		}
		if err := setEnlisted(w, state.id, true); err != nil {
			return err
		}
		s.index.update(writer, func(state *writerState) { state.enlisted = true })
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("enlist %s: %w", writer, err)
	}
	return last, nil
}

// journalTurn runs f as the only one who writes to journal.db.
func (s *Store) journalTurn(ctx context.Context, f func(*journalWriter) error) error {
	w, err := s.journal.take(ctx)
	if err != nil {
		return err
	}
	defer s.journal.put(w)
	if err := s.ready(ctx, w); err != nil {
		return err
	}
	return f(w)
}

// readTurn runs f in a transaction, as the only one who writes to read.db.
func (s *Store) readTurn(ctx context.Context, f func(*sqlite.Conn) error) error {
	conn, err := s.readWriter.take(ctx)
	if err != nil {
		return err
	}
	defer s.readWriter.put(conn)
	return transact(conn, func() error { return f(conn) })
}

func setEnlisted(w *journalWriter, id int64, enlisted bool) error {
	return transact(w.conn, func() error {
		return query(w.conn, `UPDATE writers SET enlisted = ?, relayed = 0 WHERE id = ?`, func(stmt *sqlite.Stmt) {
			stmt.BindBool(1, enlisted)
			stmt.BindInt64(2, id)
		}, nil)
	})
}

// Writers returns the marks.
func (s *Store) Writers(ctx context.Context) ([]storage.Marks, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("writers: %w", err)
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	var marks []storage.Marks
	for _, w := range s.index.writers {
		if w.enlisted {
			marks = append(marks, storage.Marks{Writer: w.name, Relayed: w.relayed, Projected: w.projected})
		}
	}
	return marks, nil
}

// Advance moves a mark of an enlisted writer. It does not wait for the disk: the mark survives the process at once, and
// the loss of power with the next append; before that an older mark comes back and some work is done again.
func (s *Store) Advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	err := s.advance(ctx, writer, mark, number)
	if err != nil {
		return fmt.Errorf("advance %s to %d: %w", writer, number, err)
	}
	return nil
}

func (s *Store) advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	if mark == storage.MarkProjected {
		return s.Save(ctx, nil, writer, number)
	}
	return s.journalTurn(ctx, func(w *journalWriter) error {
		state, err := s.index.enlistedWriter(writer)
		if err != nil {
			return err
		}
		if mark != storage.MarkRelayed {
			return fmt.Errorf("unknown mark %d", mark)
		}
		if number <= state.relayed {
			return nil
		}
		err = transact(w.mark, func() error {
			return query(w.mark, `UPDATE writers SET relayed = ? WHERE id = ?`, func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, int64(number))
				stmt.BindInt64(2, state.id)
			}, nil)
		})
		if err == nil {
			s.index.update(writer, func(state *writerState) { state.relayed = number })
		}
		return err
	})
}

// Retire forgets a writer, and refuses while one of its marks is below its last entry. What it wrote stays, and so does
// the last number, should the name come back.
func (s *Store) Retire(ctx context.Context, writer string) error {
	err := s.journalTurn(ctx, func(w *journalWriter) error {
		state, _ := s.index.writer(writer)
		if !state.enlisted {
			return nil
		}
		if min(state.relayed, state.projected) < state.ends.serial {
			return fmt.Errorf("relayed to %d, projected to %d, last entry is %d", state.relayed, state.projected, state.ends.serial)
		}
		err := s.readTurn(ctx, func(conn *sqlite.Conn) error {
			return query(conn, `DELETE FROM marks WHERE writer = ?`, func(stmt *sqlite.Stmt) { stmt.BindInt64(1, state.id) }, nil)
		})
		if err != nil {
			return err
		}
		if err := setEnlisted(w, state.id, false); err != nil {
			return err
		}
		s.index.update(writer, func(state *writerState) { state.enlisted, state.relayed, state.projected = false, 0, 0 })
		return nil
	})
	if err != nil {
		return fmt.Errorf("retire %s: %w", writer, err)
	}
	return nil
}
