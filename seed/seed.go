// Package seed is a demo catalogue: fifty products that a small shop for the home might sell. It promises entries that
// POST /products accepts as they are, of which a few are out of stock, low on stock, or not for sale, so that every
// filter has something to find. It creates nothing; callers send the entries through the front door.
package seed

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Product has the keys of the body of POST /products. It names no currency: the shop's own applies.
type Product struct {
	ProductID         string  `json:"productId"`
	Name              string  `json:"name"`
	Description       string  `json:"description"`
	Category          string  `json:"category"`
	Price             int64   `json:"price"` // minor units
	StockQuantity     int64   `json:"stockQuantity"`
	LowStockThreshold int64   `json:"lowStockThreshold"`
	SKU               string  `json:"sku"`
	Weight            float64 `json:"weight,omitempty"` // kilograms
	Dimensions        string  `json:"dimensions,omitempty"`
	IsActive          bool    `json:"isActive"`
}

//go:embed catalogue.json
var catalogue []byte

// Products returns the catalogue, always in the same order; the first one is for sale and well in stock. The slice is
// the caller's.
func Products() []Product {
	var products []Product
	if err := json.Unmarshal(catalogue, &products); err != nil {
		panic(fmt.Errorf("seed: read the embedded catalogue: %w", err)) // ours: a test reads it
	}
	return products
}

// JSON is the body of POST /products.
func (p Product) JSON() []byte {
	body, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Errorf("seed: %s: %w", p.ProductID, err)) // ours: a test encodes every product
	}
	return body
}
