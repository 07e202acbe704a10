package payment

import (
	"fmt"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Decide returns what happens when the state is asked for the command: events; none, if it is so already; or a refusal
// (*domain.Error), and then nothing happens. It neither changes the state nor looks at anything else.
func Decide(s *State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Request:
		return decideRequest(s, c)
	case Confirm:
		return decideConfirm(s, c)
	case GiveBack:
		return decideGiveBack(s, c)
	case VoidPayment:
		return decideVoid(s, c)
	case RecordIntent:
		return decideIntent(s, c)
	case RecordRejected:
		return decideRejected(s, c)
	case RecordRefunded:
		return decideRefunded(s, c)
	case RecordWebhook:
		return decideWebhook(s, c)
	}
	return nil, fmt.Errorf("payment: unknown command %T", command)
}

func decideRequest(s *State, c Request) ([]Event, error) {
	p := c.Payment
	if !s.Exists() {
		if p.Amount <= 0 {
			return nil, domain.Errorf(domain.KindInvalid, "amount_out_of_range", "amount must be at least 1")
		}
		if s.Void { // the order was given up before its payment was ever heard of
			return nil, domain.Errorf(domain.KindConflict, "payment_void", "the order of this payment is not to be filled")
		}
		return []Event{p}, nil
	}
	r := s.Requested
	if r.OrderID != p.OrderID || r.CustomerID != p.CustomerID || r.Amount != p.Amount || r.Currency != p.Currency ||
		(p.Method != "" && p.Method != r.Method) {
		return nil, domain.Errorf(domain.KindConflict, "payment_exists", "order %s has a payment with other data", r.OrderID)
	}
	return nil, nil
}

func decideConfirm(s *State, c Confirm) ([]Event, error) {
	if err := s.Visible(c.PaymentIntentID); err != nil {
		return nil, err
	}
	_, open := s.attempt()
	switch {
	case s.Void || s.Unpayable || s.Status == StatusCancelled:
		return nil, domain.Errorf(domain.KindConflict, "payment_closed", "this payment can't be paid any more")
	case s.Paid():
		return nil, domain.Errorf(domain.KindConflict, "payment_paid", "this payment is %s already", s.Status)
	case s.IntentID == "":
		return nil, domain.Errorf(domain.KindUnavailable, "payment_not_ready", "the payment provider has not made this payment's intent yet")
	case open:
		return nil, domain.Errorf(domain.KindConflict, "payment_busy", "an attempt to charge this payment is under way")
	case s.Status == StatusProcessing && !s.awaitsAction():
		return nil, domain.Errorf(domain.KindConflict, "payment_processing", "the bank is processing this payment")
	case !strings.HasPrefix(c.Method, "pm_"):
		return nil, domain.Errorf(domain.KindInvalid, "invalid_payment_method", "paymentMethodId must begin with pm_")
	}
	return []Event{ConfirmRequested{Attempt: len(s.Attempts) + 1, Method: c.Method, At: c.At}}, nil
}

func decideGiveBack(s *State, c GiveBack) ([]Event, error) {
	if err := s.Visible(c.PaymentIntentID); err != nil {
		return nil, err
	}
	if !s.Paid() {
		return nil, domain.Errorf(domain.KindConflict, "payment_not_paid", "a %s payment can't be refunded", s.Status)
	}
	left := s.refundable()
	amount := left
	if c.Amount != nil {
		amount = *c.Amount
		if amount < 1 {
			return nil, domain.Errorf(domain.KindInvalid, "amount_out_of_range", "amount must be at least 1")
		}
	}
	if amount > left || left == 0 {
		return nil, domain.Errorf(domain.KindConflict, "refund_exceeds_payment", "%d is left to refund", left)
	}
	return []Event{RefundRequested{Index: len(s.Refunds), Amount: amount, Reason: c.Reason, At: c.At}}, nil
}

func decideVoid(s *State, c VoidPayment) ([]Event, error) {
	if s.Void {
		return nil, nil
	}
	void := VoidRequested{Reason: c.Reason, At: c.At}
	next := *s
	next.Evolve(void)
	return append([]Event{void}, next.refundOfVoid(c.At)...), nil
}

// refundOfVoid gives all back that came for an order that will not be filled.
func (s *State) refundOfVoid(at domain.Time) []Event {
	if left := s.refundable(); s.Void && left > 0 {
		return []Event{RefundRequested{Index: len(s.Refunds), Amount: left, Reason: s.VoidReason, At: at}}
	}
	return nil
}

func decideRefunded(s *State, c RecordRefunded) ([]Event, error) {
	if c.Index < 0 || c.Index >= len(s.Refunds) || !s.Refunds[c.Index].open() {
		return nil, nil
	}
	r := s.Refunds[c.Index]
	return []Event{s.refunded(c.Index, r.Amount, c.RefundID, r.Reason, c.At)}, nil
}

func (s *State) refunded(index int, amount int64, refundID, reason string, at domain.Time) Refunded {
	return Refunded{Index: index, PaymentIntentID: s.PaymentIntentID(), OrderID: s.Requested.OrderID,
		CustomerID: s.Requested.CustomerID, Amount: amount, Currency: s.Requested.Currency, RefundID: refundID, Reason: reason, At: at}
}

func decideRejected(s *State, c RecordRejected) ([]Event, error) {
	if work, number := s.Due(); work != c.Work || number != c.Number {
		return nil, nil
	}
	switch c.Work {
	case WorkRefund:
		return s.refundRejected(c), nil
	case WorkConfirm:
		return []Event{s.failed(c.Number, "", c.Message, false, c.At)}, nil
	case WorkCreate:
		return []Event{s.failed(0, "", c.Message, true, c.At)}, nil
	case WorkResolve, WorkCancel:
		return []Event{Cancelled{At: c.At}}, nil
	}
	return nil, nil
}

// refundRejected looks again at what the webhooks reported: what was taken for ours was made at the provider. When the
// order will not be filled, what is left is asked back anew, but not for no other reason than that it was just refused.
func (s *State) refundRejected(c RecordRejected) []Event {
	events := []Event{RefundRejected{Index: c.Number, Message: c.Message, At: c.At}}
	next := *s
	next.Evolve(events[0])
	outside := next.unexplained()
	if outside > 0 {
		refunded := next.refunded(-1, outside, next.Noticed.RefundID, refundedOutside, c.At)
		events = append(events, refunded)
		next.Evolve(refunded)
	}
	if outside > 0 || !s.Refunds[c.Number].OfVoid {
		events = append(events, next.refundOfVoid(c.At)...)
	}
	return events
}

// unexplained is what webhooks reported as given back above all that we know of or have under way.
func (s *State) unexplained() int64 {
	return s.Noticed.Refunded - (s.Requested.Amount - s.refundable())
}

func (s *State) failed(attempt int, code, message string, final bool, at domain.Time) Failed {
	return Failed{PaymentIntentID: s.PaymentIntentID(), OrderID: s.Requested.OrderID, CustomerID: s.Requested.CustomerID,
		Amount: s.Requested.Amount, Currency: s.Requested.Currency, Attempt: attempt, Code: code, Message: message, Final: final, At: at}
}

func (s *State) paid(intentID, method string, attempt int, at domain.Time) Succeeded {
	return Succeeded{PaymentIntentID: s.PaymentIntentID(), OrderID: s.Requested.OrderID, CustomerID: s.Requested.CustomerID,
		Amount: s.Requested.Amount, Currency: s.Requested.Currency, IntentID: intentID, Method: method, Attempt: attempt, At: at}
}

// succeeded is the payment, and its refund when the order will not be filled.
func (s *State) succeeded(intentID, method string, attempt int, at domain.Time) []Event {
	paid := s.paid(intentID, method, attempt, at)
	next := *s
	next.Evolve(paid)
	return append([]Event{paid}, next.refundOfVoid(at)...)
}

// awaitsAction says that the buyer has to act at the bank; another method may be tried instead.
func (s *State) awaitsAction() bool { return s.ErrorMessage == actionRequired }

const actionRequired = "authentication required"
