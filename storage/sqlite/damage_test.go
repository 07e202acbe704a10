package sqlite_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

func TestDamagedRowIsNamed(t *testing.T) {
	for name, text := range map[string]string{
		"body":             `UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), '"quantity":2', '"quantity":9') AS BLOB) WHERE number = 12`,
		"body cut":         `UPDATE journal SET sum = NULL, body = substr(body, 1, 40) WHERE number = 12`,
		"body empty":       `UPDATE journal SET sum = NULL, body = x'' WHERE number = 12`,
		"body longer":      `UPDATE journal SET sum = NULL, body = CAST(body || x'20' AS BLOB) WHERE number = 12`,
		"unknown version":  `UPDATE journal SET sum = NULL, body = CAST(x'63' || substr(body, 2) AS BLOB) WHERE number = 12`,
		"stream":           `UPDATE journal SET stream = 'order/other' WHERE number = 12`,
		"stream, unsealed": `UPDATE journal SET sum = NULL, stream = 'order/other' WHERE number = 12`,
		"serial":           `UPDATE journal SET serial = 77 WHERE number = 12`,
		"prev":             `UPDATE journal SET prev = 3 WHERE number = 12`,
		"first":            `UPDATE journal SET first = 1 WHERE number = 12`,
		"last, unsealed":   `UPDATE journal SET sum = NULL, last = 5 WHERE number = 12`,
		"writer, unsealed": `UPDATE journal SET sum = NULL, writer = 99 WHERE number = 12`,
		"gone":             `DELETE FROM journal WHERE number = 12`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			fill(t, s, 10)
			closeStore(t, s)
			edit(t, filepath.Join(dir, journalFile), text)
			s = open(t, dir)
			defer closeStore(t, s)
			_, err := s.Read(t.Context(), filled(1), 0, 0)
			wantDamaged(t, "read", err)
			if name != "stream, unsealed" { // only the chain of the stream can tell
				wantDamaged(t, "scan", s.Scan(t.Context(), func(storage.Entry) error { return nil }))
			}
			if entries, err := s.Read(t.Context(), filled(2), 0, 0); err != nil || len(entries) != 3 {
				t.Errorf("another stream: got %d entries, %v", len(entries), err)
			}
		})
	}
}

func wantDamaged(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), "number 12 ") {
		t.Errorf("%s: got %v, want ErrDamaged that names row 12", what, err)
	}
}

// The statement is the one that the package comment gives.
func TestEventIsAlteredByHand(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, 10)
	closeStore(t, s)
	edit(t, filepath.Join(dir, journalFile), `
		UPDATE journal SET sum = NULL, body = CAST(replace(CAST(body AS TEXT), '"quantity":2', '"quantity":9') AS BLOB)
		WHERE stream = 'order/filled-1' AND first <= 2 AND last >= 2`)
	s = open(t, dir)
	defer closeStore(t, s)
	entries, err := s.Read(t.Context(), filled(1), 0, 0)
	if err != nil || len(entries) != 3 {
		t.Fatalf("got %d entries, %v", len(entries), err)
	}
	want := `{"stream":"order/filled-1","quantity":9}`
	if got := string(entries[1].Events[0].Data); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	original := entry(filled(1), 2, "member-1", 12)
	if e := entries[1].Events[0]; e.Command != original.Events[0].Command || !e.At.Equal(original.Events[0].At) || entries[1].Number != 12 {
		t.Errorf("got %+v: more than the data changed", entries[1])
	}
}

func TestVanishedFileIsAnError(t *testing.T) {
	for _, name := range []string{journalFile, journalFile + "-wal"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			defer s.Close()
			put(t, s, entry("order/a", 1, "member-1", 1))
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			if err := s.Append(t.Context(), []storage.Entry{entry("order/a", 2, "member-1", 2)})[0]; !errors.Is(err, os.ErrNotExist) {
				t.Errorf("append: got %v, want os.ErrNotExist", err)
			}
			if err := s.Ping(t.Context()); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("ping: got %v, want os.ErrNotExist", err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := s.Append(t.Context(), []storage.Entry{entry("order/a", 2, "member-1", 2)})[0]; err == nil || errors.Is(err, storage.ErrConflict) {
				t.Errorf("append to a replaced file: got %v", err)
			}
		})
	}
}

func TestVanishedReadStoreIsToldByPing(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer closeStore(t, s)
	if err := os.Remove(filepath.Join(dir, readFile)); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ping: got %v, want os.ErrNotExist", err)
	}
	put(t, s, entry("order/a", 1, "member-1", 1))
}

func TestFullJournalIsAnErrorAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	fill(t, s, 20)
	if err := s.LimitPages(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	number, stored := uint64(1000), 0
	batch := func() []storage.Entry {
		var entries []storage.Entry
		for n := range 20 {
			entries = append(entries, entry(filled(n), uint64(4+stored), "member-1", number+uint64(n)))
		}
		return entries
	}
	for err := error(nil); err == nil; {
		for _, err = range s.Append(t.Context(), batch()) {
			if errors.Is(err, storage.ErrConflict) {
				t.Fatal("a full journal is a conflict")
			}
		}
		if err == nil {
			number, stored = number+20, stored+1
		}
		if stored > 1000 {
			t.Fatal("the journal never became full")
		}
	}
	if entries, err := s.Read(t.Context(), filled(3), 0, 0); err != nil || len(entries) != 3+stored {
		t.Fatalf("got %d entries, %v, want %d", len(entries), err, 3+stored)
	}
	if err := s.LimitPages(t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	put(t, s, batch()...)
	closeStore(t, s)
	s = open(t, dir)
	defer closeStore(t, s)
	for n := range 20 {
		wantEnd(t, s, filled(n), uint64(4+stored))
	}
}
