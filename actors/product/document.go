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

// Movement is one line of the ledger: what changed the stock or the reserved part of it, and the balance after it.
type Movement struct {
	ID                string      `json:"_id"`
	ProductID         string      `json:"productId"`
	Type              string      `json:"type"` // initial, adjustment, reserve, release, sale, restock
	Quantity          int64       `json:"quantity"`
	StockQuantity     int64       `json:"stockQuantity"`
	ReservedQuantity  int64       `json:"reservedQuantity"`
	AvailableQuantity int64       `json:"availableQuantity"`
	OrderID           string      `json:"orderId,omitempty"`
	Reason            string      `json:"reason,omitempty"`
	Sequence          uint64      `json:"sequence"`
	CreatedAt         domain.Time `json:"createdAt"`
}

// Movement is the adjustment as the ledger shows it.
func (e Adjusted) Movement(productID string, sequence uint64) Movement {
	return Movement{ID: e.ID, ProductID: productID, Type: "adjustment", Quantity: e.Delta, StockQuantity: e.Stock,
		ReservedQuantity: e.Reserved, AvailableQuantity: e.Stock - e.Reserved, Reason: e.Reason, Sequence: sequence, CreatedAt: e.At}
}
