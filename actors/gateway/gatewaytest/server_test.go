package gatewaytest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

const secret = "whsec_test"

func post(t *testing.T, server *gatewaytest.Server, path, key string, form url.Values) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "Bearer sk_test_1")
	request.Header.Set("Idempotency-Key", key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error(), nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error(), nil
	}
	return answer.StatusCode, string(body), answer.Header
}

func charge(amount string) url.Values {
	return url.Values{"amount": {amount}, "currency": {"usd"}, "confirm": {"true"}, "payment_method": {"pm_card_visa"},
		"metadata[orderId]": {"o1"}}
}

func TestKeys(t *testing.T) {
	server := gatewaytest.NewServer(gatewaytest.Config{})
	defer server.Close()
	status, first, header := post(t, server, "/v1/payment_intents", "k1", charge("100"))
	if status != http.StatusOK || header.Get("Idempotent-Replayed") != "" {
		t.Fatalf("want a fresh answer, got %d %s", status, first)
	}
	status, again, header := post(t, server, "/v1/payment_intents", "k1", charge("100"))
	if status != http.StatusOK || again != first || header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("want the stored answer, got %d %s", status, again)
	}
	status, text, _ := post(t, server, "/v1/payment_intents", "k1", charge("200"))
	if status != http.StatusBadRequest || !strings.Contains(text, "idempotency_error") {
		t.Fatalf("want an idempotency error, got %d %s", status, text)
	}
	status, text, _ = post(t, server, "/v1/refunds", "k1", charge("100"))
	if status != http.StatusBadRequest || !strings.Contains(text, "idempotency_error") {
		t.Fatalf("want an idempotency error for another endpoint, got %d %s", status, text)
	}
	server.ForgetKeys()
	if status, text, _ = post(t, server, "/v1/payment_intents", "k1", charge("100")); status != http.StatusOK || text == first {
		t.Fatalf("want a second charge under a forgotten key, got %d %s", status, text)
	}
	if charges := server.Charges(); len(charges) != 2 || charges[0].OrderID != "o1" || charges[0].Amount != 100 {
		t.Fatalf("want two charges in the ledger, got %+v", charges)
	}
	if requests := server.Requests(); len(requests) != 5 || !requests[1].Replayed || requests[2].Status != http.StatusBadRequest {
		t.Fatalf("want five requests on record, got %+v", requests)
	}
}

// TestFaults: a fault before the call leaves the ledger empty, one after it does not, and the repeat heals both.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault    gatewaytest.Fault
		executed int
		status   int
	}{
		{gatewaytest.RateLimited, 0, http.StatusTooManyRequests}, {gatewaytest.Unavailable, 0, http.StatusServiceUnavailable},
		{gatewaytest.LoseAnswer, 1, 0}, {gatewaytest.Crash, 1, http.StatusInternalServerError},
		{gatewaytest.Garbage, 1, http.StatusOK}, {gatewaytest.Decline, 0, http.StatusPaymentRequired},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			server := gatewaytest.NewServer(gatewaytest.Config{})
			defer server.Close()
			server.Inject(gatewaytest.StepCreate, c.fault)
			status, text, _ := post(t, server, "/v1/payment_intents", "k1", charge("100"))
			if status != c.status || len(server.Charges()) != c.executed {
				t.Fatalf("want %d and %d charges, got %d %s and %+v", c.status, c.executed, status, text, server.Charges())
			}
		})
	}
}

func TestDown(t *testing.T) {
	server := gatewaytest.NewServer(gatewaytest.Config{})
	defer server.Close()
	server.Down()
	if status, text, _ := post(t, server, "/v1/payment_intents", "k1", charge("100")); status != 0 {
		t.Fatalf("want no answer, got %d %s", status, text)
	}
	server.Up()
	if status, text, _ := post(t, server, "/v1/payment_intents", "k1", charge("100")); status != http.StatusOK {
		t.Fatalf("want an answer, got %d %s", status, text)
	}
}

// TestWebhookOrder: events wait for a receiver, come signed, in order, again until taken, and as a test arranges them.
func TestWebhookOrder(t *testing.T) {
	server := gatewaytest.NewServer(gatewaytest.Config{WebhookSecret: secret})
	defer server.Close()
	post(t, server, "/v1/payment_intents", "k1", charge("100"))
	var refusals atomic.Int32
	types := make(chan string, 100)
	server.DeliverTo(func(_ context.Context, payload []byte, signature string) error {
		event, err := gateway.NewWebhookKey(secret).Parse(payload, signature, time.Now(), 0)
		if err != nil {
			t.Error(err)
		}
		if refusals.Add(1) == 1 {
			return errors.New("not now")
		}
		types <- event.Type
		return nil
	})
	expect := func(wanted ...string) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		var got []string
		for len(got) < len(wanted) {
			select {
			case name := <-types:
				got = append(got, name)
			case <-deadline:
				t.Fatalf("want %v, got only %v", wanted, got)
			}
		}
		if !slices.Equal(got, wanted) {
			t.Fatalf("want %v, got %v", wanted, got)
		}
	}
	expect(gateway.TypeSucceeded)
	for deadline := time.Now().Add(10 * time.Second); server.Undelivered() > 0; runtime.Gosched() { // its answer is on the way
		if time.Now().After(deadline) {
			t.Fatal("the delivered event is still waiting")
		}
	}
	server.Hold()
	server.Repeat(2)
	post(t, server, "/v1/refunds", "r1", url.Values{"payment_intent": {server.Intents()[0].ID}, "amount": {"1"}})
	post(t, server, "/v1/payment_intents", "k2", charge("100"))
	if server.Undelivered() != 2 || len(server.Webhooks()) != 3 {
		t.Fatalf("want two of three events held back, got %d of %d", server.Undelivered(), len(server.Webhooks()))
	}
	server.Release(func(held []gatewaytest.Webhook) []gatewaytest.Webhook {
		slices.Reverse(held)
		return held
	})
	expect(gateway.TypeSucceeded, gateway.TypeSucceeded, gateway.TypeRefunded, gateway.TypeRefunded)
}

func TestPostTo(t *testing.T) {
	status := http.StatusServiceUnavailable
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != "{}" || r.Header.Get("Stripe-Signature") != "t=1" {
			t.Errorf("want the webhook, got %s with %v", body, r.Header)
		}
		w.WriteHeader(status)
	}))
	defer receiver.Close()
	deliver := gatewaytest.PostTo(receiver.URL)
	if err := deliver(t.Context(), []byte("{}"), "t=1"); err == nil {
		t.Error("want an error for 503")
	}
	status = http.StatusOK
	if err := deliver(t.Context(), []byte("{}"), "t=1"); err != nil {
		t.Error(err)
	}
}
