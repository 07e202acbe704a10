// Package payment holds the rules of an order's one payment: at most one charge, refunds never above it, and a state
// that never goes back, in whatever order the provider's answers and webhooks come in. What is about to be asked of the
// provider is journalled first; Due names it, so that a crash only repeats a call that carries the same key.
package payment

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Status of the payment as the contract has it.
type Status string

const (
	StatusPending           Status = "pending"
	StatusProcessing        Status = "processing"
	StatusSucceeded         Status = "succeeded"
	StatusFailed            Status = "failed"
	StatusCancelled         Status = "cancelled"
	StatusPartiallyRefunded Status = "partially_refunded"
	StatusRefunded          Status = "refunded"
)

var statuses = []Status{StatusPending, StatusProcessing, StatusSucceeded, StatusFailed, StatusCancelled, StatusPartiallyRefunded, StatusRefunded}

// ParseStatus returns the status with that name.
func ParseStatus(text string) (Status, bool) {
	for _, s := range statuses {
		if string(s) == text {
			return s, true
		}
	}
	return "", false
}

// Refund as asked for by us, or seen at the provider.
type Refund struct {
	Amount   int64
	Reason   string
	RefundID string      // the provider's; empty: not made yet
	Rejected string      // why the provider refuses it for good
	OfVoid   bool        // asked for when the order had been given up
	At       domain.Time // when it was made, or asked for
}

// open says that the provider has not answered yet.
func (r Refund) open() bool { return r.RefundID == "" && r.Rejected == "" }

// Attempt to charge, from 1; attempt 0 is the charge at creation.
type Attempt struct {
	Method  string
	Done    bool   // the provider has decided, or the bank is at it
	Decline string // set: declined, and why
}

// closed is the Decline of an attempt that the end of the payment overtook.
const closed = "cancelled"

// Closed says that the payment was cancelled before the attempt was decided: nobody has declined it.
func (a Attempt) Closed() bool { return a.Done && a.Decline == closed }

// State of a payment.
type State struct {
	Version      uint64
	Requested    Requested // zero: there is no payment
	Status       Status
	IntentID     string
	ClientSecret string
	Method       string
	Attempts     []Attempt
	Unpayable    bool // the provider knows no intent that could still be paid
	Void         bool
	VoidReason   string
	ErrorMessage string
	PaidAt       domain.Time
	FailedAt     domain.Time
	RefundedAt   domain.Time
	Refunds      []Refund
	External     []Refund // made at the provider, not by us
	Disputes     []string
	Declines     []string // messages of the attempts that failed
	Noticed      Noticed  // what webhooks said that is not explained yet; Failed concerns the last attempt
	UpdatedAt    domain.Time

	publicID string // follows from Requested
}

// Exists says whether there is a payment.
func (s *State) Exists() bool { return s.Requested.OrderID != "" }

// PaymentIntentID is the payment's public id; empty: there is no payment.
func (s *State) PaymentIntentID() string { return s.publicID }

// Paid says whether the money came, whatever became of it later.
func (s *State) Paid() bool { return s.PaidAt != 0 }

// Final says that no money can come any more, or that it has come.
func (s *State) Final() bool { return s.Paid() || s.Unpayable || s.Void }

// Refunded is what the provider has given back.
func (s *State) Refunded() int64 {
	var sum int64
	for _, r := range s.Refunds {
		if r.RefundID != "" {
			sum += r.Amount
		}
	}
	for _, r := range s.External {
		sum += r.Amount
	}
	return sum
}

// refundable is what could still be asked back: what is under way counts as gone.
func (s *State) refundable() int64 {
	if !s.Paid() {
		return 0
	}
	left := s.Requested.Amount - s.Refunded()
	for _, r := range s.Refunds {
		if r.open() {
			left -= r.Amount
		}
	}
	return left
}

// attempt returns the attempt that waits for the provider, if there is one.
func (s *State) attempt() (number int, open bool) {
	n := len(s.Attempts)
	return n, n > 0 && !s.Attempts[n-1].Done
}

// Visible returns a refusal unless there is a payment, and with that public id if one is given.
func (s *State) Visible(paymentIntentID string) error {
	if !s.Exists() || (paymentIntentID != "" && s.PaymentIntentID() != paymentIntentID) {
		return domain.Errorf(domain.KindNotFound, "payment_not_found", "there is no such payment")
	}
	return nil
}

// Work is what the provider has to be asked next.
type Work string

const (
	WorkNone    Work = ""
	WorkCreate  Work = "create"  // make the intent, and charge it if a method was given
	WorkResolve Work = "resolve" // learn what became of a create, without charging
	WorkConfirm Work = "confirm" // charge
	WorkCancel  Work = "cancel"  // void the intent
	WorkRefund  Work = "refund"  // give money back
)

// Due returns the next call to make, and the number that is part of its key: the attempt's or the refund's.
func (s *State) Due() (work Work, number int) {
	switch {
	case !s.Exists():
		return WorkNone, 0
	case s.IntentID == "" && !s.Unpayable && s.Void:
		return WorkResolve, 0
	case s.IntentID == "" && !s.Unpayable:
		return WorkCreate, 0
	}
	for i, r := range s.Refunds {
		if r.open() {
			return WorkRefund, i
		}
	}
	if s.Void && !s.Paid() && !s.Unpayable {
		return WorkCancel, len(s.Attempts)
	}
	if n, open := s.attempt(); open && !s.Paid() && !s.Unpayable {
		return WorkConfirm, n
	}
	return WorkNone, 0
}
