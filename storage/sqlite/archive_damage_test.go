package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// archivedDir is the directory of a closed store whose 30 rows are archived in blocks of so many, as far as they fill those.
func archivedDir(t *testing.T, rows, archived int64) string {
	t.Helper()
	dir := t.TempDir()
	s := openBlocks(t, dir, rows)
	fill(t, s, 10)
	archive(t, s)
	wantArchived(t, s, archived)
	closeStore(t, s)
	return dir
}

func TestDamagedBlockIsNamed(t *testing.T) {
	whole := archivedDir(t, 8, 24)
	for name, text := range map[string]string{
		"body":               `UPDATE blocks SET body = CAST(substr(body, 1, 60) || x'00' || substr(body, 62) AS BLOB) WHERE first = 9`,
		"body cut":           `UPDATE blocks SET body = substr(body, 1, 40) WHERE first = 9`,
		"body empty":         `UPDATE blocks SET body = x'' WHERE first = 9`,
		"body of another":    `UPDATE blocks SET body = (SELECT body FROM blocks WHERE first = 1) WHERE first = 9`,
		"all of another":     `UPDATE blocks SET (body, sum) = (SELECT body, sum FROM blocks WHERE first = 1) WHERE first = 9`,
		"count":              `UPDATE blocks SET count = 7 WHERE first = 9`,
		"sum":                `UPDATE blocks SET sum = sum + 1 WHERE first = 9`,
		"gone":               `DELETE FROM blocks WHERE first = 9`,
		"at the wrong place": `UPDATE blocks SET first = 10 WHERE first = 9`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, whole)
			edit(t, filepath.Join(dir, archiveFile), text)
			s := openBlocks(t, dir, 8)
			defer closeStore(t, s)
			_, read := s.Read(t.Context(), filled(1), 0, 0) // rows 2, 12 and 22
			_, back := s.ReadBack(t.Context(), filled(1), 3, 0)
			_, committed := s.Committed(t.Context(), "member-1", 4, 10)
			for what, err := range map[string]error{
				"read": read, "read back": back, "committed": committed,
				"scan":   s.Scan(t.Context(), func(storage.Entry) error { return nil }),
				"append": s.Append(t.Context(), []storage.Entry{entry(filled(1), 2, "intruder", 1)})[0],
			} {
				if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), "numbers 9 to 16 in archive.db") {
					t.Errorf("%s: got %v, want ErrDamaged that names rows 9 to 16", what, err)
				}
			}
			if entries, err := s.Read(t.Context(), filled(8), 2, 0); err != nil || len(entries) != 1 { // row 29
				t.Errorf("another stream: got %d entries, %v", len(entries), err)
			}
		})
	}
}

// A row that was damaged before it was archived stays where it is, and is named each time.
func TestDamagedRowIsNotArchived(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 8)
	fill(t, s, 10)
	closeStore(t, s)
	edit(t, filepath.Join(dir, journalFile), `UPDATE journal SET serial = 77 WHERE number = 12`)
	s = openBlocks(t, dir, 8)
	defer closeStore(t, s)
	moved, err := s.Archive(t.Context(), time.Now(), 0)
	wantDamaged(t, "archive", err)
	if moved.Entries != 0 {
		t.Errorf("%d entries were moved", moved.Entries)
	}
	wantArchived(t, s, 0)
}

// Whoever mends an archived row by hand makes new sums; a row's own is as good a proof as it was in journal.db.
func TestRowThatWasRepairedByHandKeepsThat(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 8)
	fill(t, s, 10)
	closeStore(t, s)
	edit(t, filepath.Join(dir, journalFile), `
		UPDATE journal SET sum = NULL, body = CAST(replace(CAST(body AS TEXT), '"quantity":2', '"quantity":9') AS BLOB) WHERE number = 12`)
	s = openBlocks(t, dir, 8)
	defer closeStore(t, s)
	archive(t, s)
	wantArchived(t, s, 24)
	entries, err := s.Read(t.Context(), filled(1), 0, 0)
	if err != nil || len(entries) != 3 || !strings.Contains(string(entries[1].Events[0].Data), `"quantity":9`) {
		t.Errorf("got %v, %v, want the repaired entry", entries, err)
	}
}

// A row is missing when it is in neither file.
func TestMissingRowBesideAnArchive(t *testing.T) {
	for number, want := range map[int]string{25: "number 25 ", 27: "number 27 "} {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			dir := archivedDir(t, 8, 24)
			edit(t, filepath.Join(dir, journalFile), fmt.Sprint(`DELETE FROM journal WHERE number = `, number))
			s := openBlocks(t, dir, 8)
			defer closeStore(t, s)
			_, read := s.Read(t.Context(), filled(number-21), 0, 0)
			_, moved := s.Archive(t.Context(), time.Now(), 0)
			for what, err := range map[string]error{"read": read, "archive": moved,
				"scan": s.Scan(t.Context(), func(storage.Entry) error { return nil })} {
				if !errors.Is(err, sqlite.ErrDamaged) || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: got %v, want ErrDamaged that names row %d", what, err, number)
				}
			}
		})
	}
}

// A store whose archive can't be used does not open, and says why: it never goes on without what is in there.
func TestUnusableArchiveIsRefused(t *testing.T) {
	whole := archivedDir(t, 8, 24)
	foreign := archivedDir(t, 8, 24)
	early := t.TempDir()
	s := openBlocks(t, early, 8)
	closeStore(t, s)
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"missing": {func(dir string) error { return os.Remove(filepath.Join(dir, archiveFile)) }, "file is missing: entries 1 to 24"},
		"empty":   {func(dir string) error { return os.Truncate(filepath.Join(dir, archiveFile), 0) }, "file is empty"},
		"garbage": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, archiveFile), []byte(fmt.Sprintf("%04096d", 1)), 0o600)
		}, "not a database"},
		"of another journal": {func(dir string) error { return replace(dir, foreign, archiveFile) }, "belongs to another journal"},
		"of an unknown layout": {func(dir string) error {
			edit(t, filepath.Join(dir, archiveFile), `UPDATE meta SET value = value; PRAGMA user_version = 77`)
			return nil
		}, "layout 77"},
		"older than the journal": {func(dir string) error {
			edit(t, filepath.Join(dir, archiveFile), `DELETE FROM blocks WHERE first = 17`)
			return nil
		}, "entries 1 to 24"},
		"beside a new journal": {func(dir string) error {
			return errors.Join(replace(dir, early, journalFile), replace(dir, early, readFile))
		}, "belongs to another journal"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, whole)
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s, err := sqlite.Open(t.Context(), dir)
				if err == nil {
					closeStore(t, s)
					t.Fatal("the store was opened")
				}
				if text := err.Error(); !strings.Contains(text, "archive.db: ") || !strings.Contains(text, c.want) {
					t.Errorf("got %v, want that it names archive.db and says %q", err, c.want)
				}
			}
		})
	}
}

func replace(dir, from, name string) error {
	data, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), data, 0o600)
}

// A program that knows of no archive would miss rows; until there are some it can go on with the journal.
func TestLayoutTellsOlderProgramsOfTheArchive(t *testing.T) {
	dir := t.TempDir()
	s := openBlocks(t, dir, 8)
	fill(t, s, 10)
	closeStore(t, s)
	if got := layout(t, dir); got != 1 {
		t.Errorf("layout is %d while nothing is archived, want 1", got)
	}
	s = openBlocks(t, dir, 8)
	archive(t, s)
	closeStore(t, s)
	if got := layout(t, dir); got != 2 {
		t.Errorf("layout is %d, want 2", got)
	}
	s = openBlocks(t, dir, 8)
	defer closeStore(t, s)
	wantFilled(t, s, 10)
}
