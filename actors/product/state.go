// Package product holds the rules of a product: its catalogue entry, its stock, and what each order has of it. All of
// checking, taking and recording is one decision, so that available stock can't fall below zero at any sequence of the
// journal. What became of an order's demand is remembered until the order has said that it will never ask again: that
// makes every step of the saga repeatable.
package product

import (
	"cmp"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Standing is how an order stands with the product.
type Standing string

const (
	StandingHeld     Standing = "held"     // reserved for the order
	StandingTaken    Standing = "taken"    // sold to the order
	StandingReturned Standing = "returned" // given back, or refused for good
)

// Demand is what one order has, or had, of the product.
type Demand struct {
	Standing  Standing    `json:"standing"`
	Quantity  int64       `json:"quantity"`
	ExpiresAt domain.Time `json:"expiresAt,omitzero"` // of a hold
	Since     domain.Time `json:"since"`
}

// State of a product. It is its own snapshot, so every field is exported.
type State struct {
	Version uint64  `json:"version"`
	Exists  bool    `json:"exists"`
	Entry   Created `json:"entry"` // as created, with all updates since
	Balance
	UpdatedAt  domain.Time       `json:"updatedAt"`
	Alerted    bool              `json:"alerted"` // low stock was announced, and available has not risen since
	ClaimedSKU string            `json:"claimedSku"`
	ClaimedID  string            `json:"claimedId"` // the _id whose claim is ours for good
	Orders     map[string]Demand `json:"orders"`
}

// Available is what can still be sold.
func (s *State) Available() int64 { return s.Stock - s.Reserved }

// Visible returns a refusal unless the product exists and, when an id is given, has that _id.
func (s *State) Visible(id string) error {
	if !s.Exists || (id != "" && s.Entry.ID != id) {
		return domain.Errorf(domain.KindNotFound, "product_not_found", "there is no such product")
	}
	return nil
}

// Evolve makes the event part of the state. It never refuses: what is in the journal has happened.
func (s *State) Evolve(event Event) {
	s.Version++
	switch e := event.(type) {
	case Created:
		s.Exists, s.Entry, s.Alerted = true, e, false
		s.Balance = Balance{Stock: e.Stock}
		s.UpdatedAt = e.At
	case Updated:
		s.update(e)
	case ClaimsSettled:
		s.ClaimedSKU, s.ClaimedID = e.SKU, s.Entry.ID
		if !s.Exists {
			s.ClaimedID = ""
		}
	case Adjusted:
		s.move(e.Balance, e.At)
	case Held:
		s.move(e.Balance, e.At)
		s.remember(e.OrderID, Demand{Standing: StandingHeld, Quantity: e.Quantity, ExpiresAt: e.ExpiresAt, Since: e.At})
	case Taken:
		s.move(e.Balance, e.At)
		s.remember(e.OrderID, Demand{Standing: StandingTaken, Quantity: e.Quantity, Since: e.At})
	case Released:
		s.move(e.Balance, e.At)
		s.remember(e.OrderID, Demand{Standing: StandingReturned, Quantity: e.Quantity, Since: e.At})
	case Restocked:
		s.move(e.Balance, e.At)
		s.remember(e.OrderID, Demand{Standing: StandingReturned, Quantity: e.Quantity, Since: e.At})
	case Forgotten:
		for _, id := range e.OrderIDs {
			delete(s.Orders, id)
		}
	case LowStock:
		s.Alerted = true
	case Deleted:
		s.Exists, s.Balance, s.UpdatedAt = false, Balance{}, e.At
		// A settling that was cut short may have claimed what the entry names without anybody having recorded it.
		s.ClaimedSKU, s.ClaimedID = cmp.Or(s.ClaimedSKU, s.Entry.SKU), s.Entry.ID
	}
}

func (s *State) remember(orderID string, d Demand) {
	if s.Orders == nil {
		s.Orders = make(map[string]Demand)
	}
	s.Orders[orderID] = d
}

func (s *State) move(b Balance, at domain.Time) {
	s.Balance, s.UpdatedAt = b, at
	s.rearm()
}

// rearm lets the next fall of available to the threshold be announced again.
func (s *State) rearm() {
	if s.Available() > s.Entry.LowStockThreshold {
		s.Alerted = false
	}
}

func (s *State) update(e Updated) {
	set(&s.Entry.Name, e.Name)
	set(&s.Entry.Description, e.Description)
	set(&s.Entry.Category, e.Category)
	set(&s.Entry.Price, e.Price)
	set(&s.Entry.Currency, e.Currency)
	set(&s.Entry.LowStockThreshold, e.LowStockThreshold)
	set(&s.Entry.SKU, e.SKU)
	set(&s.Entry.Weight, e.Weight)
	set(&s.Entry.Dimensions, e.Dimensions)
	set(&s.Entry.Active, e.Active)
	s.UpdatedAt = e.At
	s.rearm()
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}
