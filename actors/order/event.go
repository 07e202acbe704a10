package order

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Event is a fact in an order's journal. The catalogue's integration events are made from these, one from one. A new one
// needs its stored form (encode.go), a place in Codec and an example in TestStoredEvents; a new field needs its line in
// encode.go.
type Event interface{ domain.Event }

// Placed starts an order. The sums are final: nothing is ever computed from prices again.
type Placed struct {
	ID              string   `json:"id"`
	Number          string   `json:"number"`
	Customer        Customer `json:"customer"`
	Items           []Item   `json:"items"`
	Subtotal        int64    `json:"subtotal"`
	Tax             int64    `json:"tax"`
	ShippingCost    int64    `json:"shippingCost"`
	Total           int64    `json:"total"`
	Currency        string   `json:"currency"`
	ShippingAddress Address  `json:"shippingAddress"`
	PaymentMethod   string   `json:"paymentMethod"`
	Notes           string   `json:"notes,omitempty"`

	At domain.Time `json:"at"`
}

// ReservationRequested opens the reservation: from here on the order's lines are being held, until ExpiresAt at most.
type ReservationRequested struct {
	ID             string      `json:"id"` // the reservation's _id
	ReservationID  string      `json:"reservationId"`
	OrderID        string      `json:"orderId"`
	CustomerID     string      `json:"customerId"`
	Lines          []Line      `json:"lines"`
	TimeoutMinutes int64       `json:"timeoutMinutes"`
	ExpiresAt      domain.Time `json:"expiresAt"`
	At             domain.Time `json:"at"`
}

// Reserved says that every line is held.
type Reserved struct {
	OrderID       string      `json:"orderId"`
	ReservationID string      `json:"reservationId"`
	CustomerID    string      `json:"customerId"`
	Lines         []Line      `json:"lines"`
	ExpiresAt     domain.Time `json:"expiresAt"`
	At            domain.Time `json:"at"`
}

// ReservationFailed says that a line could not be held; what had been held is given back.
type ReservationFailed struct {
	OrderID    string      `json:"orderId"`
	CustomerID string      `json:"customerId"`
	Shortages  []Shortage  `json:"shortages"`
	Reason     string      `json:"reason"`
	Undo       bool        `json:"undo"` // some line may be held
	At         domain.Time `json:"at"`
}

// PaymentRequested says that the payment may be made from now on.
type PaymentRequested struct {
	OrderID    string      `json:"orderId"`
	CustomerID string      `json:"customerId"`
	Email      string      `json:"email"`
	Amount     int64       `json:"amount"`
	Currency   string      `json:"currency"`
	Lines      []Line      `json:"lines"`
	Method     string      `json:"method,omitempty"` // set: charge it at once
	At         domain.Time `json:"at"`
}

// ReservationConfirmRequested says that somebody asked to turn the holds into a sale before the payment did.
type ReservationConfirmRequested struct {
	At domain.Time `json:"at"`
}

// ReservationConfirmed says that all lines have left the stock.
type ReservationConfirmed struct {
	OrderID       string      `json:"orderId"`
	ReservationID string      `json:"reservationId"`
	CustomerID    string      `json:"customerId"`
	Lines         []Line      `json:"lines"`
	At            domain.Time `json:"at"`
}

// ReleaseRequested says that the reservation of another system's order has to be given back.
type ReleaseRequested struct {
	Reason  string      `json:"reason"`
	Expired bool        `json:"expired"`
	At      domain.Time `json:"at"`
}

// ReservationReleased says that all lines are available again.
type ReservationReleased struct {
	OrderID       string      `json:"orderId"`
	ReservationID string      `json:"reservationId"`
	CustomerID    string      `json:"customerId"`
	Lines         []Line      `json:"lines"`
	Reason        string      `json:"reason"`
	Expired       bool        `json:"expired"`
	At            domain.Time `json:"at"`
}

// Confirmed says that the order is paid and its stock taken.
type Confirmed struct {
	Number string      `json:"number"`
	At     domain.Time `json:"at"`
}

// StatusChanged is a step of the delivery.
type StatusChanged struct {
	Number string      `json:"number"`
	Status Status      `json:"status"`
	At     domain.Time `json:"at"`
}

// Amended changes what may be changed by hand. Nil fields stay.
type Amended struct {
	Number          string      `json:"number"`
	Status          Status      `json:"status"` // unchanged; for subscribers
	Notes           *string     `json:"notes,omitempty"`
	ShippingAddress *Address    `json:"shippingAddress,omitempty"`
	At              domain.Time `json:"at"`
}

// Cancelled ends the order. Failure is set when the shop gave up, Reason when somebody cancelled it.
type Cancelled struct {
	Number     string      `json:"number"`
	CustomerID string      `json:"customerId"`
	Reason     string      `json:"reason,omitempty"`
	Failure    string      `json:"failure,omitempty"`
	Expired    bool        `json:"expired,omitempty"`
	Undo       bool        `json:"undo"` // stock or money has to be given back
	At         domain.Time `json:"at"`
}

// Settled says that everything was given back: the order has nothing left to do.
type Settled struct {
	At domain.Time `json:"at"`
}

// Hidden takes a cancelled order out of sight.
type Hidden struct {
	At domain.Time `json:"at"`
}

func (Placed) EventType() string                      { return "order.placed" }
func (ReservationRequested) EventType() string        { return "order.reservation_requested" }
func (Reserved) EventType() string                    { return "order.reserved" }
func (ReservationFailed) EventType() string           { return "order.reservation_failed" }
func (PaymentRequested) EventType() string            { return "order.payment_requested" }
func (ReservationConfirmRequested) EventType() string { return "order.reservation_confirm_requested" }
func (ReservationConfirmed) EventType() string        { return "order.reservation_confirmed" }
func (ReleaseRequested) EventType() string            { return "order.release_requested" }
func (ReservationReleased) EventType() string         { return "order.reservation_released" }
func (Confirmed) EventType() string                   { return "order.confirmed" }
func (StatusChanged) EventType() string               { return "order.status_changed" }
func (Amended) EventType() string                     { return "order.amended" }
func (Cancelled) EventType() string                   { return "order.cancelled" }
func (Settled) EventType() string                     { return "order.settled" }
func (Hidden) EventType() string                      { return "order.hidden" }
