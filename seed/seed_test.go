package seed_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/queuecommerce/queuecommerce/seed"
)

func TestCatalogueKeepsTheContract(t *testing.T) {
	products := seed.Products()
	if len(products) != 50 {
		t.Errorf("%d products, want 50", len(products))
	}
	for _, p := range products {
		for _, text := range []struct {
			name, value string
			least, most int
		}{
			{"productId", p.ProductID, 3, 100}, {"name", p.Name, 2, 200}, {"description", p.Description, 10, 1000},
			{"category", p.Category, 1, 100}, {"sku", p.SKU, 3, 100}, {"dimensions", p.Dimensions, 0, 50},
		} {
			if n := utf8.RuneCountInString(text.value); n < text.least || n > text.most || text.value != strings.TrimSpace(text.value) {
				t.Errorf("%s: %s %q has %d characters, want %d to %d, without space around", p.ProductID, text.name, text.value, n, text.least, text.most)
			}
		}
		if p.Price <= 0 || p.StockQuantity < 0 || p.LowStockThreshold < 0 || p.Weight < 0 {
			t.Errorf("%s: price %d, stock %d, threshold %d, weight %v", p.ProductID, p.Price, p.StockQuantity, p.LowStockThreshold, p.Weight)
		}
		if strings.Trim(p.ProductID, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%q does not go into a path as it is", p.ProductID)
		}
	}
}

func TestEveryProductIsAnotherOne(t *testing.T) {
	for name, key := range map[string]func(seed.Product) string{
		"productId":   func(p seed.Product) string { return p.ProductID },
		"sku":         func(p seed.Product) string { return p.SKU },
		"name":        func(p seed.Product) string { return p.Name },
		"description": func(p seed.Product) string { return p.Description },
	} {
		seen := map[string]bool{}
		for _, p := range seed.Products() {
			if seen[key(p)] {
				t.Errorf("%s %q comes twice", name, key(p))
			}
			seen[key(p)] = true
		}
	}
}

func TestEveryFilterFindsSomething(t *testing.T) {
	categories, found := map[string]int{}, map[string]int{}
	for _, p := range seed.Products() {
		categories[p.Category]++
		switch {
		case !p.IsActive:
			found["inactive"]++
		case p.StockQuantity == 0:
			found["out of stock"]++
		case p.StockQuantity <= p.LowStockThreshold:
			found["low on stock"]++
		default:
			found["plenty"]++
		}
	}
	if len(categories) < 6 {
		t.Errorf("only the categories %v", categories)
	}
	for category, n := range categories {
		if n < 2 {
			t.Errorf("category %s has one product", category)
		}
	}
	for what, least := range map[string]int{"inactive": 2, "out of stock": 1, "low on stock": 3, "plenty": 35} {
		if found[what] < least {
			t.Errorf("%d products are %s, want %d at least", found[what], what, least)
		}
	}
	if first := seed.Products()[0]; !first.IsActive || first.StockQuantity <= 100 {
		t.Errorf("the first product, %s, is not the one to try first", first.ProductID)
	}
}

// TestFileSaysNothingElse holds the file to the type: a key that the type lacks would be lost without a word.
func TestFileSaysNothingElse(t *testing.T) {
	file, err := os.ReadFile("catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	var listed []seed.Product
	d := json.NewDecoder(bytes.NewReader(file))
	d.DisallowUnknownFields()
	if err := d.Decode(&listed); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(listed, seed.Products()) {
		t.Error("the embedded catalogue is not the file")
	}
	for _, p := range listed {
		var again seed.Product
		if err := json.Unmarshal(p.JSON(), &again); err != nil || again != p {
			t.Errorf("%s: JSON gives back %+v (%v)", p.ProductID, again, err)
		}
	}
}

func TestProductsAreTheCallers(t *testing.T) {
	seed.Products()[0].Name = "changed"
	if seed.Products()[0].Name == "changed" {
		t.Error("a caller has changed the catalogue")
	}
}
