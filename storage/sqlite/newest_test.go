package sqlite_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

func idOfNewest(n int) string { return fmt.Sprintf("%024x", n) }

func projectionOf(n int, version uint64, hidden bool) storage.Projection {
	due := time.Time{}
	if version%2 > 0 {
		due = time.UnixMilli(1741944413589 + int64(version)).UTC()
	}
	return storage.Projection{Stream: filled(n), Version: version, Due: due, Documents: []storage.Document{{Collection: storage.Orders, ID: idOfNewest(n),
		Created: time.UnixMilli(1741944413589).UTC(), Status: "pending", Hidden: hidden, Body: fmt.Appendf(nil, `{"version":%d}`, version)}}}
}

// openSmall opens a store that keeps next to nothing in memory.
func openSmall(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	return open(t, dir, sqlite.WithCache(1))
}

// TestNewestIsNeverOlderThanTheJournal: whatever was appended, projected, evicted from memory or opened again, a document
// that is handed out is of the newest entry; and one that is projected as of then is handed out.
func TestNewestIsNeverOlderThanTheJournal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir := t.TempDir()
		s := openSmall(t, dir)
		defer func() { _ = s.Close() }()
		const orders = 2
		var head, projected [orders]uint64
		var hidden [orders]bool
		number := uint64(0)
		for range rapid.IntRange(1, 14).Draw(r, "steps") {
			n := rapid.IntRange(0, orders-1).Draw(r, "order")
			switch rapid.SampledFrom([]string{"append", "project", "read", "read", "move", "reopen"}).Draw(r, "step") {
			case "append":
				number++
				head[n]++
				put(t, s, entry(filled(n), head[n], "member-1", number))
			case "project":
				if head[n] == 0 {
					continue
				}
				version := uint64(rapid.IntRange(1, int(head[n])).Draw(r, "version"))
				hide := rapid.IntRange(0, 4).Draw(r, "hide") == 0
				if version > projected[n] {
					projected[n], hidden[n] = version, hide
				}
				if err := s.Save(t.Context(), []storage.Projection{projectionOf(n, version, hide)}, "", 0); err != nil {
					r.Fatal(err)
				}
			case "move":
				if err := s.Flush(t.Context()); err != nil {
					r.Fatal(err)
				}
			case "reopen":
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				s = openSmall(t, dir)
			case "read":
				d, p, err := s.Newest(t.Context(), filled(n), storage.Orders, idOfNewest(n))
				version := p.Version
				current := head[n] > 0 && projected[n] == head[n] && !hidden[n]
				switch {
				case current && err != nil:
					r.Fatalf("order %d at %d is projected, got %v", n, head[n], err)
				case !current && !errors.Is(err, storage.ErrNotFound):
					r.Fatalf("order %d at %d, projected %d, hidden %v: got version %d, %v", n, head[n], projected[n], hidden[n], version, err)
				case current && (version != head[n] || string(d.Body) != fmt.Sprintf(`{"version":%d}`, version)):
					r.Fatalf("order %d at %d: got version %d, %s", n, head[n], version, d.Body)
				case current && (p.Stream != filled(n) || !p.Due.Equal(projectionOf(n, version, false).Due)):
					r.Fatalf("order %d at %d: got %s, due %v", n, head[n], p.Stream, p.Due)
				}
			}
		}
	})
}

func TestNewestOfAnotherIDIsNotFound(t *testing.T) {
	s := open(t, t.TempDir())
	defer func() { _ = s.Close() }()
	put(t, s, entry(filled(1), 1, "member-1", 1))
	if err := s.Save(t.Context(), []storage.Projection{projectionOf(1, 1, false)}, "", 0); err != nil {
		t.Fatal(err)
	}
	for range 2 { // from the file, then with the right document in memory
		if _, _, err := s.Newest(t.Context(), filled(1), storage.Orders, idOfNewest(2)); !errors.Is(err, storage.ErrNotFound) {
			t.Fatalf("another order's id: got %v, want ErrNotFound", err)
		}
		if _, _, err := s.Newest(t.Context(), filled(1), storage.Orders, idOfNewest(1)); err != nil {
			t.Fatal(err)
		}
	}
}
