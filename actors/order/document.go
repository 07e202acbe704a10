package order

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Document is the order as REST answers it and as its read model keeps it.
type Document struct {
	ID              string      `json:"_id"`
	OrderNumber     string      `json:"orderNumber"`
	Customer        Customer    `json:"customer"`
	Items           []Item      `json:"items"`
	Subtotal        int64       `json:"subtotal"`
	Tax             int64       `json:"tax"`
	ShippingCost    int64       `json:"shippingCost"`
	Total           int64       `json:"total"`
	Currency        string      `json:"currency"`
	Status          Status      `json:"status"`
	ShippingAddress Address     `json:"shippingAddress"`
	PaymentMethod   string      `json:"paymentMethod"`
	Notes           string      `json:"notes,omitempty"`
	FailureReason   string      `json:"failureReason,omitempty"`
	CancelReason    string      `json:"cancelReason,omitempty"`
	ReservationID   string      `json:"reservationId,omitempty"`
	PaymentIntentID string      `json:"paymentIntentId,omitempty"`
	CreatedAt       domain.Time `json:"createdAt"`
	UpdatedAt       domain.Time `json:"updatedAt"`
	Version         uint64      `json:"version"`
}

// Document returns the order's answer document; only for a state in which an order was placed.
func (s *State) Document() Document {
	p := &s.Placed
	d := Document{
		ID: p.ID, OrderNumber: p.Number, Customer: p.Customer, Items: p.Items, Subtotal: p.Subtotal, Tax: p.Tax,
		ShippingCost: p.ShippingCost, Total: p.Total, Currency: p.Currency, Status: s.Status,
		ShippingAddress: p.ShippingAddress, PaymentMethod: p.PaymentMethod, Notes: p.Notes,
		FailureReason: s.FailureReason, CancelReason: s.CancelReason,
		CreatedAt: p.At, UpdatedAt: s.UpdatedAt, Version: s.Version,
	}
	if s.ReservationStatus != ReservationNone {
		d.ReservationID = s.Reservation.ReservationID
	}
	if s.PaymentRequested != nil {
		d.PaymentIntentID = domain.PaymentIntentID(p.ID)
	}
	return d
}

// ReservationDocument is the reservation as REST answers it and as its read model keeps it.
type ReservationDocument struct {
	ID            string            `json:"_id"`
	ReservationID string            `json:"reservationId"`
	OrderID       string            `json:"orderId"`
	CustomerID    string            `json:"customerId"`
	Items         []Line            `json:"items"`
	Status        ReservationStatus `json:"status"`
	StatusReason  string            `json:"statusReason,omitempty"`
	ExpiresAt     domain.Time       `json:"expiresAt"`
	CreatedAt     domain.Time       `json:"createdAt"`
	UpdatedAt     domain.Time       `json:"updatedAt"`
	Version       uint64            `json:"version"`
}

// ReservationDocument returns the reservation's answer document; only for a state that has, or had, one.
func (s *State) ReservationDocument() ReservationDocument {
	r := &s.Reservation
	return ReservationDocument{
		ID: r.ID, ReservationID: r.ReservationID, OrderID: r.OrderID, CustomerID: r.CustomerID, Items: r.Lines,
		Status: s.ReservationStatus, StatusReason: s.StatusReason, ExpiresAt: r.ExpiresAt,
		CreatedAt: s.ReservationSince, UpdatedAt: s.ReservationAt, Version: s.Version,
	}
}
