package storagetest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var countRules = []rule{
	{"counts follow documents as they appear, change, hide and return", proveCountFollows},
	{"counts match a plain scan after any history of changes", proveCountHistory},
	{"parallel changes leave the counts right", proveCountParallel},
	{"a stale projection does not count", proveCountStale},
}

func wantCount(t *testing.T, s storage.Projections, f storage.Filter, want int) {
	t.Helper()
	f.Collection = storage.Products
	got, err := s.Count(ctx(t), f)
	if err != nil {
		t.Fatalf("count %s: %v", filterText(f), err)
	}
	if got != int64(want) {
		t.Fatalf("count %s: got %d, want %d", filterText(f), got, want)
	}
}

func filterText(f storage.Filter) string {
	flag := func(b *bool) string {
		if b == nil {
			return "any"
		}
		return fmt.Sprint(*b)
	}
	return fmt.Sprintf("category %q active %s in stock %s", f.Category, flag(f.Active), flag(f.InStock))
}

// countFilters is every combination that Count may be asked for.
func countFilters(categories ...string) []storage.Filter {
	yes, no := true, false
	var filters []storage.Filter
	for _, category := range append([]string{""}, categories...) {
		for _, active := range []*bool{nil, &yes, &no} {
			for _, inStock := range []*bool{nil, &yes, &no} {
				filters = append(filters, storage.Filter{
					Collection: storage.Products, Category: category, Active: active, InStock: inStock,
				})
			}
		}
	}
	return filters
}

func wantCounts(t *testing.T, s storage.Projections, documents []storage.Document, categories ...string) {
	t.Helper()
	for _, f := range countFilters(categories...) {
		wantCount(t, s, f, len(selected(documents, f)))
	}
}

func product(n int, category string, active, inStock bool) storage.Document {
	return storage.Document{
		Collection: storage.Products, ID: idOf(n), Created: after0(n), Order: fmt.Sprint("product-", n),
		External: fmt.Sprint("sku-", n), Category: category, Active: active, InStock: inStock,
		Title: fmt.Sprint("Product number", n), Text: "Useful for many things", Body: fmt.Appendf(nil, `{"_id":%q}`, idOf(n)),
	}
}

func proveCountFollows(t *testing.T, s storage.Store) {
	wantCounts(t, s, nil, "a", "b")
	d := product(1, "a", true, true)
	version := uint64(0)
	step := func(change func()) {
		t.Helper()
		change()
		version++
		saveDocuments(t, s, version, d)
		wantCounts(t, s, []storage.Document{d}, "a", "b")
	}
	step(func() {})
	step(func() { d.InStock = false })
	step(func() { d.Active = false })
	step(func() { d.Category = "b" })
	step(func() { d.Body = []byte(`{"changed":true}`) })
	step(func() { d.Hidden = true })
	step(func() { d.Category, d.InStock = "a", true })
	step(func() { d.Hidden = false })
	step(func() { d.Hidden, d.Active = true, true })
}

func proveCountHistory(t *testing.T, s storage.Store) {
	random := rand.New(rand.NewPCG(2, 718))
	categories := []string{"a", "b", "ä & \"c\""}
	documents := make([]storage.Document, 12)
	for n := range documents {
		documents[n] = product(n, "a", true, true)
		documents[n].Hidden = true
	}
	for version := uint64(1); version <= 60; version++ {
		var changed []storage.Document
		for range 1 + random.IntN(5) {
			n := random.IntN(len(documents))
			d := product(n, categories[random.IntN(3)], random.IntN(2) == 0, random.IntN(2) == 0)
			d.Hidden = random.IntN(4) == 0
			documents[n] = d
			changed = append(changed, d)
		}
		var projections []storage.Projection
		for i, d := range changed {
			projections = append(projections, storage.Projection{
				Stream: storage.StreamOf("product", d.ID), Version: version*10 + uint64(i), Documents: []storage.Document{d},
			})
		}
		save(t, s, projections...)
		if version%6 == 0 {
			wantCounts(t, s, documents, categories...)
		}
	}
}

func proveCountParallel(t *testing.T, s storage.Store) {
	const perRacer, rounds = 3, 6
	final := func(n int) storage.Document { return product(n, fmt.Sprint("c", n%2), n%3 == 0, n%4 == 0) }
	together(func(racer int) {
		for version := uint64(1); version <= rounds; version++ {
			var projections []storage.Projection
			for i := range perRacer {
				n := racer*perRacer + i
				d := final(n + int(rounds-version))
				d.ID = idOf(n)
				projections = append(projections, storage.Projection{
					Stream: storage.StreamOf("product", d.ID), Version: version, Documents: []storage.Document{d},
				})
			}
			if err := s.Save(ctx(t), projections, "", 0); err != nil {
				t.Errorf("save: %v", err)
			}
		}
	})
	var documents []storage.Document
	for n := range racers * perRacer {
		documents = append(documents, final(n))
	}
	wantCounts(t, s, documents, "c0", "c1")
}

func proveCountStale(t *testing.T, s storage.Store) {
	d := product(1, "a", true, true)
	saveDocuments(t, s, 5, d)
	stale := product(1, "b", false, false)
	saveDocuments(t, s, 5, stale)
	saveDocuments(t, s, 4, stale)
	wantCounts(t, s, []storage.Document{d}, "a", "b")
}
