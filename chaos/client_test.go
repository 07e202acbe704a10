package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// attemptLimit is how long a load balancer waits for an answer before it asks another member.
	attemptLimit = 2 * time.Second
	// attemptPause keeps a client from asking members that are all down as fast as it can.
	attemptPause = 20 * time.Millisecond
	// avoidance is for how long a load balancer leaves a member out that did not answer.
	avoidance = time.Second
)

// client sends requests as a load balancer does: to any member; to another one, with the same Idempotency-Key, when there
// is no answer or a 503. One goroutine uses it.
type client struct {
	name    string
	urls    []string
	history *history
	http    *http.Client
	random  *rand.Rand
	avoid   []time.Time // until when
	count   int
}

func newClient(name string, urls []string, h *history, random *rand.Rand) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 4, DialContext: (&net.Dialer{Timeout: attemptLimit}).DialContext}
	return &client{name: name, urls: urls, history: h, random: random, avoid: make([]time.Time, len(urls)),
		http: &http.Client{Transport: transport, Timeout: attemptLimit}}
}

// key is a fresh Idempotency-Key.
func (c *client) key(what string) string {
	c.count++
	return fmt.Sprintf("%s-%d-%s", c.name, c.count, what)
}

// member chooses who is asked: one that has answered of late, if there is any.
func (c *client) member() int {
	first := c.random.IntN(len(c.urls))
	for i := range c.urls {
		if n := (first + i) % len(c.urls); time.Now().After(c.avoid[n]) {
			return n
		}
	}
	return first
}

// request is what is sent.
type request struct {
	method, path, key, body string
	once                    bool // whoever sends it does not ask again
}

// reply is an answer of the shop; status 0 says that there was none.
type reply struct {
	status int
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// attempt sends once, to one member.
func (c *client) attempt(ctx context.Context, member int, r request) (reply, error) {
	sent, err := http.NewRequestWithContext(ctx, r.method, c.urls[member]+r.path, strings.NewReader(r.body))
	if err != nil {
		return reply{}, err
	}
	if r.body != "" {
		sent.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		sent.Header.Set("Idempotency-Key", r.key)
	}
	answer, err := c.http.Do(sent)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close() //nolint:errcheck // it has been read to its end
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return reply{}, err
	}
	return reply{answer.StatusCode, body}, nil
}

// send sends until there is an answer that is not "try again", or the context ends, and notes how it went in o. The error
// is for an answer that a client must never get.
func (c *client) send(ctx context.Context, o *operation, r request) (reply, error) {
	o.client, o.key, o.call, o.outcome = c.name, r.key, c.history.now(), unknown
	defer func() { o.back = c.history.now() }()
	for {
		o.attempts++
		o.member = c.member()
		answer, err := c.attempt(ctx, o.member, r)
		switch {
		case err != nil:
			c.avoid[o.member] = time.Now().Add(avoidance)
		case answer.status < 300:
			o.status, o.outcome = answer.status, done
			return answer, nil
		case answer.status < 500:
			o.status, o.outcome = answer.status, refused
			return answer, nil
		case answer.status != http.StatusServiceUnavailable:
			return answer, fmt.Errorf("%s %s by member %d: %v", r.method, r.path, o.member, answer)
		}
		c.history.note(err)
		if r.once || ctx.Err() != nil {
			return reply{}, nil
		}
		select {
		case <-time.After(attemptPause):
		case <-ctx.Done():
		}
	}
}

var (
	// errUnanswered says that the shop has not answered for as long as its client cared.
	errUnanswered = errors.New("no answer")
	// errStuck says that the shop answers, and does not get on.
	errStuck = errors.New("it does not get on")
)

// The answers, as far as they are looked at.
type (
	orderDocument struct {
		ID              string `json:"_id"`
		Status          string `json:"status"`
		Version         uint64 `json:"version"`
		Total           int64  `json:"total"`
		FailureReason   string `json:"failureReason"`
		PaymentIntentID string `json:"paymentIntentId"`
		Items           []struct {
			ProductID string `json:"productId"`
			Quantity  int64  `json:"quantity"`
		} `json:"items"`
	}
	productDocument struct {
		ProductID         string `json:"productId"`
		StockQuantity     int64  `json:"stockQuantity"`
		ReservedQuantity  int64  `json:"reservedQuantity"`
		AvailableQuantity int64  `json:"availableQuantity"`
		Version           uint64 `json:"version"`
	}
	movementDocument struct {
		StockQuantity    int64  `json:"stockQuantity"`
		ReservedQuantity int64  `json:"reservedQuantity"`
		Sequence         uint64 `json:"sequence"`
	}
	paymentDocument struct {
		PaymentIntentID string `json:"paymentIntentId"`
		IntentID        string `json:"stripePaymentIntentId"`
		Status          string `json:"status"`
		Amount          int64  `json:"amount"`
		RefundedAmount  int64  `json:"refundedAmount"`
	}
)

// do sends, wants one of the statuses, decodes the answer into document where there is something to decode, and records
// the operation. fill adds to the record what the answer says.
func (c *client) do(ctx context.Context, o operation, r request, document any, fill func(*operation), statuses ...int) (operation, error) {
	answer, err := c.send(ctx, &o, r)
	if err == nil && o.outcome == unknown && !r.once {
		err = fmt.Errorf("%s %s: %w after %v and %d attempts", r.method, r.path, errUnanswered, o.back-o.call, o.attempts)
	}
	if err == nil && o.outcome != unknown {
		wanted := false
		for _, status := range statuses {
			wanted = wanted || status == answer.status
		}
		if !wanted {
			err = fmt.Errorf("%s %s %s: want %v, got %v", r.method, r.path, r.body, statuses, answer)
		}
	}
	if err == nil && o.outcome == done && document != nil {
		if err = json.Unmarshal(answer.body, document); err != nil {
			err = fmt.Errorf("%s %s: %w: %s", r.method, r.path, err, answer.body)
		} else if fill != nil {
			fill(&o)
		}
	}
	c.history.add(o)
	return o, err
}

func (c *client) order(ctx context.Context, id string) (d orderDocument, err error) {
	_, err = c.do(ctx, operation{deed: viewing, subject: id}, request{method: http.MethodGet, path: "/orders/" + id}, &d,
		func(o *operation) { o.version, o.state = d.Version, d.Status }, http.StatusOK)
	return d, err
}

func (c *client) product(ctx context.Context, productID string) (d productDocument, err error) {
	_, err = c.do(ctx, operation{deed: looking, subject: productID},
		request{method: http.MethodGet, path: "/products/by-product-id/" + productID}, &d,
		func(o *operation) { o.version, o.stock, o.reserved = d.Version, d.StockQuantity, d.ReservedQuantity }, http.StatusOK)
	if err == nil && (d.AvailableQuantity != d.StockQuantity-d.ReservedQuantity || d.AvailableQuantity < 0) {
		err = fmt.Errorf("product %s: %+v", productID, d)
	}
	return d, err
}

// adjust changes the stock; refused says that there is too little.
func (c *client) adjust(ctx context.Context, productID string, delta int64) error {
	var d movementDocument
	_, err := c.do(ctx, operation{deed: adjusting, subject: productID, delta: delta},
		request{method: http.MethodPost, path: "/products/" + productID + "/stock-adjustments", key: c.key("adjust"),
			body: fmt.Sprintf(`{"delta":%d,"reason":"counted"}`, delta)}, &d,
		func(o *operation) { o.version, o.stock, o.reserved = d.Sequence, d.StockQuantity, d.ReservedQuantity },
		http.StatusCreated, http.StatusConflict)
	return err
}
