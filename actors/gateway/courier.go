package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// lanes is how many webhooks are delivered at the same time; those of one intent share a lane, which keeps their order.
const lanes = 16

// notice is one webhook to be sent: the state change, as it was.
type notice struct {
	event  string
	at     time.Time
	key    digest // of the call that caused it
	intent sandboxIntent
	method string
}

// courier delivers the sandbox's webhooks. It owns one goroutine per lane; close ends them and waits.
type courier struct {
	post   func(ctx context.Context, payload []byte, signature string) error
	key    *WebhookKey
	now    func() time.Time
	logger *slog.Logger
	first  time.Duration
	max    time.Duration
	giveUp time.Duration

	stop context.CancelFunc
	ctx  context.Context
	done sync.WaitGroup

	delivered, waiting, dropped atomic.Int64

	mu     sync.RWMutex
	closed bool           // guards the closing of lane against send
	lane   []chan *notice // closed by close
}

func newCourier(cfg SandboxConfig) *courier {
	c := &courier{
		post:   cfg.Deliver,
		key:    NewWebhookKey(cfg.WebhookSecret),
		now:    cfg.Now,
		logger: cfg.Logger,
		first:  positive(cfg.Retry, 100*time.Millisecond),
		max:    positive(cfg.RetryMax, 10*time.Second),
		giveUp: positive(cfg.GiveUp, time.Hour),
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	if c.post == nil {
		return c
	}
	backlog := max(1, positive(cfg.Backlog, 1<<16)/lanes)
	for range lanes {
		lane := make(chan *notice, backlog)
		c.lane = append(c.lane, lane)
		c.done.Go(func() {
			for n := range lane {
				c.deliver(n)
			}
		})
	}
	return c
}

// send queues a webhook and never waits: when the lane is full, the webhook is dropped.
func (c *courier) send(n *notice) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.closed {
		c.dropped.Add(1)
		return
	}
	c.waiting.Add(1)
	select {
	case c.lane[int(n.intent.sign[0])%lanes] <- n:
	default:
		c.waiting.Add(-1)
		if c.dropped.Add(1)%1024 == 1 {
			c.logger.Warn("sandbox webhooks dropped, backlog full", "dropped", c.dropped.Load())
		}
	}
}

func (c *courier) deliver(n *notice) {
	defer c.waiting.Add(-1)
	payload := n.payload()
	pause := c.first
	for {
		now := c.now()
		err := c.ctx.Err()
		if err == nil {
			err = c.post(c.ctx, payload, c.key.Sign(payload, now))
		}
		if err == nil {
			c.delivered.Add(1)
			return
		}
		if c.ctx.Err() != nil || now.Sub(n.at) > c.giveUp {
			c.dropped.Add(1)
			c.logger.Warn("sandbox webhook given up", "event_type", n.event, "err", err)
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, c.max)
	}
}

func (c *courier) counts() (delivered, waiting, dropped int64) {
	return c.delivered.Load(), c.waiting.Load(), c.dropped.Load()
}

func (c *courier) close(ctx context.Context) error {
	before := c.dropped.Load()
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		for _, lane := range c.lane {
			close(lane)
		}
	}
	c.mu.Unlock()
	finished := make(chan struct{})
	go func() {
		c.done.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-ctx.Done():
		c.stop()
		<-finished
	}
	c.stop()
	if lost := c.dropped.Load() - before; lost > 0 {
		return fmt.Errorf("sandbox: %d webhooks not delivered", lost)
	}
	return nil
}
