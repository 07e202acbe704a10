package payment_test

import (
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

const (
	t0       = domain.Time(1_700_000_000_000)
	at       = t0 + 9
	orderID  = "0000000a0011223344556677"
	intentID = "pay_0011223344556677"
	amount   = 5398
)

var rules = domaintest.Rules[payment.State, payment.Command, payment.Event]{
	Decide: payment.Decide, Evolve: (*payment.State).Evolve, Codec: payment.Codec,
}

type (
	row      = domaintest.Row[payment.Command, payment.Event]
	events   = []payment.Event
	commands = []payment.Command
	entity   = domaintest.Subject[payment.State, payment.Command, payment.Event]
)

func requested(method string) payment.Requested {
	return payment.Requested{ID: "0000000a8899aabbccddeeff", OrderID: orderID, CustomerID: "cust-1", Email: "ada@example.com", Amount: amount,
		Currency: "usd", Items: []payment.Item{{ProductID: "LAMP", ProductName: "Desk lamp", Quantity: 2, UnitPrice: 1999}}, Method: method, At: t0}
}

func request(method string) payment.Request { return payment.Request{Payment: requested(method)} }

// answered is the provider's answer to a call made for attempt number.
func answered(number int, outcome payment.Outcome) payment.RecordIntent {
	r := payment.RecordIntent{IntentID: "pi_1", ClientSecret: "pi_1_secret", Number: number, Outcome: outcome, At: at}
	if outcome == payment.OutcomeDeclined {
		r.Code, r.Message = "insufficient_funds", "insufficient funds"
	}
	return r
}

func confirm(method string) payment.Confirm {
	return payment.Confirm{PaymentIntentID: intentID, Method: method, At: at}
}

func giveBack(n int64) payment.GiveBack {
	return payment.GiveBack{PaymentIntentID: intentID, Reason: "damaged", Amount: &n, At: at}
}

func giveRest() payment.GiveBack {
	return payment.GiveBack{PaymentIntentID: intentID, Reason: "damaged", At: at}
}

func void() payment.VoidPayment { return payment.VoidPayment{Reason: "order cancelled", At: at} }

func made(index int) payment.RecordRefunded {
	return payment.RecordRefunded{Index: index, RefundID: "re_" + string(rune('a'+index)), At: at}
}

func rejected(work payment.Work, number int) payment.RecordRejected {
	return payment.RecordRejected{Work: work, Number: number, Message: "no such thing", At: at}
}

func webhook(kind string) payment.RecordWebhook {
	w := payment.RecordWebhook{Type: "payment_intent." + kind, IntentID: "pi_1", At: at}
	switch kind {
	case "payment_failed":
		w.Message = "your card was declined"
	case "succeeded":
		w.Method = "pm_real"
	case "dispute":
		w.Type, w.DisputeID = "charge.dispute.created", "dp_1"
	}
	return w
}

func refundedAt(total int64) payment.RecordWebhook {
	return payment.RecordWebhook{Type: "charge.refunded", IntentID: "pi_1", RefundID: "re_out", AmountRefunded: total, At: at}
}

// The events as they come out.
func created(secret string) payment.IntentCreated {
	return payment.IntentCreated{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: amount, Currency: "usd",
		IntentID: "pi_1", ClientSecret: secret, At: at}
}

func succeeded(method string, attempt int) payment.Succeeded {
	return payment.Succeeded{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: amount, Currency: "usd",
		IntentID: "pi_1", Method: method, Attempt: attempt, At: at}
}

func failed(attempt int, code, message string, final bool) payment.Failed {
	return payment.Failed{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: amount, Currency: "usd",
		Attempt: attempt, Code: code, Message: message, Final: final, At: at}
}

func refunded(index int, n int64, id, reason string) payment.Refunded {
	return payment.Refunded{Index: index, PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: n, Currency: "usd",
		RefundID: id, Reason: reason, At: at}
}

func outside(n int64) payment.Refunded {
	return refunded(-1, n, "re_out", "refunded at the payment provider")
}

func refundAsked(index int, n int64, reason string) payment.RefundRequested {
	return payment.RefundRequested{Index: index, Amount: n, Reason: reason, At: at}
}

// then goes on from a history without touching what others made of it.
func then(history commands, more ...payment.Command) commands {
	return append(slices.Clip(history), more...)
}

// Histories up to a point in a payment's life.
func waiting() commands  { return commands{request("")} }
func open() commands     { return then(waiting(), answered(0, payment.OutcomeOpen)) }
func trying() commands   { return then(open(), confirm("pm_1")) }
func declined() commands { return then(trying(), answered(1, payment.OutcomeDeclined)) }
func secure() commands   { return then(trying(), answered(1, payment.OutcomeRequiresAction)) }
func pending() commands  { return then(trying(), answered(1, payment.OutcomeProcessing)) }
func paid() commands     { return then(trying(), answered(1, payment.OutcomeSucceeded)) }
func closed() commands   { return then(open(), webhook("canceled")) }
func refused() commands  { return then(waiting(), rejected(payment.WorkCreate, 0)) }
func voided() commands   { return then(open(), void()) }

// after returns what happens when the commands are executed one after another; each must make something happen.
func after(t *testing.T, list commands) events {
	t.Helper()
	return subject(t, list).Events
}

func subject(t *testing.T, list commands) *entity {
	t.Helper()
	s := rules.New()
	for _, c := range list {
		happened, err := s.Do(t, c)
		if err != nil || len(happened) == 0 {
			t.Fatalf("%T: %v, %d events, status %q", c, err, len(happened), s.State.Status)
		}
	}
	return s
}

func due(s *payment.State) string {
	work, number := s.Due()
	if work == payment.WorkNone {
		return ""
	}
	return string(work) + "/" + string(rune('0'+number))
}
