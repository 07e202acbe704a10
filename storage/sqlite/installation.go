package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

const secretSize = 32

// Secret returns the secret of that name; it is in journal.db, with the file's permissions as its protection.
func (s *Store) Secret(ctx context.Context, name string) (secret []byte, err error) {
	err = s.journalTurn(ctx, func(w *journalWriter) error {
		return transact(w.conn, func() error {
			find := func(stmt *sqlite.Stmt) error {
				secret = columnBlob(stmt, 0, 0)
				return nil
			}
			bindName := func(stmt *sqlite.Stmt) { stmt.BindText(1, name) }
			if err := query(w.conn, `SELECT value FROM secrets WHERE name = ?`, bindName, find); err != nil || secret != nil {
				return err
			}
			secret = make([]byte, secretSize)
			rand.Read(secret)
			return query(w.conn, `INSERT INTO secrets(name, value) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
				stmt.BindText(1, name)
				stmt.BindBytes(2, secret)
			}, nil)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", name, err)
	}
	return secret, nil
}

// Ping writes a little to both files, because nothing else tells whether the next append would succeed.
func (s *Store) Ping(ctx context.Context) error {
	now := time.Now().UnixMilli()
	err := s.journalTurn(ctx, func(w *journalWriter) error {
		return transact(w.conn, func() error { return setMeta(w.conn, metaPing, now) })
	})
	if err != nil {
		return fmt.Errorf("ping: %s: %w", journalName, err)
	}
	err = s.readFiles.check()
	if err == nil {
		err = s.readTurn(ctx, func(conn *sqlite.Conn) error { return setMeta(conn, metaPing, now) })
	}
	if err == nil {
		err = s.index.lastMoveError()
	}
	if err != nil {
		return fmt.Errorf("ping: %s: %w", readName, err)
	}
	return nil
}
