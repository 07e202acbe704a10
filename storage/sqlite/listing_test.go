package sqlite_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Every page that can be asked for is the one that a sorted slice gives, also far down, and where many documents share
// a millisecond.
func TestPagesAmongEqualInstants(t *testing.T) {
	s := open(t, t.TempDir())
	defer closeStore(t, s)
	var all []storage.Document
	for n := range 300 {
		id := fmt.Sprintf("%024x", n*7919%300)
		all = append(all, storage.Document{Collection: storage.Orders, ID: id, Customer: fmt.Sprint("customer-", n%2),
			Created: time.UnixMilli(int64(1741944413589 + n*n/9000)).UTC(), Status: []string{"pending", "confirmed"}[n/3%2], Body: []byte(strings.Repeat(id, n%7))})
	}
	var projections []storage.Projection
	for _, d := range all {
		projections = append(projections, storage.Projection{Stream: storage.StreamOf("order", d.ID), Version: 1, Documents: []storage.Document{d}})
	}
	if err := s.Save(t.Context(), projections, "", 0); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b storage.Document) int {
		return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
	})
	ones := slices.DeleteFunc(slices.Clone(all), func(d storage.Document) bool { return d.Customer != "customer-1" })
	for customer, want := range map[string][]storage.Document{"": all, "customer-1": ones} {
		f := storage.Filter{Collection: storage.Orders, Customer: customer}
		for begin := 0; begin < len(want); begin += 13 {
			after := storage.Position{}
			if begin > 0 {
				after = storage.Position{Created: want[begin-1].Created, ID: want[begin-1].ID}
			}
			for _, skip := range []int{0, 1, 7, 31, 32, 33, 50, 120, 149, 150, 299, 300, 1000} {
				got, err := s.List(t.Context(), f, after, skip, 9)
				if err != nil {
					t.Fatal(err)
				}
				from := min(begin+skip, len(want))
				page := want[from:min(from+9, len(want))]
				if !slices.EqualFunc(got, page, alike) {
					t.Fatalf("customer %q after %d, skip %d: got %d documents %v, want %d", customer, begin, skip, len(got), got, len(page))
				}
			}
		}
	}
}

func alike(a, b storage.Document) bool {
	return a.ID == b.ID && a.Created.Equal(b.Created) && a.Status == b.Status && bytes.Equal(a.Body, b.Body)
}

// Documents of a page share memory. Who appends to the body of one must not write into the next one's.
func TestBodiesOfAPageAreApart(t *testing.T) {
	s := open(t, t.TempDir())
	defer closeStore(t, s)
	var projections []storage.Projection
	for n := range 40 {
		d := storage.Document{Collection: storage.Orders, ID: fmt.Sprintf("%024x", n), Created: time.UnixMilli(int64(1741944413589 + n)).UTC(),
			Status: "pending", Body: bytes.Repeat([]byte{'a' + byte(n%26)}, 100*n*n)}
		projections = append(projections, storage.Projection{Stream: storage.StreamOf("order", d.ID), Version: 1, Documents: []storage.Document{d}})
	}
	if err := s.Save(t.Context(), projections, "", 0); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), storage.Filter{Collection: storage.Orders}, storage.Position{}, 0, 40)
	if err != nil || len(page) != 40 {
		t.Fatal(len(page), err)
	}
	for _, d := range page {
		_ = append(d.Body, "written over"...)
	}
	for i, d := range page {
		if want := projections[39-i].Documents[0]; !alike(d, want) {
			t.Errorf("document %d: %s of %d bytes, want %s of %d", i, d.ID, len(d.Body), want.ID, len(want.Body))
		}
	}
}
