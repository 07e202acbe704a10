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

func entry(stream storage.Stream, first uint64, writer string, number uint64) storage.Entry {
	return storage.Entry{Stream: stream, First: first, Writer: writer, Number: number, Events: []storage.Event{{
		Type: "order.placed", Schema: 1, At: time.UnixMilli(1741944413589).UTC(), Command: fmt.Sprint("command-", number),
		Cause: "POST /orders", Data: fmt.Appendf(nil, `{"stream":%q,"quantity":%d}`, stream, first),
	}}}
}

func put(t testing.TB, s storage.Journal, entries ...storage.Entry) {
	t.Helper()
	for i, err := range s.Append(t.Context(), entries) {
		if err != nil {
			t.Fatalf("append %s at %d: %v", entries[i].Stream, entries[i].First, err)
		}
	}
}

// fill stores a number of streams of three entries each, in batches.
func fill(t testing.TB, s storage.Journal, streams int) {
	t.Helper()
	number := uint64(0)
	for first := uint64(1); first <= 3; first++ {
		for n := 0; n < streams; {
			var batch []storage.Entry
			for ; n < streams && len(batch) < 512; n++ {
				number++
				batch = append(batch, entry(filled(n), first, "member-1", number))
			}
			put(t, s, batch...)
		}
	}
}

func filled(n int) storage.Stream { return storage.StreamOf("order", fmt.Sprint("filled-", n)) }

// wantFilled proves that every stream of fill can be read and is fenced.
func wantFilled(t testing.TB, s storage.Journal, streams int) {
	t.Helper()
	for n := range streams {
		wantEnd(t, s, filled(n), 3)
	}
}

func wantEnd(t testing.TB, s storage.Journal, stream storage.Stream, last uint64) {
	t.Helper()
	entries, err := s.Read(t.Context(), stream, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != int(last) {
		t.Fatalf("%s has %d entries, want %d", stream, len(entries), last)
	}
	for i, e := range entries {
		want := fmt.Sprintf(`{"stream":%q,"quantity":%d}`, stream, i+1)
		if e.First != uint64(i+1) || string(e.Events[0].Data) != want {
			t.Fatalf("%s: entry %d is at %d with %s", stream, i, e.First, e.Events[0].Data)
		}
	}
	if err := s.Append(t.Context(), []storage.Entry{entry(stream, last, "intruder", 1)})[0]; !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("%s at %d: got %v, want ErrConflict", stream, last, err)
	}
}

// copyOf copies a directory as a crash would leave it: the store may be open, but nobody writes.
func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// edit runs SQL on a file of a closed store, as an operator would.
func edit(t testing.TB, path, text string) {
	t.Helper()
	conn, err := sqlite3.OpenConn(path, sqlite3.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteScript(conn, text, nil)
	if changed := conn.Changes(); err == nil && changed == 0 {
		err = errors.New("no row was changed")
	}
	if err := errors.Join(err, conn.Close()); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func closeStore(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}
