package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

const catalogueSize = 100_000

// vocabulary is what the rest of a name or a description is made of: some words are in many products, most in few.
var vocabulary = func() []string {
	syllables := []string{"ka", "lo", "mi", "ner", "sta", "vel", "ton", "ra", "bo", "shi", "qua", "del"}
	words := make([]string, 20_000)
	for n := range words {
		word := ""
		for rest := n + 12; rest > 0; rest /= len(syllables) {
			word += syllables[rest%len(syllables)]
		}
		words[n] = word
	}
	return words
}()

// catalogued is a product of a catalogue in which it is known how many products a word finds: every1 stands in each one,
// every2 in every second, and so on; the names that begin with "named" stand in the name, the others in the description.
func catalogued(n int, random *rand.Rand) storage.Document {
	zipf := rand.NewZipf(random, 1.1, 20, uint64(len(vocabulary)-1))
	some := func(count int) (words []string) {
		for range count {
			words = append(words, vocabulary[zipf.Uint64()])
		}
		return words
	}
	title, text := some(3), some(20)
	for _, every := range []int{2, 3, 100, 1000, catalogueSize} {
		if n%every == 0 {
			title = append(title, fmt.Sprint("named", every))
		}
		if n/7%every == 0 {
			text = append(text, fmt.Sprint("every", every))
		}
	}
	id := fmt.Sprintf("%024x", 0x65f2c0de0000+n)
	return storage.Document{
		Collection: storage.Products, ID: id, Created: time.UnixMilli(1741944413589 + int64(n)*7).UTC(), Order: fmt.Sprint("p-", n),
		External: fmt.Sprint("sku-", n), Category: fmt.Sprint("category ", n%50), Active: true, InStock: n%10 != 0,
		Title: strings.Join(title, " "), Text: strings.Join(text, " ") + " Made with care from the finest cotton.", Body: body(id, "", 600),
	}
}

func fillCatalogue(b *testing.B, s *sqlite.Store) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for n := 0; n < catalogueSize; {
		var batch []storage.Projection
		for range 500 {
			d := catalogued(n, random)
			batch = append(batch, storage.Projection{Stream: storage.StreamOf("product", d.Order), Version: 1, Documents: []storage.Document{d}})
			n++
		}
		if err := s.Save(b.Context(), batch, "", 0); err != nil {
			b.Fatal(err)
		}
	}
}

// measured runs one read b.N times and adds the duration that 99 of 100 stay below.
func measured(b *testing.B, read func(context.Context) ([]storage.Document, error), atLeast int) {
	b.Helper()
	durations := make([]time.Duration, 0, b.N)
	for b.Loop() {
		start := time.Now()
		got, err := read(b.Context())
		durations = append(durations, time.Since(start))
		if err != nil || len(got) < atLeast {
			b.Fatalf("got %d documents, %v, want %d", len(got), err, atLeast)
		}
	}
	slices.Sort(durations)
	b.ReportMetric(float64(durations[(len(durations)-1)*99/100])/1e6, "p99-ms")
}

// BenchmarkSearch: one operation is one search among 100,000 products; the number is how many it could find.
func BenchmarkSearch(b *testing.B) {
	s := open(b, b.TempDir())
	defer closeStore(b, s)
	fillCatalogue(b, s)
	for _, c := range []struct {
		name, text string
		hits       int
	}{
		{"nothing", "absentword", 0},
		{"text 1", "every100000", 1},
		{"text 1000", "every100", 1000},
		{"text 50000", "every2", 50_000},
		{"name 100", "named1000", 100},
		{"name 50000", "named2", 50_000},
		{"two words, 1 and 50000", "named2 every100000", 0},
		{"two words, 1000 and 50000", "every2 named100", 400},
		{"two words, 50000 and 33000", "every2 every3", 10_000},
		{"two names, 50000 and 33000", "named2 named3", 10_000},
		{"four words", "every2 every3 named2 named3", 100},
		{"six words", "every2 every3 named2 named3 every1 named100", 0},
		{"six words of all texts", "made with care from finest cotton", 100_000},
		{"six words of many", "made with care cotton named2 named3", 16_000},
		{"prefix of one letter", "s", 50_000},
		{"prefix of three letters", "nam", 50_000},
		{"prefix of five letters", "every", 50_000},
		{"prefix of many words", "lolo", 1},
		{"prefix of six letters", "lokaka", 1},
		{"prefix after a word", "every2 nam", 30_000},
	} {
		for _, limit := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/page=%d", c.name, limit), func(b *testing.B) {
				measured(b, func(ctx context.Context) ([]storage.Document, error) { return s.Search(ctx, c.text, limit) }, min(limit, c.hits))
			})
		}
	}
}

// BenchmarkList: one operation is one page of 100 among 100,000 documents, the last but one of them, by its cursor or by
// its number.
func BenchmarkList(b *testing.B) {
	s := open(b, b.TempDir())
	defer closeStore(b, s)
	fillCatalogue(b, s)
	for n := 0; n < catalogueSize; n += 500 {
		if err := s.Save(b.Context(), benchProjections(n, 500, 1, []string{"pending", "confirmed"}[n/500%2]), "", 0); err != nil {
			b.Fatal(err)
		}
	}
	yes, no := true, false
	for name, f := range map[string]storage.Filter{
		"orders": {Collection: storage.Orders}, "orders by status": {Collection: storage.Orders, Status: "pending"},
		"products": {Collection: storage.Products}, "products by category": {Collection: storage.Products, Category: "category 7"},
		"products in stock": {Collection: storage.Products, InStock: &yes}, "products out of stock": {Collection: storage.Products, InStock: &no},
		"active products of a category in stock": {Collection: storage.Products, Category: "category 7", Active: &yes, InStock: &yes},
	} {
		total, after := walkedTo(b, s, f)
		b.Run(name+"/cursor", func(b *testing.B) {
			measured(b, func(ctx context.Context) ([]storage.Document, error) { return s.List(ctx, f, after, 0, 100) }, 1)
		})
		b.Run(name+"/page number", func(b *testing.B) {
			measured(b, func(ctx context.Context) ([]storage.Document, error) {
				return s.List(ctx, f, storage.Position{}, total-150, 100)
			}, 1)
		})
	}
}

// walkedTo follows the pages of a list; it returns how many documents it has, and where its last but one page begins.
func walkedTo(b *testing.B, s *sqlite.Store, f storage.Filter) (total int, lastButOne storage.Position) {
	b.Helper()
	for after := (storage.Position{}); ; {
		page, err := s.List(b.Context(), f, after, 0, 1000)
		if err != nil {
			b.Fatal(err)
		}
		if total += len(page); len(page) < 1000 {
			return total, lastButOne
		}
		lastButOne = after
		after = storage.Position{Created: page[999].Created, ID: page[999].ID}
	}
}
