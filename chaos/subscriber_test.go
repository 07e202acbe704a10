package chaos

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/storage"
)

// subscriber has a durable queue that hears everything. Nobody takes from it before the end of a run.
type subscriber struct {
	url        string
	queue      string
	deliveries int
	first      []amqp.Delivery // first sight of each id, as they came
	bodies     map[string]string
	faults     []string
}

func subscribe(t testing.TB) *subscriber {
	t.Helper()
	s := &subscriber{url: services.broker.URL(t), queue: fmt.Sprintf("chaos-%d", time.Now().UnixNano()), bodies: map[string]string{}}
	conn, err := amqp.Dial(s.url)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // nothing is under way on it
	channel, err := conn.Channel()
	require.NoError(t, err)
	require.NoError(t, channel.ExchangeDeclare(bridge.EventsExchange, amqp.ExchangeTopic, true, false, false, false, nil))
	_, err = channel.QueueDeclare(s.queue, true, false, false, false, nil)
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind(s.queue, "#", bridge.EventsExchange, false, nil))
	t.Cleanup(func() { services.broker.Delete(t, s.queue) })
	return s
}

// take takes what the queue holds now.
func (s *subscriber) take() error {
	conn, err := amqp.Dial(s.url)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // whatever was taken is taken
	channel, err := conn.Channel()
	if err != nil {
		return err
	}
	queue, err := channel.QueueDeclarePassive(s.queue, true, false, false, false, nil)
	if err != nil {
		return err
	}
	deliveries, err := channel.Consume(s.queue, "", false, true, false, false, nil)
	if err != nil {
		return err
	}
	for n := 1; n <= queue.Messages; n++ {
		select {
		case d, open := <-deliveries:
			if !open {
				return amqp.ErrClosed
			}
			s.hear(d)
			if n == queue.Messages { // what came meanwhile goes back, and comes next time
				if err := d.Ack(true); err != nil {
					return err
				}
			}
		case <-time.After(10 * time.Second):
			return fmt.Errorf("the queue has %d messages and gave %d", queue.Messages, n-1)
		}
	}
	return channel.Close()
}

func (s *subscriber) hear(d amqp.Delivery) {
	s.deliveries++
	body, seen := s.bodies[d.MessageId]
	switch {
	case !seen:
		s.bodies[d.MessageId] = string(d.Body)
		s.first = append(s.first, d)
	case body != string(d.Body):
		s.faults = append(s.faults, fmt.Sprintf("%s came again as %s, was %s", d.MessageId, d.Body, body))
	}
}

// recorded is an integration event as the journal has it.
type recorded struct {
	bridge.Message
	writer string
	number uint64
}

// scan visits every entry of the journal.
func (w *world) scan(ctx context.Context, visit func(storage.Entry) error) error {
	store, err := w.store(ctx)
	if err != nil {
		return err
	}
	return errors.Join(store.Scan(ctx, visit), store.Close())
}

// journal is every integration event that the journal holds, by id.
func (w *world) journal(ctx context.Context) (map[string]recorded, error) {
	orderIDs, all := map[storage.Stream]string{}, map[string]recorded{}
	err := w.scan(ctx, func(e storage.Entry) error {
		for i, event := range e.Events {
			if event.Type == (order.Placed{}).EventType() {
				placed, err := order.Codec.Decode(event.Type, event.Schema, event.Data)
				if err != nil {
					return err
				}
				orderIDs[e.Stream] = placed.(order.Placed).ID
			}
			origin := bridge.Origin{Stream: e.Stream, Sequence: e.First + uint64(i), OrderID: orderIDs[e.Stream], Trace: e.Trace}
			message, public, err := bridge.Catalogue(origin, event)
			if err != nil {
				return err
			}
			if public {
				all[message.ID] = recorded{message, e.Writer, e.Number}
			}
		}
		return nil
	})
	return all, err
}

// checkEvents waits until the subscriber has heard what the journal holds, and holds one against the other.
func (w *world) checkEvents(ctx context.Context, patience time.Duration) (violations []violation) {
	s := w.hears
	var want map[string]recorded
	var err error
	missing := 0
	example := ""
	complete := within(patience, func() bool {
		if err = s.take(); err != nil {
			return false
		}
		if want, err = w.journal(ctx); err != nil {
			return false
		}
		missing = 0
		for id, m := range want {
			if _, heard := s.bodies[id]; !heard {
				missing++
				example = fmt.Sprintf("%s %s of %v, entry %d of writer %s", m.Pattern, id, m.At.UTC().Format(time.RFC3339Nano), m.number, m.writer)
			}
		}
		return missing == 0
	})
	if !complete {
		violations = append(violations, violation{ruleEvents, fmt.Sprintf("%d of %d events not heard within %v, such as %s (%v)", missing, len(want), patience, example, err)})
	}
	return append(violations, s.compare(want)...)
}

// compare wants what was heard to be in the journal, as it is there, and in order per aggregate.
func (s *subscriber) compare(want map[string]recorded) (violations []violation) {
	wrong := func(format string, args ...any) {
		violations = append(violations, violation{ruleEvents, fmt.Sprintf(format, args...)})
	}
	for _, fault := range s.faults {
		wrong("%s", fault)
	}
	last := map[string]int64{}
	for _, d := range s.first {
		message, known := want[d.MessageId]
		aggregate, _ := d.Headers["aggregate"].(string)
		sequence, _ := d.Headers["sequence"].(int64)
		switch {
		case !known:
			wrong("%s %s is not in the journal: %s", d.Type, d.MessageId, d.Body)
		case string(message.Body) != string(d.Body) || message.Pattern != d.RoutingKey || message.Aggregate != aggregate ||
			message.CorrelationID != d.CorrelationId:
			wrong("%s %s came as %s, the journal has %s", d.RoutingKey, d.MessageId, d.Body, message.Body)
		case sequence <= last[aggregate]:
			wrong("%s %s of %s with sequence %d came after %d", d.Type, d.MessageId, aggregate, sequence, last[aggregate])
		}
		last[aggregate] = max(last[aggregate], sequence)
	}
	return violations
}
