package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

func TestRelayPublishesEveryPropertyOfTheContract(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	relay, _ := s.run(s.config(), s.store)
	s.order(1)
	s.flush(relay, 5*time.Second)
	sub.heard(s.expected)

	patterns := []string{}
	for i, d := range sub.seen {
		patterns = append(patterns, d.RoutingKey)
		if d.Exchange != bridge.EventsExchange || d.Type != d.RoutingKey || d.ContentType != "application/json" ||
			d.DeliveryMode != amqp.Persistent || d.AppId != "queuecommerce" || d.CorrelationId != orderID(1) || !d.Timestamp.Equal(began.Std()) {
			t.Errorf("properties of %s: %+v", d.RoutingKey, d)
		}
		stream := "order/" + domain.OrderIdentity(orderID(1))
		if d.Headers["aggregate"] != stream || d.Headers["sequence"] != int64(i+1) || d.MessageId != fmt.Sprintf("%s|%d", stream, i+1) ||
			d.Headers["traceparent"] != "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" {
			t.Errorf("headers of %s: %v", d.RoutingKey, d.Headers)
		}
		if want := `{"pattern":"` + d.RoutingKey + `","data":{"orderId":"` + orderID(1) + `"`; !strings.HasPrefix(string(d.Body), want) {
			t.Errorf("body of %s: %s", d.RoutingKey, d.Body)
		}
	}
	want := []string{"order.created", "inventory.reservation.requested", "inventory.reserved", "payment.process.requested", "inventory.confirmed", "order.updated"}
	if !slices.Equal(patterns, want) {
		t.Errorf("patterns %v", patterns)
	}
}

func TestMarkFollowsEntriesThatLeaveNothing(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	relay, _ := s.run(s.config(), s.store)
	for n := range 300 {
		s.commit(storage.StreamOf("product", "mug"), uint64(n+1), nil, stored(product.Held{OrderID: orderID(n), Quantity: 1}))
	}
	s.order(1)
	s.commit(storage.StreamOf("product", "mug"), 301, nil, stored(product.Held{OrderID: orderID(1), Quantity: 1}))
	s.flush(relay, 5*time.Second)
	bridgetest.Eventually(t, 5*time.Second, func() bool { return s.relayed() == s.number },
		func() string { return fmt.Sprintf("mark %d of %d, %+v", s.relayed(), s.number, relay.Status()) })
}

func TestStepByHandCarriesTheOrderID(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	relay, _ := s.run(s.config(), s.store)
	s.order(1)
	s.commit(storage.StreamOf("order", domain.OrderIdentity(orderID(1))), 7, []bool{true}, stored(order.StatusChanged{Number: "ORD-X", Status: order.StatusShipped, At: began}))
	s.flush(relay, 5*time.Second)
	sub.heard(s.expected)
	shipped := sub.seen[6]
	if shipped.CorrelationId != orderID(1) || !strings.Contains(string(shipped.Body), `"orderId":"`+orderID(1)+`","orderNumber":"ORD-X","status":"shipped"`) {
		t.Errorf("shipped: %s %s", shipped.CorrelationId, shipped.Body)
	}
}

func TestAliasesAndQueuesOfOlderConsumers(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	for _, queue := range []string{bridge.InventoryQueue, bridge.PaymentsQueue} {
		t.Cleanup(func() { broker.Delete(t, queue) })
	}
	config := s.config()
	config.Aliases, config.Queues = true, true
	relay, _ := s.run(config, s.store)
	stream := storage.StreamOf("order", domain.OrderIdentity(orderID(1)))
	s.order(1)
	s.commit(stream, 7, []bool{true}, stored(order.ReservationFailed{OrderID: orderID(1), CustomerID: "cust-1", Reason: "insufficient stock", At: began}))
	s.expected = append(s.expected, fmt.Sprintf("%s|7|inventory.insufficient", stream))
	s.flush(relay, 5*time.Second)
	sub.heard(s.expected)

	channel := broker.Channel(t)
	for queue, want := range map[string]int{bridge.InventoryQueue: 7, bridge.PaymentsQueue: 1} {
		q, err := channel.QueueDeclare(queue, true, false, false, false, nil) // as an older consumer does
		if err != nil || q.Messages != want {
			t.Errorf("%s holds %d messages, err %v", queue, q.Messages, err)
		}
	}
}

func TestRelayGoesOnFromItsMark(t *testing.T) {
	store := memory.New()
	s := newShop(t, store, "member-1")
	sub := subscribe(t)
	// Twice a process that ends in order, then one that takes what the two left, and a backlog of a time without a relay.
	for run := range 3 {
		relay, stop := s.run(s.config(), store)
		ended := s.load(1000*run, time.Millisecond)
		bridgetest.Eventually(t, 5*time.Second, func() bool { return relay.Status().Confirmed > 200 }, func() string { return fmt.Sprintf("%+v", relay.Status()) })
		stop()
		ended()
	}
	relay, _ := s.run(s.config(), store)
	s.flush(relay, 10*time.Second)
	// A stop may fall between the two messages of one entry.
	if repeats := sub.heard(s.expected); repeats > 3 {
		t.Errorf("%d repeats after 3 stops in order", repeats)
	}
}

// forgetful loses every mark, as a process does that is killed before it wrote one.
type ledger = storage.Writers

type forgetful struct{ ledger }

func (forgetful) Advance(context.Context, string, storage.Mark, uint64) error {
	return errors.New("the store is away")
}

func TestCrashRepeatsTheSameMessages(t *testing.T) {
	store := memory.New()
	s := newShop(t, store, "member-1")
	sub := subscribe(t)
	relay, stop := s.run(s.config(), forgetful{store})
	for n := range 50 {
		s.order(n)
	}
	s.flush(relay, 5*time.Second)
	stop()
	relay, _ = s.run(s.config(), store)
	s.flush(relay, 5*time.Second)
	if repeats := sub.heard(s.expected); repeats != 300 {
		t.Errorf("%d repeats of 300", repeats)
	}
	for i, d := range sub.seen[:300] {
		if again := sub.seen[300+i]; string(again.Body) != string(d.Body) || again.MessageId != d.MessageId || !again.Timestamp.Equal(d.Timestamp) {
			t.Fatalf("repeat of %s differs: %s", d.MessageId, again.Body)
		}
	}
}

func TestTailOverflowFallsBackToTheJournal(t *testing.T) {
	for name, shrink := range map[string]func(*bridge.RelayConfig){
		"entries": func(c *bridge.RelayConfig) { c.TailEntries = 8 },
		"bytes":   func(c *bridge.RelayConfig) { c.TailBytes = 3000 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, memory.New(), "member-1")
			sub := subscribe(t)
			config := s.config()
			shrink(&config)
			relay := bridge.NewRelay(config, s.store, s.store, logger(t))
			s.attach(relay)
			for n := range 300 {
				s.order(n) // nobody relays yet
			}
			ended := s.load(300, 200*time.Microsecond) // and it goes on while the relay catches up
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { relay.Run(ctx) })
			defer running.Wait()
			defer cancel()
			bridgetest.Eventually(t, 10*time.Second, func() bool { return relay.Status().Confirmed > 2400 }, func() string { return fmt.Sprintf("%+v", relay.Status()) })
			ended()
			s.flush(relay, 10*time.Second)
			if repeats := sub.heard(s.expected); repeats != 0 {
				t.Errorf("%d repeats", repeats)
			}
		})
	}
}

func TestWhatGoneWritersLeftComesFirst(t *testing.T) {
	store := memory.New()
	sub := subscribe(t)
	older, newer, alive := newShop(t, store, "z-older"), newShop(t, store, "a-newer"), newShop(t, store, "m-alive")
	for n := range 100 {
		older.order(n)
	}
	newer.at = began.Add(time.Hour)
	for n := range 100 {
		newer.order(1000 + n)
	}
	alive.order(5000)
	s := newShop(t, store, "member-2")
	s.order(2000) // before its relay runs, with Last as its journal says
	config := s.config()
	config.Gone = func(writer string) bool { return writer != "m-alive" }
	relay, _ := s.run(config, store)
	s.order(2001)
	s.flush(relay, 10*time.Second)
	expected := slices.Concat(older.expected, newer.expected, s.expected)
	sub.heard(expected)
	bridgetest.Eventually(t, 5*time.Second, func() bool { return older.relayed() == older.number && newer.relayed() == newer.number },
		func() string { return fmt.Sprintf("marks %d, %d", older.relayed(), newer.relayed()) })
	if alive.relayed() != 0 {
		t.Errorf("the mark of a living writer was moved to %d", alive.relayed())
	}
	relay.Adopt("m-alive")
	bridgetest.Eventually(t, 5*time.Second, func() bool { return alive.relayed() == alive.number }, func() string { return fmt.Sprintf("mark %d", alive.relayed()) })
	s.order(2002)
	s.flush(relay, 5*time.Second)
	if repeats := sub.heard(slices.Concat(older.expected, newer.expected, s.expected[:12], alive.expected, s.expected[12:])); repeats != 0 {
		t.Errorf("%d repeats", repeats)
	}
}

func TestExchangeWithOtherArguments(t *testing.T) {
	channel := broker.Channel(t)
	if err := channel.ExchangeDelete(bridge.EventsExchange, false, false); err != nil {
		t.Fatal(err)
	}
	if err := channel.ExchangeDeclare(bridge.EventsExchange, "fanout", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	s := newShop(t, memory.New(), "member-1")
	relay, _ := s.run(s.config(), s.store)
	s.order(1)
	bridgetest.Eventually(t, 5*time.Second, func() bool { return errors.Is(relay.Status().Err, bridge.ErrTopology) },
		func() string { return fmt.Sprintf("%+v", relay.Status()) })
	if err := relay.Status().Err.Error(); !strings.Contains(err, bridge.EventsExchange) || !strings.Contains(err, "other arguments") {
		t.Errorf("the error does not say what is wrong: %s", err)
	}
	if err := channel.ExchangeDelete(bridge.EventsExchange, false, false); err != nil {
		t.Fatal(err)
	}
	sub := subscribe(t)
	s.flush(relay, 5*time.Second)
	s.order(2)
	s.flush(relay, 5*time.Second)
	ids, _ := sub.ids()
	if !slices.Contains(ids, s.expected[len(s.expected)-1]) {
		t.Errorf("nothing came after the exchange was mended: %v", ids)
	}
}

func TestRefusedMessagesGoAgain(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	channel := broker.Channel(t)
	if err := channel.ExchangeDeclare(bridge.EventsExchange, "topic", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	const small = "test.small"
	if _, err := channel.QueueDeclare(small, true, false, false, false, amqp.Table{"x-max-length": int32(20), "x-overflow": "reject-publish"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Delete(t, small) })
	if err := channel.QueueBind(small, "#", bridge.EventsExchange, false, nil); err != nil {
		t.Fatal(err)
	}
	relay, _ := s.run(s.config(), s.store)
	for n := range 20 {
		s.order(n)
	}
	sub := &subscriber{t: t, name: small}
	bridgetest.Eventually(t, 20*time.Second, func() bool {
		ids, _ := sub.ids()
		return len(ids) == len(s.expected)
	}, func() string { return fmt.Sprintf("%d of %d, %+v", len(sub.seen), len(s.expected), relay.Status()) })
	s.flush(relay, 5*time.Second)
	if relay.Status().Sessions < 2 {
		t.Errorf("nothing was refused: %+v", relay.Status())
	}
}
