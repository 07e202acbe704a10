package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

func once(cfg *gateway.StripeConfig) { cfg.Attempts, cfg.Timeout = 1, time.Second }

func newServer(t testing.TB) *gatewaytest.Server {
	server := gatewaytest.NewServer(gatewaytest.Config{SecretKey: "sk_test_standin"})
	t.Cleanup(server.Close)
	return server
}

// TestOneFault: whatever goes wrong with one attempt is retried inside the call, and money moves once.
func TestOneFault(t *testing.T) {
	for _, fault := range gatewaytest.Faults() {
		if fault == gatewaytest.Crash || fault == gatewaytest.Decline {
			continue // these are answers, and stay: TestCrash, TestForcedDecline
		}
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			stripe := newStripe(t, server.URL, func(cfg *gateway.StripeConfig) { cfg.Timeout = 500 * time.Millisecond })
			server.Inject(gatewaytest.StepCreate, fault)
			created, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
			want(t, created, err, gateway.StatusSucceeded)
			server.Inject(gatewaytest.StepRefund, fault)
			if _, err := stripe.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: created.ID, Amount: 300}); err != nil {
				t.Fatal(err)
			}
			open, err := stripe.Create(t.Context(), order("k2", ""))
			want(t, open, err, gateway.StatusRequiresMethod)
			server.Inject(gatewaytest.StepConfirm, fault)
			confirmed, err := stripe.Confirm(t.Context(), gateway.Confirm{Key: "c2", IntentID: open.ID, Method: "pm_card_visa"})
			want(t, confirmed, err, gateway.StatusSucceeded)
			void, err := stripe.Create(t.Context(), order("k3", ""))
			want(t, void, err, gateway.StatusRequiresMethod)
			server.Inject(gatewaytest.StepCancel, fault)
			canceled, err := stripe.Cancel(t.Context(), gateway.Cancel{Key: "x3", IntentID: void.ID})
			want(t, canceled, err, gateway.StatusCanceled)
			if charges, refunds := server.Charges(), server.Refunds(); len(charges) != 2 || len(refunds) != 1 {
				t.Fatalf("want 2 charges and 1 refund, got %+v and %+v", charges, refunds)
			}
		})
	}
}

// TestUnknownOutcome: when attempts run out, the error says "unknown", and the repeat or Resolve tells the truth.
func TestUnknownOutcome(t *testing.T) {
	for _, c := range []struct {
		fault   gatewaytest.Fault
		charged bool
	}{
		{gatewaytest.Reset, false}, {gatewaytest.Hang, false}, {gatewaytest.RateLimited, false},
		{gatewaytest.Unavailable, false}, {gatewaytest.LoseAnswer, true}, {gatewaytest.HangAfter, true},
		{gatewaytest.Garbage, true},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			t.Parallel()
			server := newServer(t)
			stripe := newStripe(t, server.URL, once)
			server.Inject(gatewaytest.StepCreate, c.fault)
			_, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
			wantError(t, err, gateway.ErrUnavailable)
			status := gateway.StatusRequiresMethod
			if c.charged {
				status = gateway.StatusSucceeded
			}
			resolved, err := stripe.Resolve(t.Context(), order("k1", "pm_card_visa"))
			want(t, resolved, err, status)
			if got := len(server.Charges()); (got == 1) != c.charged || got > 1 {
				t.Fatalf("charged %v, but %d charges", c.charged, got)
			}
		})
	}
}

func TestForcedDecline(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, nil)
	server.Inject(gatewaytest.StepCreate, gatewaytest.Decline)
	got, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusRequiresMethod)
	if got.Decline == nil || len(server.Charges()) != 0 {
		t.Fatalf("want a decline and no charge, got %+v, %+v", got, server.Charges())
	}
}

// TestCrash: Stripe charges, answers 500 and replays that 500. Resolve finds the charge by search.
func TestCrash(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, func(cfg *gateway.StripeConfig) { cfg.Failures = 100 })
	server.Inject(gatewaytest.StepCreate, gatewaytest.Crash)
	for range 2 {
		_, err := stripe.Create(t.Context(), order("it's", "pm_card_visa"))
		wantError(t, err, gateway.ErrUnavailable)
	}
	got, err := stripe.Resolve(t.Context(), order("it's", "pm_card_visa"))
	want(t, got, err, gateway.StatusSucceeded)
	if charges := server.Charges(); len(charges) != 1 || charges[0].IntentID != got.ID {
		t.Fatalf("want the one charge of %s, got %+v", got.ID, charges)
	}
}

// TestForgottenKeys: a day later Stripe has forgotten the keys; Resolve and Refund still know.
func TestForgottenKeys(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, once)
	server.Inject(gatewaytest.StepCreate, gatewaytest.LoseAnswer)
	_, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	wantError(t, err, gateway.ErrUnavailable)
	server.ForgetKeys()
	got, err := stripe.Resolve(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusSucceeded)

	refund := gateway.Refund{Key: "r1", IntentID: got.ID, Amount: 300, Reason: strings.Repeat("é", 600)}
	server.Inject(gatewaytest.StepRefund, gatewaytest.LoseAnswer)
	_, err = stripe.Refund(t.Context(), refund)
	wantError(t, err, gateway.ErrUnavailable)
	server.ForgetKeys()
	if _, err = stripe.Refund(t.Context(), refund); err != nil {
		t.Fatal(err)
	}
	if charges, refunds := server.Charges(), server.Refunds(); len(charges) != 1 || len(refunds) != 1 {
		t.Fatalf("want 1 charge and 1 refund, got %+v and %+v", charges, refunds)
	}
	_, err = stripe.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: got.ID})
	if err != nil {
		t.Fatal(err)
	}
}

// TestResolveNeedsSearch: without search there is no telling a forgotten key from a new one, so an outage of search is an
// outage; a Stripe account that has no search at all relies on the keys.
func TestResolveNeedsSearch(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, once)
	server.Inject(gatewaytest.StepSearch, gatewaytest.Unavailable)
	_, err := stripe.Resolve(t.Context(), order("k1", "pm_card_visa"))
	wantError(t, err, gateway.ErrUnavailable)
	got, err := stripe.Resolve(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusRequiresMethod)
	if intents := server.Intents(); len(intents) != 1 {
		t.Fatalf("want the same intent again, got %+v", intents)
	}
}

// TestCancelOfUndecided: a cancel that came while the bank was deciding is stored as refused; it must work afterwards.
func TestCancelOfUndecided(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, nil)
	created, err := stripe.Create(t.Context(), order("k1", ""))
	want(t, created, err, gateway.StatusRequiresMethod)
	if err := server.SetProcessing(created.ID); err != nil {
		t.Fatal(err)
	}
	_, err = stripe.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: created.ID})
	wantError(t, err, gateway.ErrUnavailable)
	if err := server.SetOpen(created.ID); err != nil {
		t.Fatal(err)
	}
	canceled, err := stripe.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: created.ID})
	want(t, canceled, err, gateway.StatusCanceled)
}

func TestCircuit(t *testing.T) {
	server := newServer(t)
	const pause = time.Second
	stripe := newStripe(t, server.URL, func(cfg *gateway.StripeConfig) {
		cfg.Attempts, cfg.Failures, cfg.Pause = 1, 3, pause
	})
	if err := stripe.Health(t.Context()); err != nil {
		t.Fatalf("want health at first, got %v", err)
	}
	// Declines and rejections say that Stripe is well, however many there are.
	for range 10 {
		if _, err := stripe.Create(t.Context(), order("declined", "pm_card_chargeDeclined")); err != nil {
			t.Fatal(err)
		}
		_, err := stripe.Create(t.Context(), order("rejected", "pm_unknown"))
		wantError(t, err, gateway.ErrRejected)
	}
	server.Down()
	for range 3 {
		_, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
		wantError(t, err, gateway.ErrUnavailable)
	}
	server.Up()
	arrived := len(server.Requests())
	_, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	wantError(t, err, gateway.ErrUnavailable)
	wantError(t, stripe.Health(t.Context()), gateway.ErrUnavailable)
	if got := len(server.Requests()); got != arrived {
		t.Fatalf("the open circuit let %d calls through", got-arrived)
	}
	// Health is the probe that closes it, without other traffic.
	eventually(t, func() (bool, any) {
		err := stripe.Health(t.Context())
		return err == nil, err
	})
	got, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusSucceeded)
}

func eventually(t testing.TB, check func() (done bool, state any)) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		done, state := check()
		if done {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %v", state)
		}
		<-tick.C
	}
}

// TestCallerGivesUp: the caller's own deadline ends a call at once, as its own error.
func TestCallerGivesUp(t *testing.T) {
	server := newServer(t)
	stripe := newStripe(t, server.URL, func(cfg *gateway.StripeConfig) { cfg.Timeout = time.Minute })
	server.Inject(gatewaytest.StepCreate, gatewaytest.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := stripe.Create(ctx, order("k1", "pm_card_visa"))
	wantError(t, err, context.DeadlineExceeded)
	server.Heal()
	got, err := stripe.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusSucceeded)
}

// TestNothingSecret: neither errors nor logs show the secret key, a client secret or a buyer's address.
func TestNothingSecret(t *testing.T) {
	server := newServer(t)
	var logged bytes.Buffer
	const key = "sk_test_thewrongkey"
	texts := func(stripe *gateway.Stripe) string {
		var text strings.Builder
		for _, method := range []string{"pm_card_visa", "pm_unknown"} {
			if _, err := stripe.Create(t.Context(), order("k"+method, method)); err != nil {
				text.WriteString(err.Error())
			}
		}
		return text.String()
	}
	wrong := newStripe(t, server.URL, func(cfg *gateway.StripeConfig) {
		cfg.SecretKey, cfg.Logger = key, slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := wrong.Create(t.Context(), order("k", ""))
	wantError(t, err, gateway.ErrRejected)
	wantError(t, wrong.Health(context.WithoutCancel(t.Context())), gateway.ErrRejected)
	text := err.Error() + texts(wrong)

	right := newStripe(t, server.URL, once)
	server.Inject(gatewaytest.StepCreate, gatewaytest.Garbage, gatewaytest.LoseAnswer, gatewaytest.Unavailable)
	text += texts(right) + texts(right) + logged.String()
	for _, secret := range []string{key, "_secret_", "buyer@example.com"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is shown in %s", secret, text)
		}
	}
	if !strings.Contains(text, "No such PaymentMethod") {
		t.Errorf("want the reason in the text, got %s", text)
	}
}

// TestForeignAnswers: what is not Stripe's JSON is no answer at all.
func TestForeignAnswers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer elsewhere.Close()
	for name, handler := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"a proxy's page":     func(w http.ResponseWriter, r *http.Request) { http.Error(w, "<html>", http.StatusForbidden) },
		"json without error": func(w http.ResponseWriter, r *http.Request) { http.Error(w, `{"a":1}`, http.StatusBadRequest) },
		"an empty object":    func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{}`)) },
		"an unknown status":  func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(`{"id":"pi_1","status":"new"}`)) },
		"a decline of nothing": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, `{"error":null}`, http.StatusPaymentRequired)
		},
		"two calls at once": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, `{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}`, http.StatusConflict)
		},
		"a lock": func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`, http.StatusTooManyRequests)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			_, err := newStripe(t, server.URL+"/v1/", once).Create(t.Context(), order("k1", "pm_card_visa"))
			wantError(t, err, gateway.ErrUnavailable)
			if errors.Is(err, gateway.ErrRejected) {
				t.Fatalf("both unknown and rejected: %v", err)
			}
		})
	}
}

func TestStripeConfig(t *testing.T) {
	for _, cfg := range []gateway.StripeConfig{{}, {SecretKey: " "}, {SecretKey: "sk_test_1", APIBase: "api.stripe.com"}} {
		if _, err := gateway.NewStripe(cfg); err == nil {
			t.Errorf("want an error for %+v", cfg)
		}
	}
}
