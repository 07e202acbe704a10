package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var getRules = []rule{
	{"a document is found by its id in its collection only", proveGet},
	{"a hidden document is not found, and is again when shown", proveGetHidden},
}

func wantNotFound(t *testing.T, s storage.Projections, c storage.Collection, id string) {
	t.Helper()
	if d, err := s.Get(ctx(t), c, id); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("get %s %q: got %+v, %v, want ErrNotFound", c, id, d, err)
	}
}

func proveGet(t *testing.T, s storage.Store) {
	d := orderDocument(1, "pending")
	saveDocuments(t, s, 1, d, orderDocument(2, "pending"))
	got, err := s.Get(ctx(t), storage.Orders, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantDocument(t, got, d)
	wantNotFound(t, s, storage.Orders, idOf(3))
	wantNotFound(t, s, storage.Orders, "")
	wantNotFound(t, s, storage.Orders, "not an id")
	for _, c := range []storage.Collection{storage.Products, storage.Reservations, storage.Payments} {
		wantNotFound(t, s, c, d.ID)
	}
}

func proveGetHidden(t *testing.T, s storage.Store) {
	d := orderDocument(1, "cancelled")
	all := storage.Filter{Collection: storage.Orders}
	for version := uint64(1); version <= 4; version++ {
		d.Hidden = version%2 == 0
		saveDocuments(t, s, version, d)
		if d.Hidden {
			wantNotFound(t, s, storage.Orders, d.ID)
			wantIDs(t, "list", list(t, s, all, storage.Position{}, 0, 10))
			continue
		}
		got, err := s.Get(ctx(t), storage.Orders, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantDocument(t, got, d)
		wantIDs(t, "list", list(t, s, all, storage.Position{}, 0, 10), d.ID)
	}
}

var listRules = []rule{
	{"every combination of filters gives what a plain scan gives", proveFilters},
	{"documents come newest first, then by id from the highest", proveListOrder},
	{"pages by position hold every document once, also with equal instants", proveKeyset},
	{"skip is applied behind the position", proveSkip},
	{"a page by position is not disturbed by new documents", proveStablePages},
	{"an unknown value gives an empty list", proveNoMatch},
}

// sample makes documents in which every filter value occurs with every other one.
func sample(c storage.Collection, count int) []storage.Document {
	documents := make([]storage.Document, count)
	for n := range documents {
		documents[n] = storage.Document{
			Collection: c,
			ID:         idOf(n * 7919 % count),
			Created:    after0(n / 3),
			Status:     []string{"pending", "confirmed", "cancelled"}[n%3],
			Customer:   fmt.Sprint("customer-", n%5),
			Order:      fmt.Sprint("order-", n%7),
			External:   fmt.Sprint("external-", n/2),
			Category:   []string{"Audio", "audio", "Home & Garden"}[n/2%3],
			Active:     n%4 != 0,
			InStock:    n%6 != 1,
			Title:      fmt.Sprint("Product ", n),
			Text:       "A product for a test",
			Hidden:     n%11 == 10,
			Body:       fmt.Appendf(nil, `{"_id":%q,"n":%d}`, idOf(n*7919%count), n),
		}
	}
	return documents
}

func matches(d storage.Document, f storage.Filter) bool {
	same := func(got, want string) bool { return want == "" || got == want }
	return d.Collection == f.Collection && !d.Hidden && same(d.Status, f.Status) && same(d.Customer, f.Customer) &&
		same(d.Order, f.Order) && same(d.External, f.External) && same(d.Category, f.Category) &&
		(f.Active == nil || d.Active == *f.Active) && (f.InStock == nil || d.InStock == *f.InStock)
}

func selected(documents []storage.Document, f storage.Filter) []string {
	picked := slices.DeleteFunc(slices.Clone(documents), func(d storage.Document) bool { return !matches(d, f) })
	slices.SortFunc(picked, func(a, b storage.Document) int {
		if byTime := b.Created.Compare(a.Created); byTime != 0 {
			return byTime
		}
		return strings.Compare(b.ID, a.ID)
	})
	return idsOf(picked)
}

func proveFilters(t *testing.T, s storage.Store) {
	yes, no := true, false
	flags := []*bool{nil, &yes, &no}
	for _, c := range []storage.Collection{storage.Orders, storage.Products, storage.Reservations, storage.Payments} {
		documents := sample(c, 211)
		saveDocuments(t, s, 1, documents...)
		for set := range 1 << 5 {
			pick := func(bit int, value string) string {
				if set>>bit&1 == 1 {
					return value
				}
				return ""
			}
			for flag := range 9 {
				if c != storage.Products && flag > 0 {
					break
				}
				f := storage.Filter{
					Collection: c, Status: pick(0, "confirmed"), Customer: pick(1, "customer-1"), Order: pick(2, "order-1"),
					External: pick(3, "external-0"), Category: pick(4, "Audio"), Active: flags[flag%3], InStock: flags[flag/3],
				}
				wantIDs(t, fmt.Sprintf("list %+v", f), list(t, s, f, storage.Position{}, 0, 1000), selected(documents, f)...)
			}
		}
	}
}

func proveListOrder(t *testing.T, s storage.Store) {
	documents := sample(storage.Orders, 50)
	saveDocuments(t, s, 1, documents...)
	f := storage.Filter{Collection: storage.Orders}
	want := selected(documents, f)
	wantIDs(t, "all", list(t, s, f, storage.Position{}, 0, 1000), want...)
	wantIDs(t, "first five", list(t, s, f, storage.Position{}, 0, 5), want[:5]...)
	got, err := s.List(ctx(t), f, storage.Position{}, 0, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d documents, %v", len(got), err)
	}
	for _, d := range documents {
		if d.ID == want[0] {
			wantDocument(t, got[0], d)
		}
	}
}

// walk follows positions to the end and returns the ids of all pages.
func walk(t *testing.T, s storage.Projections, f storage.Filter, limit int) []string {
	t.Helper()
	var ids []string
	var after storage.Position
	for {
		page, err := s.List(ctx(t), f, after, 0, limit)
		if err != nil {
			t.Fatalf("list %+v after %+v: %v", f, after, err)
		}
		ids = append(ids, idsOf(page)...)
		if len(page) < limit {
			return ids
		}
		if len(ids) > 1000 {
			t.Fatalf("list %+v: pages of %d never end: %q...", f, limit, ids[:10])
		}
		last := page[len(page)-1]
		after = storage.Position{Created: last.Created, ID: last.ID}
	}
}

func proveKeyset(t *testing.T, s storage.Store) {
	documents := sample(storage.Orders, 90)
	for i := range documents[:40] {
		documents[i].Created = t0
	}
	saveDocuments(t, s, 1, documents...)
	for _, f := range []storage.Filter{
		{}, {Status: "pending"}, {Customer: "customer-1"}, {Status: "pending", Customer: "customer-1"}, {Order: "order-1"},
	} {
		f.Collection = storage.Orders
		for _, limit := range []int{1, 2, 7, 100} {
			wantIDs(t, fmt.Sprintf("pages of %d of %+v", limit, f), walk(t, s, f, limit), selected(documents, f)...)
		}
	}
}

func proveSkip(t *testing.T, s storage.Store) {
	documents := sample(storage.Products, 60)
	saveDocuments(t, s, 1, documents...)
	f := storage.Filter{Collection: storage.Products, Category: "Audio"}
	all := selected(documents, f)
	for _, skip := range []int{0, 1, 5, len(all) - 1, len(all), len(all) + 5} {
		from := min(skip, len(all))
		wantIDs(t, fmt.Sprint("skip ", skip), list(t, s, f, storage.Position{}, skip, 3), all[from:min(from+3, len(all))]...)
	}
	first, err := s.List(ctx(t), f, storage.Position{}, 0, 2)
	if err != nil || len(first) != 2 {
		t.Fatalf("got %d documents, %v", len(first), err)
	}
	after := storage.Position{Created: first[1].Created, ID: first[1].ID}
	wantIDs(t, "skip 3 behind the second", list(t, s, f, after, 3, 4), all[5:9]...)
}

func proveStablePages(t *testing.T, s storage.Store) {
	for n := range 10 {
		saveDocuments(t, s, 1, orderDocument(n, "pending"))
	}
	f := storage.Filter{Collection: storage.Orders}
	page, err := s.List(ctx(t), f, storage.Position{}, 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	saveDocuments(t, s, 1, orderDocument(20, "pending"), orderDocument(21, "pending"))
	after := storage.Position{Created: page[3].Created, ID: page[3].ID}
	wantIDs(t, "second page", list(t, s, f, after, 0, 4), idOf(5), idOf(4), idOf(3), idOf(2))
}

func proveNoMatch(t *testing.T, s storage.Store) {
	wantIDs(t, "empty store", list(t, s, storage.Filter{Collection: storage.Orders}, storage.Position{}, 0, 10))
	saveDocuments(t, s, 1, orderDocument(1, "pending"))
	for _, status := range []string{"unknown", "PENDING", "' OR 1=1 --", "%", "$ne", "pendin"} {
		f := storage.Filter{Collection: storage.Orders, Status: status}
		wantIDs(t, status, list(t, s, f, storage.Position{}, 0, 10))
	}
	wantIDs(t, "other collection", list(t, s, storage.Filter{Collection: storage.Payments}, storage.Position{}, 0, 10))
}
