package sqlite_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Ids are stored in a short form; whatever their form was, they come back as they were, and each is its own.
func TestEveryIDComesBack(t *testing.T) {
	s := open(t, t.TempDir())
	defer closeStore(t, s)
	usual := []string{
		strings.Repeat("0", 24), "65f2c0de4b1c9d2e8f3a5b6c", "65f2c0de4b1c9d2e8f3a5b6d", "a5f2c0de4b1c9d2e8f3a5b6c", strings.Repeat("f", 24),
	}
	others := []string{
		"x", "twelve bytes", "eleven byte", "65F2C0DE4B1C9D2E8F3A5B6C", "65f2c0de4b1c9d2e8f3a5b6g", "65f2c0de4b1c9d2e8f3a5b6",
		"65f2c0de4b1c9d2e8f3a5b6cc", "größe", strings.Repeat("long", 50),
	}
	all := slices.Concat(usual, others)
	for i, id := range all {
		err := s.Save(t.Context(), []storage.Projection{{Stream: storage.StreamOf("order", id), Version: 1, Documents: []storage.Document{{
			Collection: storage.Orders, ID: id, Created: time.UnixMilli(1741944413589), Status: "pending", Body: []byte{byte('a' + i)},
		}}}}, "", 0)
		if err != nil {
			t.Fatalf("save %q: %v", id, err)
		}
	}
	for i, id := range all {
		d, err := s.Get(t.Context(), storage.Orders, id)
		if err != nil || d.ID != id || string(d.Body) != string(rune('a'+i)) {
			t.Errorf("get %q: got %q with %s, %v", id, d.ID, d.Body, err)
		}
	}
	documents, err := s.List(t.Context(), storage.Filter{Collection: storage.Orders}, storage.Position{}, 0, 100)
	if err != nil || len(documents) != len(all) {
		t.Fatalf("got %d documents, %v, want %d", len(documents), err, len(all))
	}
	slices.Sort(all)
	slices.Reverse(all)
	for i, id := range all {
		if documents[i].ID != id {
			t.Errorf("place %d of one instant is %q, want %q", i, documents[i].ID, id)
		}
	}
}
