package product

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Event is a fact in a product's journal. Every event that moves stock carries the balance after it, so that a page of
// the journal is a page of the ledger. A new one needs its stored form (encode.go), a place in Codec and an example in
// TestStoredEvents; a new field needs its line in encode.go.
type Event interface{ domain.Event }

// Balance after an event. available = Stock - Reserved, never below 0.
type Balance struct {
	Stock    int64 `json:"stock"`
	Reserved int64 `json:"reserved"`
}

// Created puts a product into the catalogue.
type Created struct {
	ID                string      `json:"id"` // its _id
	ProductID         string      `json:"productId"`
	Name              string      `json:"name"`
	Description       string      `json:"description"`
	Category          string      `json:"category"`
	Price             int64       `json:"price"`
	Currency          string      `json:"currency"`
	Stock             int64       `json:"stock"`
	LowStockThreshold int64       `json:"lowStockThreshold"`
	SKU               string      `json:"sku"`
	Weight            float64     `json:"weight,omitempty"`
	Dimensions        string      `json:"dimensions,omitempty"`
	Active            bool        `json:"active"`
	At                domain.Time `json:"at"`
}

// Updated changes the catalogue entry; nil fields stay.
type Updated struct {
	Name              *string     `json:"name,omitempty"`
	Description       *string     `json:"description,omitempty"`
	Category          *string     `json:"category,omitempty"`
	Price             *int64      `json:"price,omitempty"`
	Currency          *string     `json:"currency,omitempty"`
	LowStockThreshold *int64      `json:"lowStockThreshold,omitempty"`
	SKU               *string     `json:"sku,omitempty"`
	Weight            *float64    `json:"weight,omitempty"`
	Dimensions        *string     `json:"dimensions,omitempty"`
	Active            *bool       `json:"active,omitempty"`
	At                domain.Time `json:"at"`
}

// ClaimsSettled says that the claims on the product's unique values are as its state says.
type ClaimsSettled struct {
	SKU string      `json:"sku"` // the one that is claimed now; empty after deletion
	At  domain.Time `json:"at"`
}

// Adjusted changes the stock by hand.
type Adjusted struct {
	ID     string      `json:"id"` // the movement's _id
	Delta  int64       `json:"delta"`
	Reason string      `json:"reason"`
	At     domain.Time `json:"at"`
	Balance
}

// Held reserves stock for an order.
type Held struct {
	OrderID   string      `json:"orderId"`
	Quantity  int64       `json:"quantity"`
	ExpiresAt domain.Time `json:"expiresAt"`
	At        domain.Time `json:"at"`
	Balance
}

// Taken turns a hold into a sale: stock and reserved drop.
type Taken struct {
	OrderID  string      `json:"orderId"`
	Quantity int64       `json:"quantity"`
	At       domain.Time `json:"at"`
	Balance
}

// Released gives a hold back: reserved drops. Quantity 0: there was none, and none may come any more.
type Released struct {
	OrderID  string      `json:"orderId"`
	Quantity int64       `json:"quantity"`
	Reason   string      `json:"reason,omitempty"`
	At       domain.Time `json:"at"`
	Balance
}

// Restocked undoes a sale: stock rises.
type Restocked struct {
	OrderID  string      `json:"orderId"`
	Quantity int64       `json:"quantity"`
	Reason   string      `json:"reason,omitempty"`
	At       domain.Time `json:"at"`
	Balance
}

// Forgotten drops the memory of orders that will never ask again.
type Forgotten struct {
	OrderIDs []string    `json:"orderIds"`
	At       domain.Time `json:"at"`
}

// LowStock says that available has fallen to the threshold.
type LowStock struct {
	ProductID   string      `json:"productId"`
	ProductName string      `json:"productName"`
	Available   int64       `json:"available"`
	Threshold   int64       `json:"threshold"`
	At          domain.Time `json:"at"`
}

// Deleted takes the product out of the catalogue. Its productId and sku may be used again.
type Deleted struct {
	At domain.Time `json:"at"`
}

func (Created) EventType() string       { return "product.created" }
func (Updated) EventType() string       { return "product.updated" }
func (ClaimsSettled) EventType() string { return "product.claims_settled" }
func (Adjusted) EventType() string      { return "product.adjusted" }
func (Held) EventType() string          { return "product.held" }
func (Taken) EventType() string         { return "product.taken" }
func (Released) EventType() string      { return "product.released" }
func (Restocked) EventType() string     { return "product.restocked" }
func (Forgotten) EventType() string     { return "product.forgotten" }
func (LowStock) EventType() string      { return "product.low_stock" }
func (Deleted) EventType() string       { return "product.deleted" }

// Codec stores a product's events.
var Codec = domain.NewCodec[Event](Created{}, Updated{}, ClaimsSettled{}, Adjusted{}, Held{}, Taken{}, Released{},
	Restocked{}, Forgotten{}, LowStock{}, Deleted{})
