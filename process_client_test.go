package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"
)

// client talks to a shop that may be killed at any moment: it asks again, with the same Idempotency-Key, until it has
// an answer.
type client struct {
	url  string
	http *http.Client
}

func newClient(url string) *client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	return &client{url: url, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// answerPatience is how long a client repeats a request before it gives up.
const answerPatience = 45 * time.Second

// reply is an answer of the shop.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// do sends once.
func (c *client) do(ctx context.Context, method, path, key, body string, header ...string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, content}, err
}

// insist sends until there is an answer that is not "try again". Any other answer of the 500s is an error.
func (c *client) insist(ctx context.Context, method, path, key, body string) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	var last error
	for {
		r, err := c.do(ctx, method, path, key, body)
		switch {
		case err == nil && r.status < 500:
			return r, nil
		case err == nil && r.status != http.StatusServiceUnavailable:
			return r, fmt.Errorf("%s %s: %s", method, path, r)
		case err == nil:
			err = errors.New(r.String())
		}
		if ctx.Err() != nil {
			return r, fmt.Errorf("%s %s: no answer: %w", method, path, errors.Join(last, err))
		}
		last = err
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// expect insists, and wants that status.
func (c *client) expect(ctx context.Context, status int, method, path, key, body string) (reply, error) {
	r, err := c.insist(ctx, method, path, key, body)
	if err == nil && r.status != status {
		err = fmt.Errorf("%s %s %s: want %d, got %s", method, path, body, status, r)
	}
	return r, err
}

// orderDocument is what the tests read of an order.
type orderDocument struct {
	ID              string `json:"_id"`
	OrderNumber     string `json:"orderNumber"`
	Status          string `json:"status"`
	Total           int64  `json:"total"`
	FailureReason   string `json:"failureReason"`
	PaymentIntentID string `json:"paymentIntentId"`
	Items           []struct {
		ProductID string `json:"productId"`
		Quantity  int64  `json:"quantity"`
	} `json:"items"`
}

func (c *client) order(ctx context.Context, id string) (orderDocument, error) {
	return get[orderDocument](ctx, c, "/orders/"+id)
}

// paymentDocument is what the tests read of a payment.
type paymentDocument struct {
	PaymentIntentID string `json:"paymentIntentId"`
	OrderID         string `json:"orderId"`
	IntentID        string `json:"stripePaymentIntentId"`
	Status          string `json:"status"`
	Amount          int64  `json:"amount"`
	RefundedAmount  int64  `json:"refundedAmount"`
}

// productDocument is what the tests read of a product.
type productDocument struct {
	ProductID         string `json:"productId"`
	StockQuantity     int64  `json:"stockQuantity"`
	ReservedQuantity  int64  `json:"reservedQuantity"`
	AvailableQuantity int64  `json:"availableQuantity"`
}

// get reads one document.
func get[T any](ctx context.Context, c *client, path string) (T, error) {
	var document T
	r, err := c.expect(ctx, http.StatusOK, http.MethodGet, path, "", "")
	if err != nil {
		return document, err
	}
	if err := json.Unmarshal(r.body, &document); err != nil {
		return document, fmt.Errorf("GET %s: %w: %s", path, err, r.body)
	}
	return document, nil
}

// until reads a document until it is as wanted.
func until[T any](ctx context.Context, c *client, path string, wanted func(T) bool) (T, error) {
	deadline := time.Now().Add(answerPatience)
	for {
		document, err := get[T](ctx, c, path)
		if err != nil || wanted(document) {
			return document, err
		}
		if time.Now().After(deadline) {
			return document, fmt.Errorf("GET %s: still %+v", path, document)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

var nextLink = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)

// pages follows a list to its end and returns every page as it came.
func (c *client) pages(ctx context.Context, path string) ([]string, error) {
	var pages []string
	for {
		r, err := c.expect(ctx, http.StatusOK, http.MethodGet, path, "", "")
		if err != nil {
			return pages, err
		}
		pages = append(pages, string(r.body))
		link := r.header.Get("Link")
		if link == "" {
			return pages, nil
		}
		match := nextLink.FindStringSubmatch(link)
		if match == nil {
			return pages, fmt.Errorf("GET %s: link %q", path, link)
		}
		path = match[1]
	}
}
