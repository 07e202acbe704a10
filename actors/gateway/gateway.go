// Package gateway is the port to the payment provider and its two adapters: stripe.go talks to Stripe, sandbox.go
// behaves like Stripe's test mode inside this process. Both promise that a call repeated with the same key is the same
// call. Callers must journal what they are about to ask before they ask it, and must not call from inside an actor's
// Receive.
package gateway

import (
	"context"
	"errors"
)

var (
	// ErrUnavailable says that the provider is away or did not answer in time; the outcome of the call is unknown.
	// Repeat it with the same key.
	ErrUnavailable = errors.New("payment provider unavailable")
	// ErrRejected says that the provider understood and refused for good (a bad request, an unknown payment method, a
	// revoked key, an intent in a state that forbids it): repeating can't help. The wrapped text says why, without secrets.
	ErrRejected = errors.New("payment provider rejected the call")
)

// Status of an intent at the provider.
type Status string

const (
	StatusRequiresMethod Status = "requires_payment_method" // new, or the last attempt was declined
	StatusRequiresAction Status = "requires_action"         // the bank asks for 3-D Secure
	StatusProcessing     Status = "processing"
	StatusSucceeded      Status = "succeeded"
	StatusCanceled       Status = "canceled"
)

// Decline is the bank's "no" to an attempt. The intent stays payable.
type Decline struct {
	Code    string // such as "insufficient_funds"
	Message string // may be shown to the buyer
}

// Intent is the provider's answer.
type Intent struct {
	ID           string
	ClientSecret string
	Status       Status
	Decline      *Decline // set when the attempt was declined; Status is then StatusRequiresMethod
}

// Create asks for an intent. Key, Amount, Currency and Method make the call; repeat it unchanged.
type Create struct {
	Key       string // idempotency key
	PaymentID string // our paymentIntentId; sent as metadata, comes back in webhooks
	OrderID   string // metadata too
	Amount    int64  // minor units, > 0
	Currency  string // lower case ISO 4217
	Email     string // receipt address, may be empty
	Method    string // pm_...: charge at once; empty: wait for Confirm
}

// Confirm attempts to charge an intent.
type Confirm struct {
	Key      string
	IntentID string
	Method   string
}

// Cancel voids an intent that was not paid.
type Cancel struct {
	Key      string
	IntentID string
}

// Refund gives money back.
type Refund struct {
	Key      string
	IntentID string
	Amount   int64
	Reason   string // free text, sent as metadata
}

// Refunded is the provider's answer to a refund.
type Refunded struct {
	ID string
}

// Gateway is what the payment actor needs of a provider. Safe for concurrent use; every error is, or wraps, one of
// ErrUnavailable, ErrRejected or the context's error (outcome unknown, as for ErrUnavailable).
type Gateway interface {
	// Create makes the intent and, with a Method, charges it. A decline is not an error: see Intent.Decline.
	Create(ctx context.Context, c Create) (Intent, error)
	// Resolve learns what became of a Create whose answer was lost, without charging anything now: if the call never
	// reached the provider the intent it returns is one that was not charged.
	Resolve(ctx context.Context, c Create) (Intent, error)
	// Confirm charges. A decline is not an error.
	Confirm(ctx context.Context, c Confirm) (Intent, error)
	// Cancel voids. If the intent has been paid meanwhile, it returns that intent with StatusSucceeded and no error:
	// the caller refunds. An intent already cancelled is returned as such.
	Cancel(ctx context.Context, c Cancel) (Intent, error)
	// Refund gives back Amount.
	Refund(ctx context.Context, r Refund) (Refunded, error)
	// Health returns nil when a call made now would probably be answered.
	Health(ctx context.Context) error
}

// Event is a verified webhook, reduced to what the payment rules need.
type Event struct {
	ID             string // the provider's event id
	Type           string // such as "payment_intent.succeeded"
	IntentID       string // the provider's intent id; empty for types that have none
	PaymentID      string // from metadata, empty when the provider's object carried none
	OrderID        string // from metadata
	AmountRefunded int64  // charge.refunded: the charge's total refunded so far
	RefundID       string // charge.refunded: the newest refund's id, where the object lists it
	DisputeID      string // charge.dispute.created
	Message        string // payment_failed: why
	Method         string // payment method id, where known
}

// ErrSignature says that a webhook is missing its signature, or that the signature is wrong or too old.
var ErrSignature = errors.New("webhook signature")

// ErrPayload says that a webhook is signed rightly and is no event.
var ErrPayload = errors.New("webhook payload")
