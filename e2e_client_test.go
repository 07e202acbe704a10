package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

// The answers as a client of the contract knows them.
type (
	itemView struct {
		ProductID  string `json:"productId"`
		Quantity   int64  `json:"quantity"`
		UnitPrice  int64  `json:"unitPrice"`
		TotalPrice int64  `json:"totalPrice"`
	}
	orderView struct {
		ID              string     `json:"_id"`
		OrderNumber     string     `json:"orderNumber"`
		Items           []itemView `json:"items"`
		Subtotal        int64      `json:"subtotal"`
		Tax             int64      `json:"tax"`
		ShippingCost    int64      `json:"shippingCost"`
		Total           int64      `json:"total"`
		Status          string     `json:"status"`
		Notes           string     `json:"notes"`
		FailureReason   string     `json:"failureReason"`
		CancelReason    string     `json:"cancelReason"`
		ReservationID   string     `json:"reservationId"`
		PaymentIntentID string     `json:"paymentIntentId"`
		Version         uint64     `json:"version"`
	}
	productView struct {
		ID                string `json:"_id"`
		ProductID         string `json:"productId"`
		StockQuantity     int64  `json:"stockQuantity"`
		ReservedQuantity  int64  `json:"reservedQuantity"`
		AvailableQuantity int64  `json:"availableQuantity"`
		Version           uint64 `json:"version"`
	}
	movementView struct {
		Type              string `json:"type"`
		Quantity          int64  `json:"quantity"`
		StockQuantity     int64  `json:"stockQuantity"`
		ReservedQuantity  int64  `json:"reservedQuantity"`
		AvailableQuantity int64  `json:"availableQuantity"`
		OrderID           string `json:"orderId"`
		Sequence          uint64 `json:"sequence"`
	}
	reservationView struct {
		ReservationID string     `json:"reservationId"`
		OrderID       string     `json:"orderId"`
		Items         []itemView `json:"items"`
		Status        string     `json:"status"`
		StatusReason  string     `json:"statusReason"`
		ExpiresAt     time.Time  `json:"expiresAt"`
	}
	refundView struct {
		Amount int64 `json:"amount"`
	}
	paymentView struct {
		PaymentIntentID       string       `json:"paymentIntentId"`
		OrderID               string       `json:"orderId"`
		Amount                int64        `json:"amount"`
		Status                string       `json:"status"`
		StripePaymentIntentID string       `json:"stripePaymentIntentId"`
		RefundedAmount        int64        `json:"refundedAmount"`
		Refunds               []refundView `json:"refunds"`
		Version               uint64       `json:"version"`
	}
)

// object is a JSON object.
type object map[string]any

// client is somebody who uses the shop, on behalf of a test. Its methods may be called by several goroutines at once,
// but for those that expect something.
type client struct {
	t testing.TB
	*shop
}

func (s *shop) client(t testing.TB) client { return client{t, s} }

// answer is what came back; status 0 says that nothing did, and then the test has failed.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

func (c client) call(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			c.t.Errorf("encode the body of %s %s: %v", method, path, err)
			return answer{}
		}
		headers = append(headers, "Content-Type", "application/json")
	}
	a, err := c.send(method, path, content, headers...)
	if err != nil {
		c.t.Errorf("%s %s: %v", method, path, err)
	}
	return a
}

func (c client) send(method, path string, content []byte, headers ...string) (answer, error) {
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it has been read to its end
	read, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, read}, err
}

func (c client) post(path string, body any, headers ...string) answer {
	c.t.Helper()
	return c.call(http.MethodPost, path, body, headers...)
}

func (c client) get(path string) answer {
	c.t.Helper()
	return c.call(http.MethodGet, path, nil)
}

// webhook delivers an event as the payment provider does.
func (c client) webhook(payload []byte) answer {
	c.t.Helper()
	a, err := c.send(http.MethodPost, "/payments/webhook/stripe", payload, "Content-Type", "application/json",
		gateway.SignatureHeader, gateway.NewWebhookKey(c.config.StripeWebhookSecret).Sign(payload, time.Now()))
	if err != nil {
		c.t.Errorf("deliver a webhook: %v", err)
	}
	return a
}

// expect decodes an answer that must have the status.
func expect[V any](c client, status int, a answer) (view V) {
	c.t.Helper()
	require.Equal(c.t, status, a.status, "answered %s", a)
	require.NoError(c.t, json.Unmarshal(a.body, &view), "answered %s", a)
	return view
}

var serial atomic.Int64

// stock puts a product, of that price and quantity, into the catalogue, and returns its productId.
func (c client) stock(price, quantity int64) string {
	c.t.Helper()
	productID := fmt.Sprintf("product-%d", serial.Add(1))
	expect[productView](c, http.StatusCreated, c.post("/products", productOf(productID, "SKU-"+productID, price, quantity)))
	return productID
}

func productOf(productID, sku string, price, quantity int64) object {
	return object{"productId": productID, "name": "The " + productID, "description": "a product of the tests", "category": "tests",
		"price": price, "stockQuantity": quantity, "sku": sku, "lowStockThreshold": 0}
}

// line of an order.
func line(productID string, quantity int) object {
	return object{"productId": productID, "quantity": quantity}
}

func orderOf(paymentMethod string, lines ...object) object {
	return object{"items": lines, "paymentMethod": paymentMethod,
		"customer":        object{"customerId": fmt.Sprintf("cust-%d", serial.Add(1)), "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"},
		"shippingAddress": object{"street": "12 St James Square", "city": "London", "state": "London", "postalCode": "SW1Y 4JH", "country": "GB"}}
}

// paymentMethod of a buyer who pays later.
const invoice = "invoice"

// place sends an order and returns its _id. A shop that is too busy is asked again, as the contract tells clients to.
func (c client) place(paymentMethod string, lines ...object) (id string) {
	c.t.Helper()
	body, key := orderOf(paymentMethod, lines...), fmt.Sprintf("place-%d", serial.Add(1))
	var a answer
	for range 20 {
		if a = c.post("/orders", body, "Idempotency-Key", key); a.status != http.StatusServiceUnavailable {
			break
		}
	}
	match := regexp.MustCompile(`^/orders/([0-9a-f]{24})$`).FindStringSubmatch(a.header.Get("Location"))
	if a.status != http.StatusCreated || match == nil {
		c.t.Errorf("place an order: %s, Location %q", a, a.header.Get("Location"))
		return ""
	}
	return match[1]
}

func (c client) order(id string) orderView {
	c.t.Helper()
	return expect[orderView](c, http.StatusOK, c.get("/orders/"+id))
}

func (c client) product(productID string) productView {
	c.t.Helper()
	return expect[productView](c, http.StatusOK, c.get("/products/by-product-id/"+productID))
}

// reservation of an order; the zero view where there is none.
func (c client) reservation(orderID string) (r reservationView) {
	c.t.Helper()
	if a := c.get("/inventory/reservations/" + orderID); a.status != http.StatusNotFound {
		return expect[reservationView](c, http.StatusOK, a)
	}
	return r
}

func (c client) payment(paymentIntentID string) paymentView {
	c.t.Helper()
	return expect[paymentView](c, http.StatusOK, c.get("/payments/"+paymentIntentID))
}

func (c client) confirm(paymentIntentID, method string) answer {
	c.t.Helper()
	return c.post("/payments/"+paymentIntentID+"/confirm", object{"paymentMethodId": method})
}

var nextLink = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// all follows a list's pages to its end.
func all[V any](c client, path string) (list []V) {
	c.t.Helper()
	for path != "" {
		a := c.get(path)
		list = append(list, expect[[]V](c, http.StatusOK, a)...)
		path = ""
		if match := nextLink.FindStringSubmatch(a.header.Get("Link")); match != nil {
			path = match[1]
		}
	}
	return list
}
