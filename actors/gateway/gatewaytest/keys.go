package gatewaytest

import (
	"fmt"
	"net/http"
)

// storedCall is what the idempotency layer keeps of a call.
type storedCall struct {
	endpoint string
	form     string
	answer   reply
}

// once executes a keyed call or replays what the key has stored. Calls are executed one after another, under the mutex,
// so two calls with one key never overlap; Stripe's 409 for that case does not occur.
func (s *Server) once(r *http.Request, execute func() reply, fault Fault) reply {
	key := r.Header.Get("Idempotency-Key")
	endpoint, form := r.Method+" "+r.URL.Path, r.PostForm.Encode()
	if stored, ok := s.keys[key]; ok && key != "" {
		if stored.endpoint != endpoint || stored.form != form {
			return failed(http.StatusBadRequest, apiError{Type: "idempotency_error", Message: fmt.Sprintf(
				"Keys for idempotent requests can only be used with the same parameters they were first used with. "+
					"Try using a key other than '%s' if you meant to execute a different request.", key)})
		}
		answer := stored.answer
		answer.replayed = true
		return answer
	}
	answer := execute()
	if fault == Crash {
		answer = failed(http.StatusInternalServerError, apiError{Type: "api_error", Message: "An unknown error occurred"})
		answer.stored = true
	}
	if answer.stored && key != "" {
		s.keys[key] = &storedCall{endpoint: endpoint, form: form, answer: answer}
	}
	return answer
}

// ForgetKeys lets the idempotency layer forget every key, as Stripe may do after 24 hours.
func (s *Server) ForgetKeys() {
	s.mu.Lock()
	clear(s.keys)
	s.mu.Unlock()
}
