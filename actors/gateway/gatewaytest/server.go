// Package gatewaytest is a stand-in for Stripe's API over HTTP, for tests of everything that can go wrong between a shop
// and its payment provider. It keeps intents, charges and refunds, remembers idempotency keys and checks their
// parameters as Stripe does, sends signed webhooks, and fails where and how a test asks for. It promises that its ledger
// is the truth: what Charges and Refunds list has happened, whatever the caller was told. Tests must not take it for
// complete: it knows what the gateway package calls, and Stripe's test payment methods, and answers 404 to the rest.
package gatewaytest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Config sets up a Server; the zero value accepts any secret key and sends no webhooks.
type Config struct {
	SecretKey     string // the only one accepted; empty: any
	WebhookSecret string
	// Deliver takes the webhooks, in order, one at a time; an error means "again". nil: they wait for DeliverTo.
	Deliver Deliver
	Now     func() time.Time // default time.Now
}

// Server is the stand-in. Safe for concurrent use.
type Server struct {
	URL string

	cfg    Config
	http   *httptest.Server
	gone   chan struct{} // closed by Close: calls that hang end
	events *outbox

	mu       sync.Mutex
	down     bool
	faults   map[Step][]Fault
	keys     map[string]*storedCall
	intents  map[string]*intent
	order    []*intent // by creation
	charges  []Charge
	refunds  []Refund
	requests []Request
	counter  int
}

// Request is one call that arrived.
type Request struct {
	Step     Step
	Method   string
	Path     string
	Key      string // Idempotency-Key
	Form     url.Values
	Header   http.Header
	Fault    Fault // that was applied; "" for none
	Status   int   // that was sent, or would have been; 0: the call was not executed
	Replayed bool  // answered from the stored result of an earlier call with the key
}

// NewServer starts a stand-in on a free port of the loopback interface.
func NewServer(cfg Config) *Server {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{
		cfg:     cfg,
		gone:    make(chan struct{}),
		faults:  make(map[Step][]Fault),
		keys:    make(map[string]*storedCall),
		intents: make(map[string]*intent),
	}
	s.events = newOutbox(cfg)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends every call that hangs, stops webhooks and waits.
func (s *Server) Close() {
	close(s.gone)
	s.http.CloseClientConnections()
	s.http.Close()
	s.events.close()
}

// Down makes every call fail as if the provider could not be reached: the connection is reset and nothing happens.
func (s *Server) Down() { s.setDown(true) }

// Up ends Down.
func (s *Server) Up() { s.setDown(false) }

func (s *Server) setDown(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.http.CloseClientConnections()
	}
}

// Requests lists the calls that arrived, also those that failed.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm() // also reads the body, without which a client that goes away is not noticed
	step, id := route(r)
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		hangUp(w)
		return
	}
	fault := s.takeFault(step)
	s.mu.Unlock()

	request := Request{Step: step, Method: r.Method, Path: r.URL.Path, Key: r.Header.Get("Idempotency-Key"), Form: r.Form,
		Header: r.Header.Clone(), Fault: fault}
	if s.failBefore(w, r, fault) {
		s.record(request)
		return
	}
	reply := s.answer(r, step, id, fault)
	request.Status, request.Replayed = reply.status, reply.replayed
	s.record(request)
	s.send(w, r, reply, fault)
}

func (s *Server) record(request Request) {
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.mu.Unlock()
}

func route(r *http.Request) (step Step, id string) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	parts := strings.Split(path, "/")
	post := r.Method == http.MethodPost
	switch {
	case path == "payment_intents" && post:
		return StepCreate, ""
	case path == "payment_intents":
		return StepList, ""
	case path == "payment_intents/search":
		return StepSearch, ""
	case path == "refunds" && post:
		return StepRefund, ""
	case path == "refunds":
		return StepListRefunds, ""
	case len(parts) == 2 && parts[0] == "payment_intents" && !post:
		return StepGet, parts[1]
	case len(parts) == 3 && parts[0] == "payment_intents" && post && parts[2] == "confirm":
		return StepConfirm, parts[1]
	case len(parts) == 3 && parts[0] == "payment_intents" && post && parts[2] == "cancel":
		return StepCancel, parts[1]
	}
	return "", ""
}

// reply is an answer; stored says that the call was executed, so that the idempotency layer keeps the answer.
type reply struct {
	status   int
	body     []byte
	stored   bool
	replayed bool
}

func (s *Server) answer(r *http.Request, step Step, id string, fault Fault) reply {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" || (s.cfg.SecretKey != "" && token != s.cfg.SecretKey) {
		return failed(http.StatusUnauthorized, apiError{Type: "invalid_request_error", Message: "Invalid API Key provided"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch step {
	case StepGet:
		in, ok := s.intents[id]
		if !ok {
			return noIntent(id)
		}
		return ok200(in.json())
	case StepList:
		return ok200(list(nil))
	case StepSearch:
		return s.search(r.Form.Get("query"))
	case StepListRefunds:
		return s.listRefunds(r.Form.Get("payment_intent"))
	case StepCreate, StepConfirm, StepCancel, StepRefund:
		return s.once(r, func() reply { return s.execute(r.PostForm, step, id, fault) }, fault)
	}
	return failed(http.StatusNotFound, apiError{Type: "invalid_request_error",
		Message: fmt.Sprintf("Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)})
}

func (s *Server) execute(form url.Values, step Step, id string, fault Fault) reply {
	switch step {
	case StepCreate:
		return s.create(form, fault)
	case StepConfirm:
		return s.confirm(id, form, fault)
	case StepCancel:
		return s.cancel(id)
	}
	return s.refund(form)
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, answer reply, fault Fault) {
	switch fault {
	case LoseAnswer:
		breakOff(w)
		return
	case HangAfter:
		s.hang(r)
		return
	case Garbage:
		answer.status, answer.body = http.StatusOK, answer.body[:len(answer.body)/2]
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_"+s.nextID())
	if answer.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

func (s *Server) nextID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newID()
}

// newID makes an id's tail. The mutex is held.
func (s *Server) newID() string {
	s.counter++
	return fmt.Sprintf("standin%012d", s.counter)
}

type apiError struct {
	Type          string `json:"type"`
	Code          string `json:"code,omitempty"`
	DeclineCode   string `json:"decline_code,omitempty"`
	Message       string `json:"message"`
	PaymentIntent any    `json:"payment_intent,omitempty"`
}

func failed(status int, e apiError) reply {
	return reply{status: status, body: encode(map[string]any{"error": e})}
}

func ok200(object any) reply { return reply{status: http.StatusOK, body: encode(object), stored: true} }

func encode(object any) []byte {
	body, err := json.Marshal(object)
	if err != nil {
		panic(err) // maps of texts and integers only
	}
	return body
}

func list(data []any) map[string]any {
	if data == nil {
		data = []any{}
	}
	return map[string]any{"object": "list", "data": data, "has_more": false, "url": "/v1"}
}

func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.gone:
	}
}

// hangUp resets the connection before an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// breakOff closes the connection inside an answer: unlike a connection that closes before it, Go's HTTP client never
// hides that by repeating the call itself.
func breakOff(w http.ResponseWriter) {
	conn, buffer, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	_ = buffer.Flush()
	_ = conn.Close()
}
