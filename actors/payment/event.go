package payment

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Event is a fact in a payment's journal. A new one needs its stored form (encode.go), a place in Codec and an example in
// TestStoredEvents; a new field needs its line in encode.go.
type Event interface{ domain.Event }

// Item is what is paid for, as the request said.
type Item struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice"`
}

// Requested is journalled before the provider is asked for an intent, so that a crash in between can't lose a charge.
type Requested struct {
	ID         string      `json:"id"` // the payment's _id
	OrderID    string      `json:"orderId"`
	CustomerID string      `json:"customerId"`
	Email      string      `json:"email"`
	Amount     int64       `json:"amount"` // minor units
	Currency   string      `json:"currency"`
	Items      []Item      `json:"items"`
	Method     string      `json:"method,omitempty"` // set: charge at once
	At         domain.Time `json:"at"`
}

// IntentCreated says that the provider has an intent for this payment.
type IntentCreated struct {
	PaymentIntentID string      `json:"paymentIntentId"` // ours
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount"`
	Currency        string      `json:"currency"`
	IntentID        string      `json:"intentId"` // the provider's
	ClientSecret    string      `json:"clientSecret"`
	At              domain.Time `json:"at"`
}

// ConfirmRequested is journalled before the provider is asked to charge.
type ConfirmRequested struct {
	Attempt int         `json:"attempt"` // from 1; part of the idempotency key
	Method  string      `json:"method"`
	At      domain.Time `json:"at"`
}

// Processing says that the bank has not decided yet, or asks for 3-D Secure.
type Processing struct {
	Attempt        int         `json:"attempt,omitempty"`
	RequiresAction bool        `json:"requiresAction,omitempty"`
	At             domain.Time `json:"at"`
}

// Succeeded says that the money is here.
type Succeeded struct {
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount"`
	Currency        string      `json:"currency"`
	IntentID        string      `json:"intentId"`
	Method          string      `json:"method,omitempty"`
	Attempt         int         `json:"attempt,omitempty"`
	At              domain.Time `json:"at"`
}

// Failed says that an attempt was declined, or that the provider refuses the payment for good.
type Failed struct {
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount"`
	Currency        string      `json:"currency"`
	Attempt         int         `json:"attempt,omitempty"`
	Code            string      `json:"code,omitempty"`
	Message         string      `json:"message"`
	Final           bool        `json:"final,omitempty"` // the provider knows no intent that could still be paid
	At              domain.Time `json:"at"`
}

// VoidRequested says that the order will not be filled: no money may stay.
type VoidRequested struct {
	Reason string      `json:"reason"`
	At     domain.Time `json:"at"`
}

// Cancelled says that the intent can no longer be paid.
type Cancelled struct {
	At domain.Time `json:"at"`
}

// RefundRequested is journalled before the provider is asked to give money back.
type RefundRequested struct {
	Index  int         `json:"index"` // from 0; part of the idempotency key
	Amount int64       `json:"amount"`
	Reason string      `json:"reason,omitempty"`
	At     domain.Time `json:"at"`
}

// Refunded says that the provider has given the money back.
type Refunded struct {
	Index           int         `json:"index"` // -1: made at the provider, not by us
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount"`
	Currency        string      `json:"currency"`
	RefundID        string      `json:"refundId"`
	Reason          string      `json:"reason,omitempty"`
	At              domain.Time `json:"at"`
}

// RefundRejected says that the provider refuses a refund for good.
type RefundRejected struct {
	Index   int         `json:"index"`
	Message string      `json:"message"`
	At      domain.Time `json:"at"`
}

// Disputed records that the buyer disputes the charge at the bank.
type Disputed struct {
	DisputeID string      `json:"disputeId"`
	At        domain.Time `json:"at"`
}

// Noticed keeps what a webhook said while an answer of ours was on its way that may say the same. What the answer leaves
// unexplained counts when it is here.
type Noticed struct {
	Failed   bool        `json:"failed,omitempty"` // an attempt failed
	Message  string      `json:"message,omitempty"`
	Refunded int64       `json:"refunded,omitempty"` // so much has been given back in all
	RefundID string      `json:"refundId,omitempty"`
	At       domain.Time `json:"at"`
}

func (Requested) EventType() string        { return "payment.requested" }
func (IntentCreated) EventType() string    { return "payment.intent_created" }
func (ConfirmRequested) EventType() string { return "payment.confirm_requested" }
func (Processing) EventType() string       { return "payment.processing" }
func (Succeeded) EventType() string        { return "payment.succeeded" }
func (Failed) EventType() string           { return "payment.failed" }
func (VoidRequested) EventType() string    { return "payment.void_requested" }
func (Cancelled) EventType() string        { return "payment.cancelled" }
func (RefundRequested) EventType() string  { return "payment.refund_requested" }
func (Refunded) EventType() string         { return "payment.refunded" }
func (RefundRejected) EventType() string   { return "payment.refund_rejected" }
func (Disputed) EventType() string         { return "payment.disputed" }
func (Noticed) EventType() string          { return "payment.noticed" }

// Codec stores a payment's events.
var Codec = domain.NewCodec[Event](Requested{}, IntentCreated{}, ConfirmRequested{}, Processing{}, Succeeded{}, Failed{},
	VoidRequested{}, Cancelled{}, RefundRequested{}, Refunded{}, RefundRejected{}, Disputed{}, Noticed{})
