package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

// heard is a message as it came for the first time.
type heard struct {
	amqp.Delivery
	Pattern string
	Data    map[string]any
}

// subscriber has a durable queue that hears everything, also while nobody takes from it.
type subscriber struct {
	t       testing.TB
	broker  *bridgetest.Broker
	queue   string
	list    []heard
	bodies  map[string]string // by message id
	repeats int
}

func subscribe(t testing.TB, broker *bridgetest.Broker) *subscriber {
	t.Helper()
	s := &subscriber{t: t, broker: broker, queue: fmt.Sprintf("test-%d", serial.Add(1)), bodies: map[string]string{}}
	channel := broker.Channel(t)
	require.NoError(t, channel.ExchangeDeclare(bridge.EventsExchange, "topic", true, false, false, false, nil))
	_, err := channel.QueueDeclare(s.queue, true, false, false, false, nil)
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind(s.queue, "#", bridge.EventsExchange, false, nil))
	t.Cleanup(func() { broker.Delete(t, s.queue) })
	return s
}

// take takes all that the queue holds now. A repeat must be the same message, byte for byte.
func (s *subscriber) take() {
	s.t.Helper()
	conn, err := amqp.Dial(s.broker.URL(s.t))
	require.NoError(s.t, err)
	defer conn.Close() //nolint:errcheck // nothing is under way on it
	channel, err := conn.Channel()
	require.NoError(s.t, err)
	for {
		d, ok, err := channel.Get(s.queue, true)
		require.NoError(s.t, err)
		if !ok {
			return
		}
		if known, ok := s.bodies[d.MessageId]; ok {
			assert.Equal(s.t, known, string(d.Body), "a repeat of %s", d.MessageId)
			s.repeats++
			continue
		}
		var body struct {
			Pattern string         `json:"pattern"`
			Data    map[string]any `json:"data"`
		}
		require.NoError(s.t, json.Unmarshal(d.Body, &body))
		s.bodies[d.MessageId] = string(d.Body)
		s.list = append(s.list, heard{d, body.Pattern, body.Data})
	}
}

// forget drops all that came up to now.
func (s *subscriber) forget() {
	s.t.Helper()
	s.take()
	s.list, s.repeats = nil, 0
	clear(s.bodies)
}

// await waits until everything in the shop's journal has come, and checks that it came in the order in which it was
// committed and that nothing else did.
func (s *subscriber) await(c client) {
	s.t.Helper()
	eventually(s.t, func() string {
		if n := c.app.relay.Behind(); n > 0 {
			return fmt.Sprintf("the relay is %d entries behind: %+v", n, c.app.relay.Status())
		}
		return ""
	})
	s.take()
	expected := c.journal()
	for i := range min(len(expected), len(s.list)) {
		want, got := expected[i], s.list[i]
		require.Equal(s.t, want.ID, got.MessageId, "message %d is %s, not %s", i, got.Pattern, want.Pattern)
		require.JSONEq(s.t, string(want.Body), string(got.Body))
	}
	require.Equal(s.t, len(expected), len(s.list), "messages in the journal, and messages that came")
}

// of returns what came about one order, which names it in its data and its properties, in order.
func (s *subscriber) of(orderID string) (list []heard) {
	for _, h := range s.list {
		if h.CorrelationId == orderID {
			assert.Equal(s.t, orderID, h.Data["orderId"])
			list = append(list, h)
		}
	}
	return list
}

func patterns(list []heard) []string {
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = h.Pattern
	}
	return names
}

// hears waits until something about the order came under that name, and returns it.
func (s *subscriber) hears(orderID, pattern string) (found heard) {
	s.t.Helper()
	eventually(s.t, func() string {
		s.take()
		for _, h := range s.of(orderID) {
			if h.Pattern == pattern {
				found = h
				return ""
			}
		}
		return fmt.Sprintf("no %s of %s; there came %v", pattern, orderID, patterns(s.of(orderID)))
	})
	return found
}

// wantProperties checks what every message has.
func (h heard) wantProperties(t testing.TB) {
	t.Helper()
	assert.Equal(t, bridge.EventsExchange, h.Exchange)
	assert.Equal(t, h.Pattern, h.RoutingKey)
	assert.Equal(t, h.Pattern, h.Type)
	assert.Equal(t, "application/json", h.ContentType)
	assert.Equal(t, "queuecommerce", h.AppId)
	assert.EqualValues(t, amqp.Persistent, h.DeliveryMode)
	assert.WithinDuration(t, time.Now(), h.Timestamp, time.Hour)
	aggregate, _ := h.Headers["aggregate"].(string)
	assert.Contains(t, []string{"order", "payment", "product"}, strings.Split(aggregate, "/")[0])
	assert.IsType(t, int64(0), h.Headers["sequence"])
	assert.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`, h.Headers["traceparent"])
}

const theirTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// send sends a command as another system does.
func send(t testing.TB, broker *bridgetest.Broker, pattern string, body []byte) {
	t.Helper()
	channel := broker.Channel(t)
	require.NoError(t, channel.Confirm(false))
	sent, err := channel.PublishWithDeferredConfirm(bridge.CommandsExchange, pattern, true, false,
		amqp.Publishing{DeliveryMode: amqp.Persistent, ContentType: "application/json", Body: body, Headers: amqp.Table{"traceparent": theirTrace}})
	require.NoError(t, err)
	ok, err := sent.WaitContext(t.Context())
	require.NoError(t, err)
	require.True(t, ok, "the broker did not take the command")
}

func command(t testing.TB, pattern string, data object) []byte {
	t.Helper()
	body, err := json.Marshal(object{"pattern": pattern, "data": data})
	require.NoError(t, err)
	return body
}
