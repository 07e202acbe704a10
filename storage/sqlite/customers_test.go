package sqlite

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// TestCustomersAreAsTheRowsAre: whatever becomes of documents, customers tells each one that has a row, and no other, with
// its customer, place and status.
func TestCustomersAreAsTheRowsAre(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	version := uint64(0)
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			if rapid.IntRange(0, 40).Draw(r, "reset") == 0 {
				if err := s.Reset(t.Context()); err != nil {
					r.Fatal(err)
				}
			}
			version++
			c := rapid.SampledFrom(collections).Draw(r, "collection")
			id := rapid.IntRange(1, 5).Draw(r, "id")
			d := storage.Document{Collection: c, ID: fmt.Sprintf("%024x", id), Body: []byte(`{}`),
				Status: rapid.SampledFrom([]string{"pending", "confirmed"}).Draw(r, "status"), Hidden: rapid.IntRange(0, 4).Draw(r, "hidden") == 0,
				Created: time.UnixMilli(int64(rapid.IntRange(1, 3).Draw(r, "created"))), External: fmt.Sprint(c, id)}
			if c != storage.Products {
				d.Customer = rapid.SampledFrom([]string{"ada", "bob"}).Draw(r, "customer")
			}
			stream := storage.StreamOf(string(c), d.ID)
			if err := s.Save(t.Context(), []storage.Projection{{Stream: stream, Version: version, Documents: []storage.Document{d}}}, "", 0); err != nil {
				r.Fatal(err)
			}
		}
		var want, got []string
		note := func(to *[]string) func(*sqlite.Stmt) error {
			return func(stmt *sqlite.Stmt) error {
				*to = append(*to, fmt.Sprint(stmt.ColumnText(0), stmt.ColumnInt64(1), stmt.ColumnInt64(2), stmt.ColumnText(3)))
				return nil
			}
		}
		err := s.readView(t.Context(), func(conn *sqlite.Conn) error {
			for c, number := range ofCustomers {
				if err := query(conn, fmt.Sprintf(`SELECT customer, pk, %d, status FROM %s`, number, c), nil, note(&want)); err != nil {
					return err
				}
			}
			return query(conn, `SELECT customer_id, place, collection, standing FROM customers`, nil, note(&got))
		})
		if err != nil {
			r.Fatal(err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			r.Fatalf("customers has %q, the rows are %q", got, want)
		}
	})
}
