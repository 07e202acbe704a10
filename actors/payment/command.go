package payment

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Command asks for a change. The host has stamped instants and ids into it; Decide reads no clock.
type Command interface{ isCommand() }

type (
	// Request opens the order's payment; asked again with the same data it changes nothing.
	Request struct{ Payment Requested }
	// Confirm attempts to charge the method.
	Confirm struct {
		PaymentIntentID, Method string
		At                      domain.Time
	}
	// GiveBack refunds; a nil Amount is the rest.
	GiveBack struct {
		PaymentIntentID, Reason string
		Amount                  *int64
		At                      domain.Time
	}
	// VoidPayment says that the order will not be filled.
	VoidPayment struct {
		Reason string
		At     domain.Time
	}

	// RecordIntent reports the provider's answer to create, resolve, confirm or cancel. Number is the attempt that the
	// call was made for, 0 for create and the rest.
	RecordIntent struct {
		IntentID, ClientSecret string
		Outcome                Outcome
		Number                 int
		Code, Message          string // of a decline
		At                     domain.Time
	}
	// RecordRejected reports that the provider refuses the call for good.
	RecordRejected struct {
		Work    Work
		Number  int
		Message string
		At      domain.Time
	}
	// RecordRefunded reports that a refund of ours was made.
	RecordRefunded struct {
		Index    int
		RefundID string
		At       domain.Time
	}
	// RecordWebhook reports what the provider says happened.
	RecordWebhook struct {
		Type                                           string
		IntentID, RefundID, DisputeID, Message, Method string
		AmountRefunded                                 int64
		At                                             domain.Time
	}
)

// Outcome of a call that concerns the intent.
type Outcome string

const (
	OutcomeOpen           Outcome = "open" // exists, nothing charged
	OutcomeDeclined       Outcome = "declined"
	OutcomeRequiresAction Outcome = "requires_action"
	OutcomeProcessing     Outcome = "processing"
	OutcomeSucceeded      Outcome = "succeeded"
	OutcomeCanceled       Outcome = "canceled"
)

func (Request) isCommand()        {}
func (Confirm) isCommand()        {}
func (GiveBack) isCommand()       {}
func (VoidPayment) isCommand()    {}
func (RecordIntent) isCommand()   {}
func (RecordRejected) isCommand() {}
func (RecordRefunded) isCommand() {}
func (RecordWebhook) isCommand()  {}
