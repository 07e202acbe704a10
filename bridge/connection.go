package bridge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	handshakeTimeout = 10 * time.Second
	heartbeat        = 10 * time.Second
)

// connection is one AMQP connection that can gather writes. It never reconnects by itself: what has to be sent again,
// and in which order, only its user knows.
type connection struct {
	*amqp.Connection
	wire *wire
}

// dial connects and shakes hands. name is shown in the broker's list of connections; a write that the broker does not
// take within writeTimeout ends the connection.
func dial(ctx context.Context, address, name string, writeTimeout time.Duration) (*connection, error) {
	if _, err := amqp.ParseURI(address); err != nil {
		return nil, fmt.Errorf("broker address: %w", withoutAddress(err))
	}
	c := &connection{}
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	var stop func() bool
	conn, err := amqp.DialConfig(address, amqp.Config{
		Heartbeat:  heartbeat,
		Properties: properties,
		Dial: func(network, host string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: handshakeTimeout}
			raw, err := dialer.DialContext(ctx, network, host)
			if err != nil {
				return nil, err
			}
			if err := raw.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
				raw.Close()
				return nil, err
			}
			stop = context.AfterFunc(ctx, func() { raw.Close() })
			c.wire = newWire(raw, writeTimeout)
			return c.wire, nil
		},
	})
	if stop != nil {
		stop()
	}
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	c.Connection = conn
	return c, nil
}

// withoutAddress drops the address, which holds a password, from an error about it.
func withoutAddress(err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// abort ends the connection without waiting for the broker.
func (c *connection) abort() {
	c.wire.Conn.Close()
	c.Connection.Close()
}

// close says goodbye to the broker.
func (c *connection) close() {
	c.CloseDeadline(time.Now().Add(time.Second)) // an answer that does not come changes nothing
}

// wire gathers what is written while it is held: a system call per message would cost more than the message.
type wire struct {
	net.Conn

	mu     sync.Mutex
	held   bool
	buffer *bufio.Writer
}

// newWire gives up a write that the network does not take in time.
func newWire(conn net.Conn, timeout time.Duration) *wire {
	return &wire{Conn: conn, buffer: bufio.NewWriterSize(impatient{conn, timeout}, 64<<10)}
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buffer.Write(p)
	if err != nil || w.held {
		return n, err
	}
	return n, w.buffer.Flush()
}

func (w *wire) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = true
}

// release writes what was gathered.
func (w *wire) release() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = false
	return w.buffer.Flush()
}

// impatient is a connection whose every write has its time.
type impatient struct {
	net.Conn
	timeout time.Duration
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// backoff doubles from its minimum to its maximum, with jitter, so that members do not come back all at once.
type backoff struct {
	min, max time.Duration
	current  time.Duration
}

func (b *backoff) reset() { b.current = 0 }

// next returns how long to wait now.
func (b *backoff) next() time.Duration {
	b.current = min(max(2*b.current, b.min), b.max)
	return b.current/2 + rand.N(b.current/2+1)
}

// pause waits; false when ctx ended first.
func (b *backoff) pause(ctx context.Context) bool {
	timer := time.NewTimer(b.next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
