package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/stripe/stripe-go/v76"
)

// failure says what an unsuccessful call to Stripe means for the caller and for the circuit.
type failure uint8

const (
	failureOutage   failure = iota + 1 // no answer, or one that says nothing: outcome unknown, counts for the circuit
	failureBusy                        // the same key or object is being worked on: repeat; Stripe is well
	failureRejected                    // refused for good
	failureReused                      // the key was used with other parameters: refused for good
)

// callError is a call's failure without anything secret: stripe-go's own error prints the whole answer, client secret
// and payment method included.
type callError struct {
	failure  failure
	text     string
	code     stripe.ErrorCode
	status   int  // http, 0 for no answer
	replayed bool // the answer is the stored one of an earlier call
	final    bool // Stripe says that repeating now is pointless
	cause    error
}

func (e *callError) Error() string { return e.text }

func (e *callError) Unwrap() []error {
	kind := ErrUnavailable
	if e.failure == failureRejected || e.failure == failureReused {
		kind = ErrRejected
	}
	if e.cause == nil {
		return []error{kind}
	}
	return []error{kind, e.cause}
}

func failureOf(err error) failure {
	var call *callError
	if errors.As(err, &call) {
		return call.failure
	}
	return 0
}

// serves says whether a call's outcome shows that Stripe serves this shop: any answer does that is about the call itself.
func serves(err error) bool {
	var call *callError
	if !errors.As(err, &call) {
		return err == nil
	}
	return call.failure != failureOutage && call.status != http.StatusUnauthorized && call.status != http.StatusForbidden
}

// brokeInside says that the answer is Stripe's own failure in an earlier call, stored for as long as the key is.
func brokeInside(err error) bool {
	var call *callError
	return errors.As(err, &call) && call.failure == failureOutage && call.replayed
}

func unexpectedState(err error) bool {
	var call *callError
	return errors.As(err, &call) && call.code == stripe.ErrorCodePaymentIntentUnexpectedState
}

func unreadable(what string) error {
	return &callError{failure: failureOutage, text: "unreadable answer: " + what}
}

// classify turns an error of stripe-go into a callError; nil stays nil.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var answer *stripe.Error
	if errors.As(err, &answer) {
		return classifyAnswer(answer)
	}
	var call *callError
	if errors.As(err, &call) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &callError{failure: failureOutage, text: "no answer in time", cause: err}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return &callError{failure: failureOutage, text: "no answer: " + wrapped.Err.Error(), cause: wrapped.Err}
	}
	var network net.Error
	if errors.As(err, &network) {
		return &callError{failure: failureOutage, text: "answer broke off: " + err.Error(), cause: err}
	}
	// What is left quotes the answer's body, so its text stays here.
	return unreadable("not Stripe's JSON, or cut off")
}

func classifyAnswer(answer *stripe.Error) error {
	call := &callError{code: answer.Code, status: answer.HTTPStatusCode, text: answerText(answer)}
	if response := answer.LastResponse; response != nil {
		call.replayed = response.Header.Get("Idempotent-Replayed") == "true"
		call.final = response.Header.Get("Stripe-Should-Retry") == "false"
	}
	status := answer.HTTPStatusCode
	switch {
	case status == http.StatusConflict, answer.Code == stripe.ErrorCodeLockTimeout,
		answer.Code == "idempotency_key_in_use":
		call.failure = failureBusy
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500,
		answer.Code == stripe.ErrorCodeRateLimit, answer.Type == stripe.ErrorTypeAPI:
		call.failure = failureOutage
	case answer.Type == stripe.ErrorTypeIdempotency:
		call.failure = failureReused
	default:
		call.failure = failureRejected
	}
	return call
}

func answerText(answer *stripe.Error) string {
	if answer.HTTPStatusCode == http.StatusUnauthorized {
		return "http 401: the secret key is not accepted" // Stripe's own text quotes a part of the key
	}
	text := fmt.Sprintf("http %d %s", answer.HTTPStatusCode, answer.Type)
	if answer.Code != "" {
		text += " " + string(answer.Code)
	}
	if answer.Msg != "" {
		text += ": " + answer.Msg
	}
	if answer.RequestID != "" {
		text += " (request " + answer.RequestID + ")"
	}
	return text
}

// declineOf reads the bank's "no": a card error whose body carries the intent that stays payable.
func declineOf(err error) (Intent, bool) {
	var answer *stripe.Error
	if !errors.As(err, &answer) || answer.Type != stripe.ErrorTypeCard || answer.PaymentIntent == nil ||
		answer.HTTPStatusCode != http.StatusPaymentRequired || answer.PaymentIntent.ID == "" {
		return Intent{}, false
	}
	return Intent{
		ID:           answer.PaymentIntent.ID,
		ClientSecret: answer.PaymentIntent.ClientSecret,
		Status:       StatusRequiresMethod,
		Decline:      decline(answer),
	}, true
}

func decline(answer *stripe.Error) *Decline {
	code := string(answer.DeclineCode)
	if code == "" {
		code = string(answer.Code)
	}
	return &Decline{Code: code, Message: answer.Msg}
}

func intentOf(pi *stripe.PaymentIntent) (Intent, error) {
	if pi.ID == "" {
		return Intent{}, unreadable("intent without an id")
	}
	intent := Intent{ID: pi.ID, ClientSecret: pi.ClientSecret}
	switch pi.Status {
	case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusRequiresConfirmation:
		intent.Status = StatusRequiresMethod
		if pi.LastPaymentError != nil {
			intent.Decline = decline(pi.LastPaymentError)
		}
	case stripe.PaymentIntentStatusRequiresAction:
		intent.Status = StatusRequiresAction
	case stripe.PaymentIntentStatusProcessing:
		intent.Status = StatusProcessing
	case stripe.PaymentIntentStatusSucceeded:
		intent.Status = StatusSucceeded
	case stripe.PaymentIntentStatusCanceled:
		intent.Status = StatusCanceled
	default:
		return Intent{}, unreadable("intent " + pi.ID + " in an unknown status")
	}
	return intent, nil
}
