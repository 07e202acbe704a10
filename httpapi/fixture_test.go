package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

// asked is one command as the fake asker got it.
type asked struct {
	kind, identity string
	cmd            *messages.Command
}

// asker answers commands with a function and records them.
type asker struct {
	mu     sync.Mutex // guards log
	log    []asked
	answer func(ctx context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error)
}

func (a *asker) Ask(ctx context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
	a.mu.Lock()
	a.log = append(a.log, asked{kind, identity, cmd})
	a.mu.Unlock()
	return a.answer(ctx, kind, identity, cmd)
}

func (a *asker) all() []asked {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]asked{}, a.log...)
}

// only returns the one command that match accepts.
func (a *asker) only(t *testing.T, match func(asked) bool) asked {
	t.Helper()
	var found []asked
	for _, x := range a.all() {
		if match(x) {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d commands match, want 1; all: %v", len(found), a.all())
	}
	return found[0]
}

func replies(reply *messages.Reply) func(context.Context, string, string, *messages.Command) (*messages.Reply, error) {
	return func(context.Context, string, string, *messages.Command) (*messages.Reply, error) { return reply, nil }
}

func refusal(kind int32, code, detail string) *messages.Reply {
	return &messages.Reply{Refusal: &messages.Refusal{Kind: kind, Code: code, Detail: detail}}
}

// views is a fake of the read models: documents in the order of the answer.
type views struct {
	documents []storage.Document
	total     int64
	err       error
	filters   []storage.Filter
	skips     []int
	texts     []string
}

func (v *views) Get(_ context.Context, c storage.Collection, id string) (storage.Document, error) {
	for _, d := range v.documents {
		if d.Collection == c && d.ID == id {
			return d, v.err
		}
	}
	return storage.Document{}, storage.ErrNotFound
}

func (v *views) List(_ context.Context, f storage.Filter, after storage.Position, skip, limit int) ([]storage.Document, error) {
	v.filters, v.skips = append(v.filters, f), append(v.skips, skip)
	rest := v.documents
	for after.ID != "" && len(rest) > 0 {
		passed := rest[0].ID == after.ID && rest[0].Created.Equal(after.Created)
		if rest = rest[1:]; passed {
			break
		}
	}
	rest = rest[min(skip, len(rest)):]
	return rest[:min(limit, len(rest))], v.err
}

func (v *views) Count(_ context.Context, f storage.Filter) (int64, error) {
	v.filters = append(v.filters, f)
	return v.total, v.err
}

func (v *views) Search(_ context.Context, text string, limit int) ([]storage.Document, error) {
	v.texts = append(v.texts, text)
	return v.documents[:min(limit, len(v.documents))], v.err
}

// ledger is a fake of the journal.
type ledger struct {
	mu      sync.Mutex // guards entries
	entries map[storage.Stream][]storage.Entry
	err     error
}

func (l *ledger) append(stream storage.Stream, events ...storage.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := uint64(1)
	if all := l.entries[stream]; len(all) > 0 {
		first = all[len(all)-1].Last() + 1
	}
	l.entries[stream] = append(l.entries[stream], storage.Entry{Stream: stream, First: first, Events: events})
}

func (l *ledger) Read(_ context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []storage.Entry
	for _, e := range l.entries[stream] {
		if e.Last() > after && (limit == 0 || len(found) < limit) {
			found = append(found, e)
		}
	}
	return found, l.err
}

func (l *ledger) ReadBack(_ context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []storage.Entry
	all := l.entries[stream]
	for i := len(all) - 1; i >= 0; i-- {
		if (before == 0 || all[i].First < before) && (limit == 0 || len(found) < limit) {
			found = append(found, all[i])
		}
	}
	return found, l.err
}

// dice is reproducible randomness that may be shared.
type dice struct {
	mu     sync.Mutex // guards source
	source *rand.ChaCha8
}

func newDice() *dice { return &dice{source: rand.NewChaCha8([32]byte{1})} }

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Read(b)
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 500_000_000, time.UTC)

// bench is a front end over fakes.
type bench struct {
	*Server
	asker *asker
	views *views
	past  *ledger
	log   *bytes.Buffer
}

func newBench(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	b := &bench{asker: &asker{answer: replies(&messages.Reply{Version: 1, Document: []byte(`{}`)})}, views: &views{},
		past: &ledger{entries: map[storage.Stream][]storage.Entry{}}, log: &bytes.Buffer{}}
	config := Config{Asker: b.asker, Lists: b.views, History: b.past, Secret: testSecret, WebhookSecret: webhookSecret,
		Clock: func() time.Time { return noon }, Random: newDice(), Version: "1.2.3", AsyncAPI: []byte(`{"asyncapi":"3.0.0"}`),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
		Logger:  slog.New(slog.NewJSONHandler(&guarded{to: b.log}, &slog.HandlerOptions{Level: slog.LevelDebug})), Limits: Limits{Deadline: 5 * time.Second}}
	if change != nil {
		change(&config)
	}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.Server = server
	return b
}

// guarded makes a buffer safe for several writers.
type guarded struct {
	mu sync.Mutex // guards to
	to *bytes.Buffer
}

func (g *guarded) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to.Write(b)
}

// answered is an HTTP answer, read.
type answered struct {
	*http.Response
	body []byte
}

// send sends a request; headers come in pairs of name and value.
func (b *bench) send(t testing.TB, method, target, body string, headers ...string) answered {
	t.Helper()
	var raw strings.Builder
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: shop.test\r\nContent-Length: %d\r\n", method, target, len(body))
	if body != "" && !slices.Contains(headers, "Content-Type") {
		raw.WriteString("Content-Type: application/json\r\n")
	}
	for i := 0; i < len(headers); i += 2 {
		fmt.Fprintf(&raw, "%s: %s\r\n", headers[i], headers[i+1])
	}
	raw.WriteString("\r\n" + body)
	return b.sendRaw(t, method, raw.String())
}

// sendRaw sends bytes as they are and reads the first answer.
func (b *bench) sendRaw(t testing.TB, method, raw string) answered {
	t.Helper()
	c := &wire{in: strings.NewReader(raw)}
	_ = b.app.Server().ServeConn(c) // the error that it ends with is in the answer too
	response, err := http.ReadResponse(bufio.NewReader(&c.out), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v: %q", raw[:min(len(raw), 200)], err, c.out.String())
	}
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response, read}
}

// wire is a connection to a client that has said all and listens.
type wire struct {
	in  *strings.Reader
	out bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error)       { return w.in.Read(b) }
func (w *wire) Write(b []byte) (int, error)      { return w.out.Write(b) }
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (w *wire) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7)} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

func (a answered) want(t testing.TB, status int) answered {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.body)
	}
	return a
}

// problem reads the answer as a problem and checks its shape.
func (a answered) problem(t testing.TB) Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != problemType {
		t.Fatalf("content type %q, want %q: %s", got, problemType, a.body)
	}
	var p Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	title := http.StatusText(a.StatusCode)
	if p.Status != a.StatusCode || p.StatusCode != a.StatusCode || p.Title != title || p.ErrorTitle != title ||
		p.Type != problemURN+p.Code || p.Code == "" || p.Detail == "" || p.Instance == "" || p.Message == nil {
		t.Fatalf("incomplete problem: %s", a.body)
	}
	return p
}

func (a answered) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(a.body, &object); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return object
}

// messages are the texts of a problem's message.
func (p Problem) messages() []string {
	switch m := p.Message.(type) {
	case string:
		return []string{m}
	case []any:
		var texts []string
		for _, text := range m {
			texts = append(texts, text.(string))
		}
		return texts
	}
	return nil
}

var errAway = errors.New("connection refused")

const goodOrder = `{"customer":{"customerId":"cust-1","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace","phone":"+15551234567"},
 "items":[{"productId":"prod-1","productName":"Keyboard","quantity":2,"unitPrice":500}],
 "shippingAddress":{"street":"12 Analytical Row","city":"London","state":"LDN","postalCode":"SW1A 1AA","country":"GB"},
 "paymentMethod":"pm_card_visa","currency":"usd","notes":"ring twice"}`

const goodProduct = `{"productId":"prod-1","name":"Keyboard","description":"Tenkeyless keyboard","category":"peripherals","price":500,
 "currency":"usd","stockQuantity":10,"lowStockThreshold":0,"sku":"KB-1","weight":0.9,"dimensions":"36x14x3","isActive":true}`

const goodPayment = `{"orderId":"erp-77","customerId":"cust-1","customerEmail":"ada@example.com","amount":2100,"currency":"usd",
 "orderItems":[{"productId":"prod-1","productName":"Keyboard","quantity":2,"unitPrice":500}]}`

const someID = "652f1c7a9b3d4e5f60718293"
