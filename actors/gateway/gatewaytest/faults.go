package gatewaytest

import (
	"net/http"
)

// Step is one kind of call.
type Step string

const (
	StepCreate      Step = "create"
	StepConfirm     Step = "confirm"
	StepCancel      Step = "cancel"
	StepRefund      Step = "refund"
	StepGet         Step = "get"
	StepList        Step = "list"
	StepSearch      Step = "search"
	StepListRefunds Step = "list_refunds"
)

// Fault is one way in which a call goes wrong.
type Fault string

const (
	None Fault = ""

	// Before the call is executed: nothing happens, nothing is stored under the key.

	Reset       Fault = "reset"        // the connection is reset; Go's HTTP client may repeat such a call itself
	Hang        Fault = "hang"         // no answer until the caller goes away
	RateLimited Fault = "rate_limited" // 429
	Unavailable Fault = "unavailable"  // 503

	// The call is executed and its answer stored under the key.

	LoseAnswer Fault = "lose_answer" // the connection breaks off inside the answer
	HangAfter  Fault = "hang_after"  // executed, then no answer until the caller goes away
	Garbage    Fault = "garbage"     // half of the answer arrives, as 200
	Crash      Fault = "crash"       // executed, but answered, and stored, as 500
	Decline    Fault = "decline"     // the bank declines, whatever the card
)

// Faults lists every fault but None.
func Faults() []Fault {
	return []Fault{Reset, Hang, RateLimited, Unavailable, LoseAnswer, HangAfter, Garbage, Crash, Decline}
}

// Inject lets the next calls of a step go wrong, one per fault given, in that order; None lets a call through.
func (s *Server) Inject(step Step, faults ...Fault) {
	s.mu.Lock()
	s.faults[step] = append(s.faults[step], faults...)
	s.mu.Unlock()
}

// Heal removes what Inject has left.
func (s *Server) Heal() {
	s.mu.Lock()
	clear(s.faults)
	s.mu.Unlock()
}

// takeFault returns the step's next fault. The mutex is held.
func (s *Server) takeFault(step Step) Fault {
	waiting := s.faults[step]
	if len(waiting) == 0 {
		return None
	}
	s.faults[step] = waiting[1:]
	return waiting[0]
}

// failBefore applies the faults that keep a call from being executed.
func (s *Server) failBefore(w http.ResponseWriter, r *http.Request, fault Fault) bool {
	switch fault {
	case Reset:
		hangUp(w)
	case Hang:
		s.hang(r)
	case RateLimited:
		answer := failed(http.StatusTooManyRequests, apiError{Type: "invalid_request_error", Code: "rate_limit",
			Message: "Request rate limit exceeded."})
		s.send(w, r, answer, None)
	case Unavailable:
		answer := failed(http.StatusServiceUnavailable, apiError{Type: "api_error", Message: "An unknown error occurred"})
		s.send(w, r, answer, None)
	default:
		return false
	}
	return true
}
