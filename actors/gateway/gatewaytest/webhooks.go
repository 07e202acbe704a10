package gatewaytest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

// Deliver hands a webhook to the program under test.
type Deliver func(ctx context.Context, payload []byte, signature string) error

// Webhook is one event.
type Webhook struct {
	ID, Type string
	Payload  []byte
}

// outbox delivers webhooks. It owns one goroutine; close ends it and waits.
type outbox struct {
	cfg  Config
	key  *gateway.WebhookKey
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	deliver Deliver
	all     []Webhook
	waiting []Webhook
	held    []Webhook
	hold    bool
	copies  int
	wake    chan struct{} // one token: there may be something to do
}

const redeliverEvery = 20 * time.Millisecond

func newOutbox(cfg Config) *outbox {
	o := &outbox{cfg: cfg, key: gateway.NewWebhookKey(cfg.WebhookSecret), copies: 1, wake: make(chan struct{}, 1)}
	o.ctx, o.stop = context.WithCancel(context.Background())
	o.deliver = cfg.Deliver
	o.done.Go(o.run)
	return o
}

func (o *outbox) close() {
	o.stop()
	o.done.Wait()
}

func (o *outbox) run() {
	for {
		next, deliver := o.next()
		if deliver == nil {
			select {
			case <-o.wake:
				continue
			case <-o.ctx.Done():
				return
			}
		}
		signature := o.key.Sign(next.Payload, o.cfg.Now())
		if deliver(o.ctx, next.Payload, signature) == nil {
			o.mu.Lock()
			o.waiting = o.waiting[1:]
			o.mu.Unlock()
			continue
		}
		timer := time.NewTimer(redeliverEvery)
		select {
		case <-timer.C:
		case <-o.ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (o *outbox) next() (Webhook, Deliver) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		return Webhook{}, nil
	}
	return o.waiting[0], o.deliver
}

func (o *outbox) add(w Webhook) {
	o.mu.Lock()
	o.all = append(o.all, w)
	if o.hold {
		o.held = append(o.held, w)
	} else {
		o.queue(w)
	}
	o.mu.Unlock()
}

// queue makes webhooks due. The mutex is held.
func (o *outbox) queue(webhooks ...Webhook) {
	for _, w := range webhooks {
		for range o.copies {
			o.waiting = append(o.waiting, w)
		}
	}
	o.stir()
}

func (o *outbox) stir() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// DeliverTo sets, or replaces, who takes the webhooks, those included that wait already.
func (s *Server) DeliverTo(deliver Deliver) {
	s.events.mu.Lock()
	s.events.deliver = deliver
	s.events.mu.Unlock()
	s.events.stir()
}

// PostTo delivers to an HTTP address, as Stripe does; any answer but 2xx is an error.
func PostTo(address string) Deliver {
	client := &http.Client{Timeout: 10 * time.Second}
	return func(ctx context.Context, payload []byte, signature string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payload))
		if err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		request.Header.Set("Content-Type", "application/json; charset=utf-8")
		request.Header.Set(gateway.SignatureHeader, signature)
		answer, err := client.Do(request)
		if err != nil {
			return fmt.Errorf("webhook: %w", err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode/100 != 2 {
			return fmt.Errorf("webhook: http %d", answer.StatusCode)
		}
		return nil
	}
}

// Webhooks lists every event so far, delivered or not.
func (s *Server) Webhooks() []Webhook {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return append([]Webhook(nil), s.events.all...)
}

// Undelivered is how many webhooks the program under test has yet to take, those held back included.
func (s *Server) Undelivered() int {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return len(s.events.waiting) + len(s.events.held)
}

// Repeat sends every further webhook that many times.
func (s *Server) Repeat(copies int) {
	s.events.mu.Lock()
	s.events.copies = max(1, copies)
	s.events.mu.Unlock()
}

// Hold keeps webhooks back until Release.
func (s *Server) Hold() {
	s.events.mu.Lock()
	s.events.hold = true
	s.events.mu.Unlock()
}

// Release ends Hold and sends what was kept back, as arrange returns it: reordered, repeated, or with gaps. A nil
// arrange sends it as it was.
func (s *Server) Release(arrange func([]Webhook) []Webhook) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	held := s.events.held
	s.events.held, s.events.hold = nil, false
	if arrange != nil {
		held = arrange(append([]Webhook(nil), held...))
	}
	s.events.queue(held...)
}

// emit makes an event. The server's mutex is held, so events are in the order of what they tell.
func (s *Server) emit(name string, object map[string]any) {
	w := Webhook{ID: "evt_" + s.newID(), Type: name}
	w.Payload = encode(map[string]any{
		"id": w.ID, "object": "event", "type": name, "api_version": "2020-08-27", "created": s.cfg.Now().Unix(),
		"livemode": false, "data": map[string]any{"object": object},
	})
	s.events.add(w)
}
