package product

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Document is the product as REST answers it and as its read model keeps it.
type Document struct {
	ID                string      `json:"_id"`
	ProductID         string      `json:"productId"`
	Name              string      `json:"name"`
	Description       string      `json:"description"`
	Category          string      `json:"category"`
	Price             int64       `json:"price"`
	Currency          string      `json:"currency"`
	StockQuantity     int64       `json:"stockQuantity"`
	ReservedQuantity  int64       `json:"reservedQuantity"`
	AvailableQuantity int64       `json:"availableQuantity"`
	LowStockThreshold int64       `json:"lowStockThreshold"`
	SKU               string      `json:"sku"`
	Weight            *float64    `json:"weight,omitempty"`
	Dimensions        string      `json:"dimensions,omitempty"`
	IsActive          bool        `json:"isActive"`
	InStock           bool        `json:"inStock"`
	IsLowStock        bool        `json:"isLowStock"`
	CreatedAt         domain.Time `json:"createdAt"`
	UpdatedAt         domain.Time `json:"updatedAt"`
	Version           uint64      `json:"version"`
}

// Document returns the product's answer document.
func (s *State) Document() Document {
	e := &s.Entry
	d := Document{
		ID: e.ID, ProductID: e.ProductID, Name: e.Name, Description: e.Description, Category: e.Category,
		Price: e.Price, Currency: e.Currency, StockQuantity: s.Stock, ReservedQuantity: s.Reserved,
		AvailableQuantity: s.Available(), LowStockThreshold: e.LowStockThreshold, SKU: e.SKU, Dimensions: e.Dimensions,
		IsActive: e.Active, InStock: s.Available() > 0, IsLowStock: s.Available() <= e.LowStockThreshold,
		CreatedAt: e.At, UpdatedAt: s.UpdatedAt, Version: s.Version,
	}
	if e.Weight != 0 {
		d.Weight = &e.Weight
	}
	return d
}
