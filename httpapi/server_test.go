package httpapi

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/queuecommerce/queuecommerce/messages"
)

func up(context.Context) error { return nil }

func down(context.Context) error { return errAway }

func stuck(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name             string
		storage, broker  func(context.Context) error
		status, notReady string
	}{
		{"all up", up, up, "healthy", ""},
		{"broker away", up, down, "degraded", ""},
		{"storage away", down, up, "degraded", "storage"},
		{"storage stuck", stuck, up, "degraded", "storage"},
	} {
		b := newBench(t, func(config *Config) {
			config.Limits.Probe = 20 * time.Millisecond
			config.Checks = []Check{{Name: "storage", Probe: c.storage, Vital: true}, {Name: "broker", Probe: c.broker}}
		})
		var h Health
		a := b.send(t, "GET", "/health", "").want(t, 200)
		if err := json.Unmarshal(a.body, &h); err != nil || h.Status != c.status || h.Version != "1.2.3" || len(h.Checks) != 2 || h.Timestamp == 0 {
			t.Errorf("%s: %v %s", c.name, err, a.body)
		}
		if strings.Contains(string(a.body), "connection refused") {
			t.Errorf("%s: tells the cause: %s", c.name, a.body)
		}
		b.send(t, "GET", "/health/live", "").want(t, 200)
		if c.notReady == "" {
			b.send(t, "GET", "/health/ready", "").want(t, 200)
			continue
		}
		if p := b.send(t, "GET", "/health/ready", "").want(t, 503).problem(t); p.Detail != "down: "+c.notReady {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
}

func TestDraining(t *testing.T) {
	b := newBench(t, nil)
	b.send(t, "GET", "/health/ready", "").want(t, 200)
	b.Drain()
	b.send(t, "GET", "/health/ready", "").want(t, 503).problem(t)
	b.send(t, "GET", "/health/live", "").want(t, 200)
	b.send(t, "GET", "/orders", "").want(t, 200)
}

// A request that is in flight when Shutdown begins is answered; the connection is closed after it.
func TestShutdownAnswersWhatIsInFlight(t *testing.T) {
	b := newBench(t, nil)
	entered, leave := make(chan struct{}), make(chan struct{})
	b.asker.answer = func(context.Context, string, string, *messages.Command) (*messages.Reply, error) {
		close(entered)
		<-leave
		return &messages.Reply{Version: 1, Document: []byte(`{"done":true}`)}, nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(listener) }()
	answers := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String() + "/orders/" + someID)
		if err != nil {
			answers <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answers <- response.Status + " " + string(body)
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- b.Shutdown(ctx) }()
	eventually(t, "the listener is still open", func() bool {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(leave)
	if got := <-answers; got != `200 OK {"done":true}` {
		t.Errorf("answer %q", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestShutdownThatRunsOutOfTimeGivesUpRequests(t *testing.T) {
	b := newBench(t, nil)
	entered := make(chan struct{})
	b.asker.answer = func(ctx context.Context, _, _ string, _ *messages.Command) (*messages.Reply, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.Serve(listener) }()
	statuses := make(chan int, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String() + "/orders/" + someID)
		if err != nil {
			statuses <- 0
			return
		}
		_ = response.Body.Close()
		statuses <- response.StatusCode
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := b.Shutdown(ctx); err == nil {
		t.Error("shutdown claims that all was answered")
	}
	if status := <-statuses; status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", status)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestTraceAndRequestID(t *testing.T) {
	b := newBench(t, nil)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	a := b.send(t, "GET", "/orders/"+someID, "", "traceparent", parent, "X-Request-Id", "req-7")
	trace := a.Header.Get("traceparent")
	if a.Header.Get("X-Request-Id") != "req-7" || trace[:36] != parent[:36] || trace == parent || trace[52:] != "-01" {
		t.Errorf("headers %v", a.Header)
	}
	if got := b.asker.all()[0].cmd; got.GetTraceparent() != trace || got.GetCause() != "GET /orders/{id}" {
		t.Errorf("command %v", got)
	}
	valid := regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	seen := map[string]bool{}
	for _, bad := range []string{"", "00-0", strings.ToUpper(parent), "ff" + parent[2:], parent + "-x", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"} {
		a := b.send(t, "GET", "/nothing", "", "traceparent", bad, "X-Request-Id", "a b")
		trace, id := a.Header.Get("traceparent"), a.Header.Get("X-Request-Id")
		if !valid.MatchString(trace) || strings.Contains(trace, "4bf92f") || seen[trace] || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(id) {
			t.Errorf("traceparent %q gives %q and request id %q", bad, trace, id)
		}
		seen[trace] = true
	}
	if later := b.send(t, "GET", "/orders", "", "traceparent", "cc"+parent[2:]+"-what").Header.Get("traceparent"); later[:36] != parent[:36] {
		t.Errorf("a later version of the header gives %q", later)
	}
}

func TestAccessLogHasNoPersonalData(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = permissive
	b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "secret-key", "Authorization", "Bearer secret-token").want(t, 201)
	b.send(t, "POST", "/orders", strings.Replace(goodOrder, "pm_card_visa", "", 1)).want(t, 400)
	b.send(t, "GET", "/payments/customer/cust-1?email=ada@example.com", "").want(t, 200)
	b.send(t, "GET", "/nothing/ada@example.com", "").want(t, 404)
	b.send(t, "SECRET-TOKEN", "/orders", "").want(t, 405)
	b.asker.answer = func(context.Context, string, string, *messages.Command) (*messages.Reply, error) { return nil, errAway }
	b.send(t, "POST", "/orders", goodOrder).want(t, 503)
	log := b.log.String()
	for _, personal := range []string{"cust-1", "ada@", "Ada", "Lovelace", "Analytical", "155512", "secret-key", "ecret-token", "SECRET", "pm_card", "ring twice", "203.0.113.7"} {
		if strings.Contains(log, personal) {
			t.Errorf("the log holds %q:\n%s", personal, log)
		}
	}
	if n := strings.Count(log, `"msg":"request answered"`); n != 6 {
		t.Errorf("%d lines for 6 requests:\n%s", n, log)
	}
	for _, wanted := range []string{`"operation":"placeOrder"`, `"status":201`, `"operation":"listPaymentsOfCustomer"`, `"method":"other"`, `"msg":"request failed"`} {
		if !strings.Contains(log, wanted) {
			t.Errorf("the log lacks %s:\n%s", wanted, log)
		}
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	b := newBench(t, func(c *Config) {
		c.Register, c.Metrics = registry, promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	})
	b.send(t, "GET", "/orders", "").want(t, 200)
	b.send(t, "GET", "/nothing/ada", "").want(t, 404)
	a := b.send(t, "GET", "/metrics", "").want(t, 200)
	for _, line := range []string{`http_request_duration_seconds_count{operation="listOrders",status="200"} 1`, `http_request_duration_seconds_count{operation="",status="404"} 1`} {
		if !strings.Contains(string(a.body), line) {
			t.Errorf("no %s in\n%s", line, a.body)
		}
	}
	if _, err := New(Config{Asker: b.asker, Lists: b.views, History: b.past, Secret: testSecret, Clock: time.Now, Random: newDice(), Logger: b.config.Logger, Register: registry}); err == nil {
		t.Error("a second registration of the metrics went unnoticed")
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	b := newBench(t, nil)
	for _, target := range []string{"/orders/" + someID, "/orders", "/health/live", "/openapi.json", "/docs"} {
		get, head := b.send(t, "GET", target, "").want(t, 200), b.send(t, "HEAD", target, "").want(t, 200)
		if len(head.body) != 0 || head.Header.Get("ETag") != get.Header.Get("ETag") || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
			t.Errorf("%s: HEAD answers %v, GET %v", target, head.Header, get.Header)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := newBench(t, nil).config
	for name, spoil := range map[string]func(*Config){
		"asker": func(c *Config) { c.Asker = nil }, "lists": func(c *Config) { c.Lists = nil }, "history": func(c *Config) { c.History = nil },
		"secret": func(c *Config) { c.Secret = []byte("short") }, "clock": func(c *Config) { c.Clock = nil }, "random": func(c *Config) { c.Random = nil },
		"logger": func(c *Config) { c.Logger = nil },
	} {
		config := good
		spoil(&config)
		if _, err := New(config); err == nil {
			t.Errorf("accepted without %s", name)
		}
	}
}

// eventually waits for a condition, and says what it is that has not happened.
func eventually(t *testing.T, otherwise string, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for tick := time.NewTicker(time.Millisecond); !condition(); {
		select {
		case <-deadline:
			t.Fatal(otherwise)
		case <-tick.C:
		}
	}
}
