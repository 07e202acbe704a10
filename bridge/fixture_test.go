package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

var broker bridgetest.Broker

func TestMain(m *testing.M) {
	code := m.Run()
	if err := broker.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

var began = domain.At(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))

func stored(event interface{ EventType() string }) storage.Event {
	data, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return storage.Event{Type: event.EventType(), Schema: domain.CurrentSchema, At: began.Std(), Data: data}
}

// shop plays a member's committer: it appends entries to a journal and hands them to a relay, in commit order.
type shop struct {
	t      testing.TB
	store  *memory.Store
	writer string
	at     domain.Time // when its events are decided

	mu       sync.Mutex
	relay    *bridge.Relay
	number   uint64
	expected []string // ids of the messages that have to come, in order
}

func newShop(t testing.TB, store *memory.Store, writer string) *shop {
	t.Helper()
	if _, err := store.Enlist(t.Context(), writer); err != nil {
		t.Fatal(err)
	}
	return &shop{t: t, store: store, writer: writer, at: began}
}

// last is what Enlist said before the process began.
func (s *shop) config() bridge.RelayConfig {
	return bridge.RelayConfig{URL: broker.URL(s.t), Writer: s.writer, Last: s.number, ConfirmTimeout: 2 * time.Second, MaxBackoff: 300 * time.Millisecond}
}

func (s *shop) attach(relay *bridge.Relay) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relay = relay
}

// commit appends one entry; public says which of its events make a message.
func (s *shop) commit(stream storage.Stream, first uint64, public []bool, events ...storage.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	for i := range events {
		events[i].At = s.at.Std()
	}
	e := storage.Entry{Stream: stream, First: first, Events: events, Writer: s.writer, Number: s.number, Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
	if err := s.store.Append(s.t.Context(), []storage.Entry{e})[0]; err != nil {
		s.t.Errorf("append: %v", err)
		return
	}
	for i, p := range public {
		if p {
			s.expected = append(s.expected, fmt.Sprintf("%s|%d", stream, first+uint64(i)))
		}
	}
	if s.relay != nil {
		s.relay.Committed([]storage.Entry{e})
	}
}

func orderID(n int) string { return fmt.Sprintf("68b1f2a0%016x", n) }

// order commits the life of a paid order in three entries, with a product's entries, that nobody hears of, in between.
func (s *shop) order(n int) {
	id := orderID(n)
	stream := storage.StreamOf("order", domain.OrderIdentity(id))
	lines := []order.Line{{ProductID: "p-1", ProductName: "Mug", Quantity: 2, UnitPrice: 1250}, {ProductID: "p-2", ProductName: "Spoon", Quantity: 1, UnitPrice: 300}}
	placed := order.Placed{ID: id, Number: domain.OrderNumber(id), Customer: order.Customer{CustomerID: "cust-1", Email: "ann@example.com"},
		Items: []order.Item{{ProductID: "p-1", ProductName: "Mug", Quantity: 2, UnitPrice: 1250, TotalPrice: 2500}}, Total: 3750, Currency: "usd", At: began}
	requested := order.ReservationRequested{OrderID: id, ReservationID: "RES", CustomerID: "cust-1", Lines: lines, TimeoutMinutes: 15, At: began}
	s.commit(stream, 1, []bool{true, true}, stored(placed), stored(requested))
	s.commit(storage.StreamOf("product", fmt.Sprintf("p-%d", n)), 1, nil, stored(product.Held{OrderID: id, Quantity: 2}))
	s.commit(stream, 3, []bool{true, true}, stored(order.Reserved{OrderID: id, ReservationID: "RES", CustomerID: "cust-1", Lines: lines, ExpiresAt: began, At: began}),
		stored(order.PaymentRequested{OrderID: id, CustomerID: "cust-1", Email: "ann@example.com", Amount: 3750, Currency: "usd", Lines: lines, At: began}))
	s.commit(stream, 5, []bool{true, true}, stored(order.ReservationConfirmed{OrderID: id, ReservationID: "RES", CustomerID: "cust-1", Lines: lines, At: began}),
		stored(order.Confirmed{Number: domain.OrderNumber(id), At: began}))
}

// load commits orders at a pace until stop; it returns when it has ended.
func (s *shop) load(from int, every time.Duration) (stop func() (orders int)) {
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan int)
	go func() {
		n := from
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				done <- n - from
				return
			case <-ticker.C:
				s.order(n)
				n++
			}
		}
	}()
	var once sync.Once
	orders := 0
	stop = func() int {
		once.Do(func() { cancel(); orders = <-done })
		return orders
	}
	s.t.Cleanup(func() { stop() })
	return stop
}

// run starts a relay for the shop; stop ends it as a process would in order.
func (s *shop) run(config bridge.RelayConfig, writers storage.Writers) (relay *bridge.Relay, stop func()) {
	s.t.Helper()
	relay = bridge.NewRelay(config, s.store, writers, logger(s.t))
	s.attach(relay)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			s.attach(nil)
			select {
			case err := <-done:
				if err != nil {
					s.t.Errorf("run: %v", err)
				}
			case <-time.After(15 * time.Second):
				s.t.Errorf("relay does not end: %+v", relay.Status())
			}
		})
	}
	s.t.Cleanup(stop)
	return relay, stop
}

func (s *shop) flush(relay *bridge.Relay, within time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	if err := relay.Flush(ctx); err != nil {
		s.t.Fatalf("%v; status %+v", err, relay.Status())
	}
}

func (s *shop) relayed() uint64 {
	s.t.Helper()
	marks, err := s.store.Writers(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range marks {
		if m.Writer == s.writer {
			return m.Relayed
		}
	}
	return 0
}

// subscriber is a durable queue that hears everything.
type subscriber struct {
	t    testing.TB
	name string
	seen []amqp.Delivery
}

func subscribe(t testing.TB) *subscriber {
	t.Helper()
	s := &subscriber{t: t, name: "test." + t.Name()}
	channel := broker.Channel(t)
	if err := channel.ExchangeDeclare(bridge.EventsExchange, "topic", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := channel.QueueDeclare(s.name, true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := channel.QueueBind(s.name, "#", bridge.EventsExchange, false, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Delete(t, s.name) })
	return s
}

// take takes what the queue holds now; false when it is empty.
func (s *subscriber) take(conn *amqp.Connection) bool {
	s.t.Helper()
	channel, err := conn.Channel()
	if err != nil {
		s.t.Fatal(err)
	}
	defer channel.Close() // gives back what was delivered beyond what is acknowledged
	q, err := channel.QueueDeclarePassive(s.name, true, false, false, false, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if q.Messages == 0 {
		return false
	}
	portion := min(q.Messages, 10_000) // a channel holds at most 65,535 that are not acknowledged
	if err := channel.Qos(portion, 0, false); err != nil {
		s.t.Fatal(err)
	}
	deliveries, err := channel.Consume(s.name, "", false, false, false, false, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var last amqp.Delivery
	for range portion {
		select {
		case last = <-deliveries:
			s.seen = append(s.seen, last)
		case <-time.After(20 * time.Second):
			s.t.Fatalf("%d messages were delivered, more should", len(s.seen))
		}
	}
	if err := last.Ack(true); err != nil {
		s.t.Fatal(err)
	}
	return true
}

// ids takes everything from the queue and returns what is seen for the first time, in order, and the count of repeats.
func (s *subscriber) ids() (ids []string, repeats int) {
	s.t.Helper()
	conn, err := amqp.Dial(broker.URL(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	for s.take(conn) {
	}
	known := map[string]bool{}
	for _, d := range s.seen {
		if known[d.MessageId] {
			repeats++
			continue
		}
		known[d.MessageId] = true
		ids = append(ids, d.MessageId)
	}
	return ids, repeats
}

// heard fails the test unless exactly the expected messages came, first-seen in commit order; it returns the repeats.
func (s *subscriber) heard(expected []string) (repeats int) {
	s.t.Helper()
	ids, repeats := s.ids()
	for i := range min(len(ids), len(expected)) {
		if ids[i] != expected[i] {
			s.t.Fatalf("message %d is %s, expected %s", i, ids[i], expected[i])
		}
	}
	if len(ids) != len(expected) {
		s.t.Fatalf("%d messages came, expected %d", len(ids), len(expected))
	}
	return repeats
}

// lines keeps what was logged.
type lines struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buffer.String()
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
