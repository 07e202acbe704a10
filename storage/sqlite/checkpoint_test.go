package sqlite

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func bigEntry(n int, size int) storage.Entry {
	e := troubleEntry(n, 1)
	e.Events[0].Data = make([]byte, size)
	return e
}

// A log that was copied is begun anew: it does not grow with the journal.
func TestLogIsBegunAnewAfterACheckpoint(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	defer s.Close()
	log := filepath.Join(dir, journalName+"-wal")
	n, first := 0, int64(0)
	for round := range 6 {
		for range 10 {
			n++
			appendOne(t, s, bigEntry(n, 50_000))
		}
		switch size := sizeOf(t, log); {
		case round == 0:
			first = size
		case size > first+first/4:
			t.Fatalf("round %d: log has %d bytes, the first round made %d", round, size, first)
		}
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if size := sizeOf(t, filepath.Join(dir, journalName)); size < 6*10*50_000 {
		t.Errorf("file has %d bytes, want all entries in it", size)
	}
}

func TestLongLogIsCopiedByItself(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	defer s.Close()
	const entries, size = 20, 1 << 20
	for n := range entries {
		appendOne(t, s, bigEntry(n, size))
	}
	deadline := time.Now().Add(60 * time.Second)
	for sizeOf(t, filepath.Join(dir, journalName)) < checkpointAt {
		if time.Now().After(deadline) {
			t.Fatalf("file has %d bytes, log has %d", sizeOf(t, filepath.Join(dir, journalName)), sizeOf(t, filepath.Join(dir, journalName+"-wal")))
		}
		appendOne(t, s, troubleEntry(entries+int(time.Until(deadline).Microseconds()), 1))
	}
}
