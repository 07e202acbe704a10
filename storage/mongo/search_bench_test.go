package mongo

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const catalogueSize = 100_000

// newBenchCatalogue holds products of which it is known how many a word finds: every2 stands in every second
// description, named2 in every second name, and so on. Of the other words some are in many products, most in few.
func newBenchCatalogue() (*catalogue, []catalogued) {
	c := newCatalogue(nil, nil)
	c.clear()
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 20, 20_000)
	some := func(count int) (words []string) {
		for range count {
			words = append(words, fmt.Sprint([]string{"ka", "sta", "vel", "ton"}[random.IntN(4)], zipf.Uint64()))
		}
		return words
	}
	products := make([]catalogued, catalogueSize)
	for n := range products {
		title, text := some(3), some(20)
		for _, every := range []int{2, 3, 100, catalogueSize} {
			if n%every == 0 {
				title = append(title, fmt.Sprint("named", every))
			}
			if n/7%every == 0 {
				text = append(text, fmt.Sprint("every", every))
			}
		}
		products[n] = catalogued{
			ID: idAt(n), Version: 1, Created: t0.Add(time.Duration(n) * 7 * time.Millisecond),
			Bucket: bucket{Category: fmt.Sprint("category ", n%50), Active: true, InStock: n%10 != 0},
			Title:  strings.Join(title, " "), Text: strings.Join(text, " "),
		}
		c.put(products[n])
	}
	return c, products
}

// BenchmarkCatalogue: one operation is one search among 100,000 products without the reading of the documents found, or
// the news of one product; the first number of a search is how many the text could find.
func BenchmarkCatalogue(b *testing.B) {
	c, products := newBenchCatalogue()
	for _, search := range []struct{ name, text string }{
		{"1", "every100000"}, {"1000", "every100"}, {"50000", "every2"}, {"50000 in names", "named2"},
		{"two words", "every2 every3"}, {"prefix of one letter", "s"}, {"prefix of two letters", "st"},
		{"six words", "every2 every3 named2 named3 every2 named100"},
	} {
		for _, limit := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/page=%d", search.name, limit), func(b *testing.B) {
				for b.Loop() {
					c.search(search.text, limit)
				}
			})
		}
	}
	for name, change := range map[string]func(*catalogued){
		"stock": func(p *catalogued) { p.Bucket.InStock = !p.Bucket.InStock },
		"text":  func(p *catalogued) { p.Text += " more" },
	} {
		b.Run(name+" changes", func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				p := &products[n*7919%catalogueSize]
				p.Version++
				change(p)
				c.put(*p)
			}
		})
	}
}
