package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var (
	errRefused = errors.New("the broker refused a message")
	errSilent  = errors.New("no confirm in time")
)

// session is one connection's life: everything open goes again, in order, then what the supply brings.
type session struct {
	relay   *Relay
	conn    *connection
	channel *amqp.Channel
	closed  chan *amqp.Error
	blocks  chan amqp.Blocking
	headers amqp.Table // reused; the client has encoded it when a publish returns

	patient time.Time // confirms are awaited from here on at the earliest
	retry   <-chan time.Time
	wait    backoff // between attempts to read the journal
}

func (r *Relay) session(ctx context.Context) error {
	conn, err := dial(ctx, r.config.URL, "queuecommerce relay "+r.config.Writer, r.config.ConfirmTimeout)
	if err != nil {
		return err
	}
	defer conn.abort()
	if err := eventsTopology(r.config.Queues).declare(conn.Connection); err != nil {
		return err
	}
	channel, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	if err := channel.Confirm(false); err != nil {
		return fmt.Errorf("switch confirms on: %w", err)
	}
	s := &session{relay: r, conn: conn, channel: channel, headers: amqp.Table{},
		closed: channel.NotifyClose(make(chan *amqp.Error, 1)), blocks: conn.NotifyBlocked(make(chan amqp.Blocking, 8)),
		wait: backoff{min: 50 * time.Millisecond, max: r.config.MaxBackoff}}
	r.sessions.Add(1)
	r.connected.Store(true)
	r.note(nil)
	r.logger.InfoContext(ctx, "relay connected", "open", r.window.count, "behind", r.Behind())
	return s.run(ctx)
}

func (s *session) run(ctx context.Context) error {
	if err := s.again(); err != nil {
		return err
	}
	ticker := time.NewTicker(s.relay.config.ConfirmTimeout / 4)
	defer ticker.Stop()
	for {
		if err := s.send(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			if err := s.drain(); err != nil {
				return err
			}
			s.conn.close()
			return nil
		}
		if err := s.await(ctx, ticker.C); err != nil {
			return err
		}
	}
}

// again sends what was open when the last connection ended.
func (s *session) again() error {
	s.conn.wire.hold()
	for i := range s.relay.window.count {
		if err := s.publish(s.relay.window.at(i)); err != nil {
			return err
		}
	}
	return s.conn.wire.release()
}

// send fills the window.
func (s *session) send(ctx context.Context) error {
	r := s.relay
	s.conn.wire.hold()
	for !r.window.full() && !r.blocked.Load() && s.retry == nil && ctx.Err() == nil {
		o, ok := r.supply.next()
		if !ok {
			// Reading may take its time: nothing that is ready waits for it.
			if err := s.conn.wire.release(); err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			if more := s.read(ctx); !more {
				break
			}
			s.conn.wire.hold()
			continue
		}
		if err := s.publish(r.window.push(o)); err != nil {
			return err
		}
	}
	if err := s.conn.wire.release(); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// read asks the supply for more; false when there is nothing now.
func (s *session) read(ctx context.Context) bool {
	r := s.relay
	err := r.refill(ctx)
	if err != nil {
		if ctx.Err() == nil {
			r.note(err)
			r.logger.ErrorContext(ctx, "journal not readable for the relay, will be tried again", "err", err)
		}
		s.retry = time.After(s.wait.next())
	} else if s.wait.current != 0 {
		s.wait.reset()
		r.note(nil)
	}
	return len(r.supply.messages) > 0 || r.supply.covered != 0 && err == nil
}

// refill reads, and lets entries without messages count with what is open.
func (r *Relay) refill(ctx context.Context) error {
	err := r.supply.read(ctx)
	if n := r.supply.covered; n != 0 && !r.window.cover(r.supply.coveredBy, n) {
		r.marks.reach(r.supply.coveredBy, n)
	}
	return err
}

func (s *session) publish(o *slot) error {
	m := &o.message
	clear(s.headers)
	s.headers["aggregate"] = m.Aggregate
	s.headers["sequence"] = int64(m.Sequence)
	if m.Traceparent != "" {
		s.headers["traceparent"] = m.Traceparent
	}
	correlation := m.CorrelationID
	if len(correlation) > 255 {
		correlation = "" // AMQP has no room for it; the body has it
	}
	confirm, err := s.channel.PublishWithDeferredConfirm(EventsExchange, m.Pattern, false, false, amqp.Publishing{
		Headers: s.headers, ContentType: "application/json", DeliveryMode: amqp.Persistent, CorrelationId: correlation,
		MessageId: m.ID, Timestamp: m.At, Type: m.Pattern, AppId: "queuecommerce", Body: m.Body,
	})
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	o.confirm, o.sent = confirm, time.Now()
	s.relay.published.Add(1)
	return nil
}

// await waits until something has to be done, and settles what is confirmed.
func (s *session) await(ctx context.Context, tick <-chan time.Time) error {
	r := s.relay
	var oldest <-chan struct{}
	if r.window.count > 0 {
		oldest = r.window.at(0).confirm.Done()
	}
	var wake <-chan struct{}
	if !r.window.full() && !r.blocked.Load() && s.retry == nil {
		wake = r.tail.wake
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-oldest:
		return s.settle()
	case err := <-s.closed:
		return s.lost(err)
	case b := <-s.blocks:
		r.blocked.Store(b.Active)
		s.patient = time.Now()
		r.logger.WarnContext(ctx, "broker changed its mind about taking messages", "blocked", b.Active, "reason", b.Reason)
	case <-s.retry:
		s.retry = nil
	case <-tick:
		if r.window.count == 0 || r.blocked.Load() {
			return nil
		}
		since := r.window.at(0).sent
		if s.patient.After(since) {
			since = s.patient
		}
		if time.Since(since) > r.config.ConfirmTimeout {
			return errSilent
		}
	}
	return nil
}

func (s *session) settle() error {
	settled, refused := s.relay.window.settle(s.relay.marks.reach)
	s.relay.confirmed.Add(uint64(settled))
	if !refused {
		return nil
	}
	// The client also resolves open confirms as refused when the connection ends.
	select {
	case err := <-s.closed:
		return s.lost(err)
	default:
		return errRefused
	}
}

func (s *session) lost(err *amqp.Error) error {
	if err == nil {
		return amqp.ErrClosed
	}
	return fmt.Errorf("connection lost: %w", err)
}

// drain waits for open confirms before the relay stops, so that less has to be sent again by the next process.
func (s *session) drain() error {
	timeout := time.NewTimer(s.relay.config.DrainTimeout)
	defer timeout.Stop()
	for s.relay.window.count > 0 {
		select {
		case <-s.relay.window.at(0).confirm.Done():
			if err := s.settle(); err != nil {
				return err
			}
		case <-timeout.C:
			return errSilent
		}
	}
	return nil
}
