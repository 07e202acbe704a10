package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"sync"
	"testing"

	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

type call struct {
	line   string
	key    string
	form   url.Values
	status int
}

// officialMock serves Stripe's own stripe-mock, which checks every request against Stripe's OpenAPI document.
func officialMock(t *testing.T) (address string, calls func() []call) {
	t.Helper()
	spec, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		t.Fatal(err)
	}
	stub, err := server.NewStubServer(fixtures, spec, false, false)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []call
	mock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		tee := r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		stub.HandleRequest(recorder, r)
		form, _ := url.ParseQuery(string(body))
		if r.Method == http.MethodGet {
			form = tee.URL.Query()
		}
		mu.Lock()
		seen = append(seen, call{r.Method + " " + tee.URL.Path, tee.Header.Get("Idempotency-Key"), form, recorder.Code})
		mu.Unlock()
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	}))
	t.Cleanup(mock.Close)
	return mock.URL, func() []call {
		mu.Lock()
		defer mu.Unlock()
		return append([]call(nil), seen...)
	}
}

// TestRequestShape: every request that the adapter makes is one that Stripe's own document allows, and carries the key.
func TestRequestShape(t *testing.T) {
	address, calls := officialMock(t)
	stripe := newStripe(t, address, func(cfg *gateway.StripeConfig) { cfg.SecretKey = "sk_test_123"; once(cfg); cfg.Timeout = 0 })
	shape := func(name string, err error, expected ...call) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := calls()
		got = got[max(0, len(got)-len(expected)):]
		for i := range expected {
			expected[i].status = http.StatusOK
		}
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, expected)
		}
	}
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	open := []string{"amount", "4300", "currency", "usd", "receipt_email", "buyer@example.com",
		"automatic_payment_methods[enabled]", "true", "automatic_payment_methods[allow_redirects]", "never",
		"metadata[orderId]", orderID, "metadata[paymentIntentId]", paymentID, "metadata[requestKey]", "k1"}
	charge := append(append([]string(nil), open...), "payment_method", "pm_card_visa", "confirm", "true")
	search := form("query", "metadata['requestKey']:'k1'", "limit", "100")

	_, err := stripe.Create(t.Context(), order("k1", ""))
	shape("create", err, call{line: "POST /v1/payment_intents", key: "k1", form: form(open...)})
	_, err = stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	shape("create and charge", err, call{line: "POST /v1/payment_intents", key: "k1", form: form(charge...)})
	_, err = stripe.Resolve(t.Context(), order("k1", "pm_card_visa"))
	shape("resolve", err, call{line: "POST /v1/payment_intents", key: "k1", form: form(open...)},
		call{line: "GET /v1/payment_intents/search", form: search})
	_, err = stripe.Confirm(t.Context(), gateway.Confirm{Key: "c1", IntentID: "pi_1", Method: "pm_card_visa"})
	shape("confirm", err, call{line: "POST /v1/payment_intents/pi_1/confirm", key: "c1", form: form("payment_method", "pm_card_visa")})
	// The mock answers every cancel with its one fixture, an intent that is still open.
	_, _ = stripe.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: "pi_1"})
	shape("cancel", nil, call{line: "POST /v1/payment_intents/pi_1/cancel", key: "x1", form: form()})
	_, err = stripe.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: "pi_1", Amount: 5, Reason: "broken"})
	shape("refund", err, call{line: "GET /v1/refunds", form: form("payment_intent", "pi_1", "limit", "100")},
		call{line: "POST /v1/refunds", key: "r1", form: form("payment_intent", "pi_1", "amount", "5",
			"metadata[requestKey]", "r1", "metadata[reason]", "broken")})
	fresh := newStripe(t, address, func(cfg *gateway.StripeConfig) { cfg.SecretKey = "sk_test_123"; cfg.Timeout = 0 })
	shape("health", fresh.Health(t.Context()), call{line: "GET /v1/payment_intents", form: form("limit", "1")})
}
