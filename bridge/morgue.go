package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Headers that a parked message has beside its own.
const (
	ReasonHeader = "reason"         // why it can't be carried out
	QueueHeader  = "original-queue" // where it came from
)

// morgue publishes dead letters, one after another: they are rare.
type morgue struct {
	mu       sync.Mutex
	channel  *amqp.Channel
	returned chan amqp.Return
}

func newMorgue(conn *connection) (*morgue, error) {
	channel, err := conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("open channel: %w", err)
	}
	if err := channel.Confirm(false); err != nil {
		return nil, fmt.Errorf("switch confirms on: %w", err)
	}
	return &morgue{channel: channel, returned: channel.NotifyReturn(make(chan amqp.Return, 1))}, nil
}

// park returns nil when the dead-letter queue durably has the message. The body and all properties stay as they were.
func (m *morgue) park(ctx context.Context, d amqp.Delivery, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	headers := amqp.Table{}
	for key, value := range d.Headers {
		headers[key] = value
	}
	headers[ReasonHeader] = reason
	headers[QueueHeader] = CommandsQueue
	confirm, err := m.channel.PublishWithDeferredConfirm("", DeadQueue, true, false, amqp.Publishing{
		Headers: headers, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, DeliveryMode: amqp.Persistent,
		CorrelationId: d.CorrelationId, ReplyTo: d.ReplyTo, MessageId: d.MessageId, Timestamp: d.Timestamp, Type: d.Type,
		AppId: d.AppId, Body: d.Body,
	})
	if err != nil {
		return fmt.Errorf("publish to %s: %w", DeadQueue, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	acked, err := confirm.WaitContext(ctx)
	if err != nil {
		return fmt.Errorf("confirm of %s: %w", DeadQueue, err)
	}
	// A message that no queue took is confirmed too; the broker returns it first.
	select {
	case <-m.returned:
		return fmt.Errorf("publish to %s: no such queue", DeadQueue)
	default:
	}
	if !acked {
		return errors.New("the broker refused the dead letter")
	}
	return nil
}
