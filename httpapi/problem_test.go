package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/messages"
)

func TestRefusalsBecomeStatuses(t *testing.T) {
	for kind, status := range map[int32]int{1: 400, 2: 404, 3: 409, 4: 402, 5: 412, 6: 503, 7: 503} {
		b := newBench(t, nil)
		b.asker.answer = replies(refusal(kind, "some_code", "some detail"))
		a := b.send(t, "POST", "/orders/"+someID+"/cancel", "").want(t, status)
		p := a.problem(t)
		if p.Code != "some_code" || p.Detail != "some detail" || p.Instance != "/orders/"+someID+"/cancel" || p.messages()[0] != "some detail" {
			t.Errorf("kind %d: %s", kind, a.body)
		}
		if retry := a.Header.Get("Retry-After"); (status == 503) != (retry == "1") {
			t.Errorf("kind %d: Retry-After %q", kind, retry)
		}
	}
}

// Every refusal that the contract's tables name, through the route that they name it for.
func TestRefusalsOfTheContract(t *testing.T) {
	for _, c := range []struct {
		method, target, body string
		kind                 int32
		status               int
	}{
		{"POST", "/orders", goodOrder, 3, 409},
		{"GET", "/orders/" + someID, "", 2, 404},
		{"PATCH", "/orders/" + someID, `{"status":"shipped"}`, 3, 409},
		{"POST", "/orders/" + someID + "/cancel", "{}", 3, 409},
		{"DELETE", "/orders/" + someID, "", 3, 409},
		{"POST", "/products", goodProduct, 3, 409},
		{"GET", "/products/by-product-id/prod-1", "", 2, 404},
		{"GET", "/products/prod-1/available-quantity", "", 2, 404},
		{"POST", "/products/prod-1/stock-adjustments", `{"delta":-5,"reason":"lost"}`, 3, 409},
		{"GET", "/products/prod-1/stock-movements", "", 2, 404},
		{"GET", "/inventory/reservations/o1", "", 2, 404},
		{"POST", "/inventory/reservations/o1/release", `{"reason":"x"}`, 3, 409},
		{"POST", "/inventory/reservations/o1/confirm", "", 2, 404},
		{"POST", "/payments", goodPayment, 3, 409},
		{"GET", "/payments/pay_9b3d4e5f60718293", "", 2, 404},
		{"POST", "/payments/pay_9b3d4e5f60718293/confirm", `{"paymentMethodId":"pm_card_chargeDeclined"}`, 4, 402},
		{"POST", "/payments/pay_9b3d4e5f60718293/refund", `{"amount":5}`, 3, 409},
		{"POST", "/payments/pay_9b3d4e5f60718293/refund", "", 1, 400},
	} {
		b := newBench(t, nil)
		b.asker.answer = replies(refusal(c.kind, "no", "a rule said no"))
		b.send(t, c.method, c.target, c.body).want(t, c.status).problem(t)
	}
}

func TestUnknownOutcomeIs503(t *testing.T) {
	for _, err := range []error{errAway, context.DeadlineExceeded, fmt.Errorf("ask: %w", context.Canceled)} {
		b := newBench(t, nil)
		b.asker.answer = func(context.Context, string, string, *messages.Command) (*messages.Reply, error) { return nil, err }
		for _, c := range [][3]string{{"POST", "/orders", goodOrder}, {"POST", "/products", goodProduct}, {"POST", "/payments", goodPayment},
			{"GET", "/orders/" + someID, ""}, {"PATCH", "/products/" + someID, `{"price":1}`}, {"GET", "/products/prod-1/available-quantity", ""}} {
			a := b.send(t, c[0], c[1], c[2]).want(t, 503)
			if a.problem(t); a.Header.Get("Retry-After") != "1" {
				t.Errorf("%s %s: no Retry-After", c[0], c[1])
			}
			if strings.Contains(string(a.body), "refused") {
				t.Errorf("%s %s tells the cause: %s", c[0], c[1], a.body)
			}
		}
	}
}

func TestRouterRefusals(t *testing.T) {
	b := newBench(t, nil)
	for _, c := range []struct {
		method, target string
		status         int
		code           string
	}{
		{"GET", "/", 404, "route_not_found"},
		{"GET", "/nothing", 404, "route_not_found"},
		{"GET", "/Orders", 404, "route_not_found"},
		{"GET", "/api/v2/orders", 404, "route_not_found"},
		{"GET", "/api/v1", 404, "route_not_found"},
		{"GET", "/api/v1/api/v1/orders", 404, "route_not_found"},
		{"GET", "/api/v1/services/mail/orders", 404, "route_not_found"},
		{"PUT", "/orders", 405, "method_not_allowed"},
		{"DELETE", "/orders", 405, "method_not_allowed"},
		{"POST", "/orders/" + someID, 405, "method_not_allowed"},
		{"BREW", "/orders", 405, "method_not_allowed"},
		{"GET", "/orders?x=" + strings.Repeat("x", maxURI), 414, "uri_too_long"},
	} {
		p := b.send(t, c.method, c.target, "").want(t, c.status).problem(t)
		if p.Code != c.code {
			t.Errorf("%s %s: code %s, want %s", c.method, c.target, p.Code, c.code)
		}
	}
	if allow := b.send(t, "PUT", "/orders", "").Header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("Allow %q", allow)
	}
}

func TestServerRefusals(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.Body = 1000 })
	b.send(t, "POST", "/orders", strings.Repeat(" ", 1001)).want(t, 413).problem(t)
	b.sendRaw(t, "POST", "POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"+strings.Repeat("x", 2000)+"\r\n0\r\n\r\n").want(t, 413).problem(t)
	b.sendRaw(t, "GET", "GET /orders HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", 17<<10)+"\r\n\r\n").want(t, 431).problem(t)
	b.sendRaw(t, "GET", "GET /orders HTTP/1.1\r\nno header\r\n\r\n").want(t, 400).problem(t)
	b.sendRaw(t, "POST", "POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n").want(t, 400).problem(t)
	b.sendRaw(t, "GET", "GARBAGE\r\n\r\n").want(t, 400).problem(t)
}

func TestPanicIs500AndLogged(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = func(context.Context, string, string, *messages.Command) (*messages.Reply, error) { panic("nil map") }
	p := b.send(t, "GET", "/orders/"+someID, "").want(t, 500).problem(t)
	if p.Code != "internal" || strings.Contains(p.Detail, "nil map") {
		t.Errorf("problem %+v", p)
	}
	if !strings.Contains(b.log.String(), "nil map") || !strings.Contains(b.log.String(), "problem_test.go") {
		t.Errorf("the log does not tell the panic: %s", b.log)
	}
	b.asker.answer = replies(&messages.Reply{Document: []byte("{}")})
	b.send(t, "GET", "/orders/"+someID, "").want(t, 200)
}

type gate struct {
	err   error
	who   func(Visit) string
	visit *Visit
}

func (g gate) Admit(_ context.Context, v Visit) (string, error) {
	*g.visit = v
	if g.who != nil {
		return g.who(v), g.err
	}
	return "", g.err
}

func TestGuardDecidesFirst(t *testing.T) {
	var seen Visit
	no := NewProblem(http.StatusUnauthorized, "no_credentials", "credentials are missing").WithHeader("WWW-Authenticate", "Bearer")
	b := newBench(t, func(c *Config) { c.Guard = gate{err: no, visit: &seen} })
	a := b.send(t, "POST", "/orders", "{", "Authorization", "Bearer x").want(t, 401)
	if p := a.problem(t); p.Code != "no_credentials" || p.Instance != "/orders" || a.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("problem %+v, headers %v", p, a.Header)
	}
	if seen.Operation != "placeOrder" || seen.Scope != "orders:write" || seen.Remote != "203.0.113.7" {
		t.Errorf("visit %+v", seen)
	}
	if no.Instance != "" {
		t.Error("the guard's problem was changed")
	}
	b = newBench(t, func(c *Config) { c.Guard = gate{err: errors.New("key set is broken"), visit: &seen} })
	b.send(t, "GET", "/orders", "").want(t, 500).problem(t)
}

func TestOverloadIs503(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.InFlight = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	b.asker.answer = func(context.Context, string, string, *messages.Command) (*messages.Reply, error) {
		close(entered)
		<-leave
		return &messages.Reply{Document: []byte("{}")}, nil
	}
	first := make(chan answered, 1)
	go func() { first <- b.send(t, "GET", "/orders/"+someID, "") }()
	<-entered
	a := b.send(t, "GET", "/orders", "").want(t, 503)
	if p := a.problem(t); p.Code != "overloaded" || a.Header.Get("Retry-After") == "" {
		t.Errorf("problem %+v, headers %v", p, a.Header)
	}
	b.send(t, "GET", "/health/live", "").want(t, 200)
	close(leave)
	(<-first).want(t, 200)
	b.send(t, "GET", "/orders", "").want(t, 200)
}
