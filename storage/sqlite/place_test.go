package sqlite

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

const placeTime = 1741944413589

func placed(n int, created int64) storage.Document {
	return storage.Document{Collection: storage.Orders, ID: fmt.Sprintf("%024x", n), Created: time.UnixMilli(created), Status: "pending",
		Customer: "customer", Body: fmt.Appendf(nil, `{"n":%d}`, n)}
}

func savePlaced(t *testing.T, s *Store, version uint64, documents ...storage.Document) {
	t.Helper()
	for _, d := range documents {
		p := storage.Projection{Stream: storage.StreamOf("order", d.ID), Version: version, Documents: []storage.Document{d}}
		if err := s.Save(t.Context(), []storage.Projection{p}, "", 0); err != nil {
			t.Fatal(err)
		}
	}
}

// wantOrder reads the list in pages of every size, as a whole and by each index, and wants the documents in this order.
func wantOrder(t *testing.T, s *Store, want ...int) {
	t.Helper()
	for _, f := range []storage.Filter{{}, {Status: "pending"}, {Customer: "customer"}, {Status: "pending", Customer: "customer"}} {
		f.Collection = storage.Orders
		for limit := 1; limit <= len(want)+1; limit++ {
			var got []string
			for after := (storage.Position{}); ; {
				page, err := s.List(t.Context(), f, after, 0, limit)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range page {
					got = append(got, d.ID)
					after = storage.Position{Created: d.Created, ID: d.ID}
				}
				if len(page) < limit {
					break
				}
			}
			var ids []string
			for _, n := range want {
				ids = append(ids, fmt.Sprintf("%024x", n))
			}
			if !slices.Equal(got, ids) {
				t.Fatalf("%+v in pages of %d: got %v, want %v", f, limit, got, ids)
			}
		}
	}
}

// The counter begins anew at a start and after so many rows; whoever finds a place taken goes aside, and is neither lost
// nor takes the place of another.
func TestTakenPlaces(t *testing.T) {
	dir := t.TempDir()
	s := openForTrouble(t, dir)
	savePlaced(t, s, 1, placed(1, placeTime), placed(2, placeTime), placed(3, placeTime+1))
	for _, n := range []int{5, 4} {
		s.views[storage.Orders].number = 0
		savePlaced(t, s, 1, placed(n, placeTime))
	}
	wantOrder(t, s, 3, 5, 4, 2, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openForTrouble(t, dir)
	defer s.Close()
	savePlaced(t, s, 1, placed(6, placeTime), placed(7, placeTime+1))
	s.views[storage.Orders].number = upperHalf - 1
	savePlaced(t, s, 1, placed(8, placeTime), placed(9, placeTime))
	wantOrder(t, s, 7, 3, 9, 8, 6, 5, 4, 2, 1)
	for n := 1; n <= 9; n++ {
		d, err := s.Get(t.Context(), storage.Orders, fmt.Sprintf("%024x", n))
		if err != nil || string(d.Body) != fmt.Sprintf(`{"n":%d}`, n) {
			t.Errorf("document %d: got %s, %v", n, d.Body, err)
		}
	}
}

// A document is where its time says, however often and wherever that moves; also onto a place that is taken.
func TestMovedDocuments(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	savePlaced(t, s, 1, placed(1, placeTime), placed(2, placeTime+1), placed(3, placeTime+2))
	savePlaced(t, s, 2, placed(1, placeTime+2), placed(2, placeTime+2))
	wantOrder(t, s, 3, 2, 1)
	savePlaced(t, s, 3, placed(3, placeTime-1), placed(1, placeTime+9))
	wantOrder(t, s, 1, 2, 3)
	savePlaced(t, s, 4, placed(1, placeTime-1), placed(2, placeTime-1))
	wantOrder(t, s, 3, 2, 1)
}

// A hidden document leaves its place, and comes back to its time when it is shown again, as new.
func TestHiddenDocumentsHaveNoRow(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	hidden := placed(2, placeTime+1)
	hidden.Hidden = true
	savePlaced(t, s, 1, placed(1, placeTime), hidden, placed(3, placeTime+2))
	wantOrder(t, s, 3, 1)
	savePlaced(t, s, 2, placed(2, placeTime+1))
	wantOrder(t, s, 3, 2, 1)
	savePlaced(t, s, 3, hidden)
	wantOrder(t, s, 3, 1)
	rows := 0
	err := s.readView(t.Context(), func(conn *sqlite.Conn) error {
		return query(conn, `SELECT count(*) FROM orders`, nil, func(stmt *sqlite.Stmt) error {
			rows = stmt.ColumnInt(0)
			return nil
		})
	})
	if err != nil || rows != 2 {
		t.Errorf("got %d rows, %v, want 2", rows, err)
	}
}

// When a millisecond has no place left, that is an error, and nothing that stands there is lost.
func TestFullMillisecond(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	savePlaced(t, s, 1, placed(1, placeTime))
	err := s.readTurn(t.Context(), func(conn *sqlite.Conn) error {
		return run(conn, fmt.Sprintf(`UPDATE orders SET pk = %d`, lastPlace(placeTime)), fmt.Sprintf(`UPDATE customers SET place = %d`, lastPlace(placeTime)))
	})
	if err != nil {
		t.Fatal(err)
	}
	savePlaced(t, s, 1, placed(2, placeTime), placed(3, placeTime)) // what the counter leaves is free
	s.views[storage.Orders].number -= 2
	d := placed(4, placeTime)
	p := storage.Projection{Stream: storage.StreamOf("order", d.ID), Version: 1, Documents: []storage.Document{d}}
	if err := s.Save(t.Context(), []storage.Projection{p}, "", 0); err == nil {
		t.Error("saved a document that has no place")
	}
	wantOrder(t, s, 3, 2, 1)
}

// Lists walk along rows or an index in their order; nothing is sorted, whatever there is to find.
func TestListsSortNothing(t *testing.T) {
	s := openForTrouble(t, t.TempDir())
	defer s.Close()
	yes := true
	err := s.readView(t.Context(), func(conn *sqlite.Conn) error {
		for _, f := range []storage.Filter{
			{Collection: storage.Orders}, {Collection: storage.Orders, Status: "pending"}, {Collection: storage.Orders, Customer: "c"},
			{Collection: storage.Orders, Status: "pending", Customer: "c"}, {Collection: storage.Payments, Order: "o"},
			{Collection: storage.Products, Category: "c", Active: &yes, InStock: &yes}, {Collection: storage.Products, Active: &yes},
		} {
			l := newListing(conn, f, storage.Position{}, 0, 10)
			plan := ""
			err := query(conn, `EXPLAIN QUERY PLAN SELECT `+documentColumns+l.from+` ORDER BY `+l.place+` DESC`, nil, func(stmt *sqlite.Stmt) error {
				plan += stmt.ColumnText(3)
				return nil
			})
			if err != nil {
				return err
			}
			if strings.Contains(plan, "TEMP B-TREE") || !strings.Contains(plan, "<?)") {
				t.Errorf("%+v: %s", f, plan)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
