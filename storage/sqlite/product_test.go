package sqlite

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

func saveLamp(t *testing.T, s *Store, version uint64, change func(*storage.Document)) {
	t.Helper()
	d := storage.Document{
		Collection: storage.Products, ID: fmt.Sprintf("%024x", 1), Created: time.UnixMilli(1741944413589), Active: true,
		InStock: true, Title: "Lamp", Text: "Gives light", Body: []byte(`{}`),
	}
	change(&d)
	p := storage.Projection{Stream: storage.StreamOf("product", d.ID), Version: version, Documents: []storage.Document{d}}
	if err := s.Save(t.Context(), []storage.Projection{p}, "", 0); err != nil {
		t.Fatal(err)
	}
}

// wordsWritten is everything that the search index has in its tables.
func wordsWritten(t *testing.T, s *Store) (written string) {
	t.Helper()
	err := s.readView(t.Context(), func(conn *sqlite.Conn) error {
		return query(conn, `SELECT group_concat(id || hex(block)) FROM product_words_data`, nil, func(stmt *sqlite.Stmt) error {
			written = stmt.ColumnText(0)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// A product is stored a few times a second while it sells; its words are not.
func TestWordsAreWrittenWhenTheyChange(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	saveLamp(t, s, 1, func(*storage.Document) {})
	before := wordsWritten(t, s)
	for version, change := range []func(*storage.Document){
		func(d *storage.Document) { d.Body = []byte(`{"stockQuantity":7}`) },
		func(d *storage.Document) { d.InStock = false },
		func(d *storage.Document) { d.Category, d.External = "light", "sku" },
	} {
		saveLamp(t, s, uint64(version+2), change)
		if wordsWritten(t, s) != before {
			t.Errorf("change %d wrote words", version)
		}
	}
	saveLamp(t, s, 9, func(d *storage.Document) { d.Text = "Gives warm light" })
	if wordsWritten(t, s) == before {
		t.Error("changed words were not written")
	}
}

// What lies too far away for a place of its own millisecond is in order all the same.
func TestProductsOfAllTimes(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	var want []string
	for n, created := range []time.Time{
		{}, {}, time.UnixMilli(-8_000_000_000_001), time.UnixMilli(-1), time.UnixMilli(0), time.UnixMilli(0), time.UnixMilli(1),
		time.UnixMilli(1741944413589), time.UnixMilli(lastTime), time.UnixMilli(lastTime + 1), time.UnixMilli(2 * lastTime),
	} {
		id := fmt.Sprintf("%024x", n+1)
		want = append(want, id)
		saveLamp(t, s, 1, func(d *storage.Document) { d.ID, d.Created = id, created })
	}
	slices.Reverse(want)
	for limit := range len(want) + 1 {
		found, err := s.Search(t.Context(), "lamp", limit)
		var got []string
		for _, d := range found {
			got = append(got, d.ID)
		}
		if err != nil || !slices.Equal(got, want[:limit]) {
			t.Errorf("limit %d: got %v, %v, want %v", limit, got, err, want[:limit])
		}
	}
}

// The index folds accents and case; a search that does not, or does so twice, finds the same.
func TestSearchFoldsAccents(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	saveLamp(t, s, 1, func(d *storage.Document) {
		d.Title, d.Text = "Große Käsereibe für Crème brûlée", "Und für Ärzte"
	})
	for _, text := range []string{"kasereibe", "KÄSEREI", "kaserei", "ka\u0308sereibe", "käsereibe cre\u0300me brule", "arzt", "große", "GROẞE"} {
		if found, err := s.Search(t.Context(), text, 5); err != nil || len(found) != 1 {
			t.Errorf("search %q: got %d products, %v, want one", text, len(found), err)
		}
	}
}
