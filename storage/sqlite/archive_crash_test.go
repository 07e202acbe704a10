package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	sqlite3 "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

func openBlocks(t testing.TB, dir string, rows int64) *sqlite.Store {
	t.Helper()
	return open(t, dir, sqlite.WithBlocks(rows))
}

// number asks a file of a closed store for one.
func number(t testing.TB, path, text string) int {
	t.Helper()
	conn, err := sqlite3.OpenConn(path, sqlite3.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	n, err := sqlitex.ResultInt(conn.Prep(text))
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

// run makes a file, if there is none, and executes one statement.
func run(t testing.TB, path, text string) {
	t.Helper()
	conn, err := sqlite3.OpenConn(path, sqlite3.OpenReadWrite, sqlite3.OpenCreate)
	if err == nil {
		err = errors.Join(sqlitex.ExecuteTransient(conn, text, nil), conn.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func rowsIn(t testing.TB, dir string) int {
	t.Helper()
	return number(t, filepath.Join(dir, journalFile), `SELECT count(*) FROM journal`)
}

func layout(t testing.TB, dir string) int {
	t.Helper()
	return number(t, filepath.Join(dir, journalFile), `PRAGMA user_version`)
}

// A process may die after the rows have come to archive.db and before they are deleted from journal.db.
func TestCrashBetweenArchivingAndDeleting(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 8)
	defer closeStore(t, s)
	fill(t, s, 100) // 300 rows
	if count, err := s.HalfArchive(t.Context()); err != nil || count != 296 {
		t.Fatalf("%d rows were written, %v, want 296", count, err)
	}
	archiveFiles := []string{archiveFile, archiveFile + "-wal", archiveFile + "-shm"}
	for name, c := range map[string]struct {
		lose []string
		make string // in the place of archive.db
	}{
		"everything is there":      {},
		"read.db is gone":          {lose: []string{readFile, readFile + "-wal", readFile + "-shm"}},
		"archive.db is gone":       {lose: archiveFiles},
		"archive.db was just made": {lose: archiveFiles, make: `PRAGMA user_version = 0`},
		"archive.db has no tables": {lose: archiveFiles, make: `PRAGMA journal_mode = wal`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, dir)
			for _, file := range c.lose {
				if err := os.Remove(filepath.Join(dir, file)); err != nil {
					t.Fatal(err)
				}
			}
			if c.make != "" {
				run(t, filepath.Join(dir, archiveFile), c.make)
			}
			s := openBlocks(t, dir, 8)
			wantArchived(t, s, 0)
			wantFilled(t, s, 100)
			if moved := archive(t, s); moved.Entries != 296 {
				t.Errorf("%d entries were moved, want 296", moved.Entries)
			}
			wantArchived(t, s, 296)
			wantFilled(t, s, 100)
			closeStore(t, s)
			if got := rowsIn(t, dir); got != 4 {
				t.Errorf("journal.db has %d rows left, want 4", got)
			}
			s = openBlocks(t, dir, 8)
			defer closeStore(t, s)
			wantFilled(t, s, 100)
		})
	}
}

// After a crash blocks may lie in archive.db whose rows came out otherwise: what journal.db has counts.
func TestJournalCountsUntilItsRowsAreDeleted(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 8)
	fill(t, s, 10) // 30 rows
	backup := copyOf(t, dir)
	for first := uint64(4); first <= 6; first++ {
		put(t, s, entry(filled(0), first, "member-2", first))
	}
	if count, err := s.HalfArchive(t.Context()); err != nil || count != 32 {
		t.Fatalf("%d rows were written, %v, want 32", count, err)
	}
	closeStore(t, s)
	for _, file := range []string{journalFile, journalFile + "-wal", readFile, readFile + "-wal"} {
		data, err := os.ReadFile(filepath.Join(backup, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s = openBlocks(t, dir, 8)
	defer closeStore(t, s)
	for n := range 3 {
		put(t, s, entry(storage.StreamOf("order", fmt.Sprint("other-", n)), 1, "member-1", uint64(100+n)))
	}
	archive(t, s)
	wantArchived(t, s, 32)
	wantFilled(t, s, 10)
	for n := range 3 {
		wantEnd(t, s, storage.StreamOf("order", fmt.Sprint("other-", n)), 1)
	}
}

// What archive.db can't take stays in journal.db, and the shop goes on.
func TestFullArchiveLosesNothing(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 64)
	fill(t, s, 100)
	if err := s.LimitArchive(1); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if moved, err := s.Archive(t.Context(), time.Now(), 0); err == nil || moved.Entries != 0 {
			t.Fatalf("%d entries went to a full archive, %v", moved.Entries, err)
		}
		wantArchived(t, s, 0)
	}
	put(t, s, entry("order/meanwhile", 1, "member-1", 1000))
	wantFilled(t, s, 100)
	crashed := openBlocks(t, copyOf(t, dir), 64)
	wantFilled(t, crashed, 100)
	closeStore(t, crashed)
	if err := s.LimitArchive(-1); err != nil {
		t.Fatal(err)
	}
	archive(t, s)
	wantArchived(t, s, 256)
	wantFilled(t, s, 100)
	closeStore(t, s)
}

// Rows are deleted only while the file that holds them now is where it was.
func TestVanishedArchiveFreesNothing(t *testing.T) {
	for _, name := range []string{archiveFile, archiveFile + "-wal"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openBlocks(t, dir, 8)
			defer closeStore(t, s)
			fill(t, s, 100)
			if _, err := s.HalfArchive(t.Context()); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, name)
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			if moved, err := s.Archive(t.Context(), time.Now(), 0); !errors.Is(err, os.ErrNotExist) || moved.Entries != 0 {
				t.Errorf("%d entries were moved, %v, want os.ErrNotExist", moved.Entries, err)
			}
			wantArchived(t, s, 0)
			wantFilled(t, s, 100)
			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			archive(t, s)
			wantArchived(t, s, 296)
			wantFilled(t, s, 100)
		})
	}
}
