package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

const (
	problemType    = "application/problem+json"
	problemURN     = "urn:queuecommerce:problem:"
	retryAfter     = "1" // seconds; what is away is asked again soon, the client's own back-off does the rest
	kindRetry      = 7   // messages.Refusal.kind: not executed, ask again
	maxComplaints  = 50
	genericFailure = "the server could not answer this request"
)

// Problem is a refusal or failure as RFC 9457 wants it, with the keys that older clients read beside them. As an error
// it ends a request with itself as the answer.
type Problem struct {
	Type       string `json:"type" doc:"urn:queuecommerce:problem: followed by the code" example:"urn:queuecommerce:problem:order_not_found"`
	Title      string `json:"title" example:"Not Found"`
	Status     int    `json:"status" example:"404"`
	Detail     string `json:"detail" doc:"for people" example:"there is no order 652f1c7a9b3d4e5f60718293"`
	Instance   string `json:"instance" doc:"path of the request" example:"/orders/652f1c7a9b3d4e5f60718293"`
	Code       string `json:"code" doc:"stable, for programs" example:"order_not_found"`
	StatusCode int    `json:"statusCode" doc:"as status, for older clients" example:"404"`
	ErrorTitle string `json:"error" doc:"as title, for older clients" example:"Not Found"`
	Message    any    `json:"message" doc:"one text or, for validation, an array of texts that name every bad field"`

	header map[string]string
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// NewProblem makes a problem with that HTTP status. The code is stable and for programs, the detail for people.
func NewProblem(status int, code, detail string) *Problem {
	title := http.StatusText(status)
	return &Problem{Type: problemURN + code, Title: title, Status: status, Detail: detail, Code: code,
		StatusCode: status, ErrorTitle: title, Message: detail}
}

// WithHeader adds a header to the answer, such as Retry-After.
func (p *Problem) WithHeader(name, value string) *Problem {
	if p.header == nil {
		p.header = make(map[string]string, 1)
	}
	p.header[name] = value
	return p
}

func (p *Problem) encode() []byte {
	body, err := json.Marshal(p)
	if err != nil { // texts and numbers only: can't happen
		return []byte(`{"status":500,"statusCode":500}`)
	}
	return body
}

// invalid is a 400 that names every bad field.
func invalid(complaints ...string) *Problem {
	if len(complaints) > maxComplaints {
		complaints = complaints[:maxComplaints]
	}
	p := NewProblem(http.StatusBadRequest, "validation_failed", strings.Join(complaints, "; "))
	p.Message = complaints
	return p
}

func badRequest(code, format string, args ...any) *Problem {
	return NewProblem(http.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

func notFound(code, format string, args ...any) *Problem {
	return NewProblem(http.StatusNotFound, code, fmt.Sprintf(format, args...))
}

func conflict(code, format string, args ...any) *Problem {
	return NewProblem(http.StatusConflict, code, fmt.Sprintf(format, args...))
}

func unavailable(code, detail string) *Problem {
	return NewProblem(http.StatusServiceUnavailable, code, detail).WithHeader("Retry-After", retryAfter)
}

// refused is an entity's refusal on its way to the client.
type refused struct{ *messages.Refusal }

func (r refused) Error() string { return r.GetCode() + ": " + r.GetDetail() }

func (r refused) is(kind domain.Kind) bool { return r.GetKind() == int32(kind) }

// problem is the one place where a refusal's kind becomes an HTTP status.
func (r refused) problem() *Problem {
	code := r.GetCode()
	if code == "" {
		code = "refused"
	}
	switch domain.Kind(r.GetKind()) {
	case domain.KindInvalid:
		p := NewProblem(http.StatusBadRequest, code, r.GetDetail())
		p.Message = []string{r.GetDetail()}
		return p
	case domain.KindNotFound:
		return NewProblem(http.StatusNotFound, code, r.GetDetail())
	case domain.KindConflict:
		return NewProblem(http.StatusConflict, code, r.GetDetail())
	case domain.KindDeclined:
		return NewProblem(http.StatusPaymentRequired, code, r.GetDetail())
	case domain.KindPrecondition:
		return NewProblem(http.StatusPreconditionFailed, code, r.GetDetail())
	case domain.KindUnavailable, kindRetry:
		return unavailable(code, r.GetDetail())
	}
	return NewProblem(http.StatusInternalServerError, "unknown_refusal", genericFailure)
}

// away is a failure to learn an entity's or a store's answer: the outcome of a write is unknown, so the client is told
// to send the same request again.
type away struct {
	what string
	err  error
}

func (a away) Error() string { return a.what + ": " + a.err.Error() }
func (a away) Unwrap() error { return a.err }

func (a away) problem() *Problem {
	return unavailable("temporarily_unavailable", "a dependency did not answer in time; send the same request again")
}
