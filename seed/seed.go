// Package seed is the demo catalogue.
package seed

import "encoding/json"

type Product struct {
	ProductID     string `json:"productId"`
	Name          string `json:"name"`
	Description   string `json:"description"`
	Category      string `json:"category"`
	Price         int64  `json:"price"`
	StockQuantity int64  `json:"stockQuantity"`
	SKU           string `json:"sku"`
}

func Products() []Product {
	return []Product{{"lamp-1", "Lamp", "A lamp that shines", "light", 1999, 100000, "LAMP-1"}}
}
func (p Product) JSON() []byte { b, _ := json.Marshal(p); return b }
