package main_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// TestEveryEventArrives kills the shop under load with a RabbitMQ beside it. Every event of the catalogue that the
// journal holds arrives at a subscriber, with the id and the content that the journal gives it, and, repeats aside, in
// order per aggregate.
func TestEveryEventArrives(t *testing.T) {
	const seed = 4
	var broker bridgetest.Broker
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	s := newShop(t, "AMQP_URL="+broker.URL(t))
	subscriber := subscribe(t, &broker)
	s.start()
	m := openMarket(t, s.url())
	stop := m.load(12, seed)
	s.crash(times(6, 2), rand.New(rand.NewPCG(seed, seed)))
	stop()
	m.settle()
	bridgetest.Eventually(t, time.Minute, func() bool { return s.metric("queuecommerce_relay_behind") == 0 },
		func() string { return "the relay is behind" })
	s.stop()
	s.wantCleanLog()
	want := s.catalogue(t)
	require.NotEmpty(t, want)
	bridgetest.Eventually(t, time.Minute, func() bool { return subscriber.distinct() >= len(want) },
		func() string { return fmt.Sprintf("%d of %d events have arrived", subscriber.distinct(), len(want)) })
	subscriber.compare(t, want)
	t.Logf("%d events, %d deliveries", len(want), subscriber.deliveries)
}

// metric is the value of a metric without labels; -1 while there is none.
func (s *shop) metric(name string) float64 {
	r, err := newClient(s.url()).do(context.Background(), "GET", "/metrics", "", "")
	if err != nil {
		return -1
	}
	for line := range bytes.Lines(r.body) {
		if value, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte(name+" ")); ok {
			if n, err := strconv.ParseFloat(string(value), 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// catalogue is every integration event that the journal holds, by id. Nothing may have the journal open.
func (s *shop) catalogue(t testing.TB) map[string]bridge.Message {
	t.Helper()
	store, err := sqlite.Open(t.Context(), s.dir, sqlite.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	orderIDs, all := map[storage.Stream]string{}, map[string]bridge.Message{}
	require.NoError(t, store.Scan(t.Context(), func(e storage.Entry) error {
		for i, event := range e.Events {
			if event.Type == (order.Placed{}).EventType() {
				placed, err := order.Codec.Decode(event.Type, event.Schema, event.Data)
				if err != nil {
					return err
				}
				orderIDs[e.Stream] = placed.(order.Placed).ID
			}
			message, public, err := bridge.Catalogue(bridge.Origin{Stream: e.Stream, Sequence: e.First + uint64(i), OrderID: orderIDs[e.Stream], Trace: e.Trace}, event)
			if err != nil {
				return err
			}
			if public {
				all[message.ID] = message
			}
		}
		return nil
	}))
	return all
}

// subscriber is bound to everything.
type subscriber struct {
	done sync.WaitGroup

	mu         sync.Mutex
	deliveries int
	first      []amqp.Delivery // first sight of each id, as they came
	bodies     map[string]string
	faults     []string
}

func subscribe(t testing.TB, broker *bridgetest.Broker) *subscriber {
	t.Helper()
	channel := broker.Channel(t)
	require.NoError(t, channel.ExchangeDeclare(bridge.EventsExchange, amqp.ExchangeTopic, true, false, false, false, nil))
	const queue = "test-everything"
	_, err := channel.QueueDeclare(queue, true, false, false, false, nil)
	require.NoError(t, err)
	t.Cleanup(func() { broker.Delete(t, queue) })
	require.NoError(t, channel.QueueBind(queue, "#", bridge.EventsExchange, false, nil))
	deliveries, err := channel.Consume(queue, "subscriber", true, true, false, false, nil)
	require.NoError(t, err)
	s := &subscriber{bodies: map[string]string{}}
	s.done.Go(func() {
		for d := range deliveries {
			s.take(d)
		}
	})
	t.Cleanup(func() { _ = channel.Cancel("subscriber", false); s.done.Wait() })
	return s
}

func (s *subscriber) take(d amqp.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries++
	body, seen := s.bodies[d.MessageId]
	if seen && body != string(d.Body) {
		s.faults = append(s.faults, fmt.Sprintf("%s came again as %s, was %s", d.MessageId, d.Body, body))
	}
	if !seen {
		s.bodies[d.MessageId] = string(d.Body)
		s.first = append(s.first, d)
	}
}

func (s *subscriber) distinct() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.first)
}

// compare wants exactly the events of the journal, in order per aggregate.
func (s *subscriber) compare(t testing.TB, want map[string]bridge.Message) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(t, s.faults)
	last := map[string]int64{}
	for _, d := range s.first {
		message, known := want[d.MessageId]
		require.True(t, known, "%s (%s) is not in the journal", d.MessageId, d.Type)
		require.Equal(t, message.Pattern, d.RoutingKey)
		require.Equal(t, string(message.Body), string(d.Body), d.MessageId)
		require.Equal(t, message.CorrelationID, d.CorrelationId, d.MessageId)
		aggregate, sequence := d.Headers["aggregate"].(string), d.Headers["sequence"].(int64)
		require.Equal(t, message.Aggregate, aggregate)
		require.Greater(t, sequence, last[aggregate], "%s overtook another", d.MessageId)
		last[aggregate] = sequence
	}
	for id, message := range want {
		require.Contains(t, s.bodies, id, "%s has not arrived", message.Pattern)
	}
}
