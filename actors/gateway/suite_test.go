package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

const (
	orderID   = "65f000000123456789abcdef"
	paymentID = "pay_0123456789abcdef"
)

// subject is a gateway under test, and the buyer in front of it.
type subject struct {
	gateway.Gateway
	completeAction func(intentID string, approve bool) error
}

func newSandbox(t testing.TB, change func(*gateway.SandboxConfig)) *gateway.Sandbox {
	t.Helper()
	cfg := gateway.SandboxConfig{Secret: []byte("0123456789abcdef0123456789abcdef")}
	if change != nil {
		change(&cfg)
	}
	sandbox, err := gateway.NewSandbox(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sandbox
}

func newStripe(t testing.TB, url string, change func(*gateway.StripeConfig)) *gateway.Stripe {
	t.Helper()
	cfg := gateway.StripeConfig{SecretKey: "sk_test_standin", APIBase: url, Timeout: 2 * time.Second,
		Backoff: time.Millisecond}
	if change != nil {
		change(&cfg)
	}
	stripe, err := gateway.NewStripe(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return stripe
}

// TestGateways runs the same behaviours on the sandbox and on the Stripe adapter.
func TestGateways(t *testing.T) {
	t.Run("sandbox", func(t *testing.T) {
		testGateway(t, func(t *testing.T) subject {
			sandbox := newSandbox(t, nil)
			return subject{sandbox, func(id string, approve bool) error {
				_, err := sandbox.CompleteAction(t.Context(), id, approve)
				return err
			}}
		})
	})
	t.Run("stripe", func(t *testing.T) {
		testGateway(t, func(t *testing.T) subject {
			server := gatewaytest.NewServer(gatewaytest.Config{SecretKey: "sk_test_standin"})
			t.Cleanup(server.Close)
			return subject{newStripe(t, server.URL, nil), server.CompleteAction}
		})
	})
}

func order(key, method string) gateway.Create {
	return gateway.Create{Key: key, PaymentID: paymentID, OrderID: orderID, Amount: 4300, Currency: "usd",
		Email: "buyer@example.com", Method: method}
}

func testGateway(t *testing.T, open func(t *testing.T) subject) {
	behaviours := []struct {
		name string
		test func(t *testing.T, g subject)
	}{
		{"create without a method waits for one", testCreateOpen},
		{"create with a method charges, and a repeat is the same call", testCreateCharges},
		{"every documented decline keeps the intent payable", testDeclines},
		{"what is wrong for good is rejected, and leaves the key free", testRejections},
		{"3-D Secure is completed by the buyer or replaced by another card", testAction},
		{"a confirm is the same call when repeated, and never charges a paid intent", testConfirm},
		{"cancel voids what is unpaid and reports what is paid", testCancel},
		{"refunds add up to the charge and no further", testRefunds},
		{"resolve tells what an executed call did", testResolveExecuted},
		{"resolve of a call that never arrived charges nothing and takes its key", testResolveLost},
		{"a call without time left does nothing", testContext},
	}
	for _, b := range behaviours {
		t.Run(b.name, func(t *testing.T) { b.test(t, open(t)) })
	}
}

func want(t *testing.T, got gateway.Intent, err error, status gateway.Status) gateway.Intent {
	t.Helper()
	if err != nil {
		t.Fatalf("want %s, got error %v", status, err)
	}
	if got.Status != status || got.ID == "" || got.ClientSecret == "" {
		t.Fatalf("want %s with id and secret, got %+v", status, got)
	}
	return got
}

func wantError(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("want an error that is %q, got %v", target, err)
	}
}

func same(t *testing.T, a, b gateway.Intent) {
	t.Helper()
	if a.ID != b.ID || a.ClientSecret != b.ClientSecret || a.Status != b.Status || (a.Decline == nil) != (b.Decline == nil) {
		t.Fatalf("want the same answer, got %+v and %+v", a, b)
	}
}

func testCreateOpen(t *testing.T, g subject) {
	first, err := g.Create(t.Context(), order("k1", ""))
	want(t, first, err, gateway.StatusRequiresMethod)
	if first.Decline != nil {
		t.Fatalf("declined without an attempt: %+v", first.Decline)
	}
	other, err := g.Create(t.Context(), order("k2", ""))
	want(t, other, err, gateway.StatusRequiresMethod)
	if other.ID == first.ID || other.ClientSecret == first.ClientSecret {
		t.Fatalf("two keys, one intent: %+v %+v", first, other)
	}
}

func testCreateCharges(t *testing.T, g subject) {
	first, err := g.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, first, err, gateway.StatusSucceeded)
	again, err := g.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, again, err, gateway.StatusSucceeded)
	same(t, first, again)
	changed := order("k1", "pm_card_visa")
	changed.Amount++
	_, err = g.Create(t.Context(), changed)
	wantError(t, err, gateway.ErrRejected)
}

func testDeclines(t *testing.T, g subject) {
	for _, c := range []struct{ method, code, message string }{
		{"pm_card_chargeDeclined", "generic_decline", "Your card was declined."},
		{"pm_card_visa_chargeDeclined", "generic_decline", "Your card was declined."},
		{"pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "Your card has insufficient funds."},
		{"pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds", "Your card has insufficient funds."},
		{"pm_card_visa_chargeDeclinedLostCard", "lost_card", "Your card was declined."},
		{"pm_card_visa_chargeDeclinedStolenCard", "stolen_card", "Your card was declined."},
		{"pm_card_chargeDeclinedExpiredCard", "expired_card", "Your card has expired."},
		{"pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "Your card's security code is incorrect."},
		{"pm_card_chargeDeclinedProcessingError", "processing_error",
			"An error occurred while processing your card. Try again in a little bit."},
	} {
		t.Run(c.method, func(t *testing.T) {
			key := c.method
			got, err := g.Create(t.Context(), order(key, c.method))
			want(t, got, err, gateway.StatusRequiresMethod)
			if got.Decline == nil || got.Decline.Code != c.code || got.Decline.Message != c.message {
				t.Fatalf("want decline %s %q, got %+v", c.code, c.message, got.Decline)
			}
			again, err := g.Create(t.Context(), order(key, c.method))
			want(t, again, err, gateway.StatusRequiresMethod)
			same(t, got, again)
			_, err = g.Refund(t.Context(), gateway.Refund{Key: key + "r", IntentID: got.ID, Amount: 1})
			wantError(t, err, gateway.ErrRejected)
			paid, err := g.Confirm(t.Context(), gateway.Confirm{Key: key + "c", IntentID: got.ID, Method: "pm_card_mastercard"})
			want(t, paid, err, gateway.StatusSucceeded)
		})
	}
}

func testRejections(t *testing.T, g subject) {
	_, err := g.Create(t.Context(), order("k1", "pm_1NoSuchMethod"))
	wantError(t, err, gateway.ErrRejected)
	free := order("k2", "")
	free.Amount = 0
	_, err = g.Create(t.Context(), free)
	wantError(t, err, gateway.ErrRejected)
	got, err := g.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusSucceeded)

	for _, id := range []string{"pi_3MtwBwLkdIwHu7ix28a3tqPa", "pi_0", "nonsense"} {
		_, err = g.Confirm(t.Context(), gateway.Confirm{Key: "c" + id, IntentID: id, Method: "pm_card_visa"})
		wantError(t, err, gateway.ErrRejected)
		_, err = g.Cancel(t.Context(), gateway.Cancel{Key: "x" + id, IntentID: id})
		wantError(t, err, gateway.ErrRejected)
		_, err = g.Refund(t.Context(), gateway.Refund{Key: "r" + id, IntentID: id, Amount: 1})
		wantError(t, err, gateway.ErrRejected)
	}
}

func testAction(t *testing.T, g subject) {
	created, err := g.Create(t.Context(), order("k1", "pm_card_authenticationRequired"))
	want(t, created, err, gateway.StatusRequiresAction)
	if err := g.completeAction(created.ID, true); err != nil {
		t.Fatal(err)
	}
	paid, err := g.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: created.ID})
	want(t, paid, err, gateway.StatusSucceeded)

	failed, err := g.Create(t.Context(), order("k2", "pm_card_threeDSecure2Required"))
	want(t, failed, err, gateway.StatusRequiresAction)
	if err := g.completeAction(failed.ID, false); err != nil {
		t.Fatal(err)
	}
	_, err = g.Refund(t.Context(), gateway.Refund{Key: "r2", IntentID: failed.ID, Amount: 1})
	wantError(t, err, gateway.ErrRejected)

	other, err := g.Create(t.Context(), order("k3", "pm_card_authenticationRequired"))
	want(t, other, err, gateway.StatusRequiresAction)
	confirmed, err := g.Confirm(t.Context(), gateway.Confirm{Key: "c3", IntentID: other.ID, Method: "pm_card_visa"})
	want(t, confirmed, err, gateway.StatusSucceeded)
}

func testConfirm(t *testing.T, g subject) {
	created, err := g.Create(t.Context(), order("k1", ""))
	want(t, created, err, gateway.StatusRequiresMethod)
	declined := gateway.Confirm{Key: "c1", IntentID: created.ID, Method: "pm_card_chargeDeclined"}
	first, err := g.Confirm(t.Context(), declined)
	want(t, first, err, gateway.StatusRequiresMethod)
	if first.Decline == nil || first.ClientSecret != created.ClientSecret {
		t.Fatalf("want a decline of the same intent, got %+v", first)
	}
	paid, err := g.Confirm(t.Context(), gateway.Confirm{Key: "c2", IntentID: created.ID, Method: "pm_card_visa"})
	want(t, paid, err, gateway.StatusSucceeded)
	again, err := g.Confirm(t.Context(), declined)
	want(t, again, err, gateway.StatusRequiresMethod)
	same(t, first, again)
	third, err := g.Confirm(t.Context(), gateway.Confirm{Key: "c3", IntentID: created.ID, Method: "pm_card_chargeDeclined"})
	want(t, third, err, gateway.StatusSucceeded)
	_, err = g.Confirm(t.Context(), gateway.Confirm{Key: "c2", IntentID: created.ID, Method: "pm_card_mastercard"})
	wantError(t, err, gateway.ErrRejected)
}

func testCancel(t *testing.T, g subject) {
	created, err := g.Create(t.Context(), order("k1", ""))
	want(t, created, err, gateway.StatusRequiresMethod)
	for _, key := range []string{"x1", "x1", "x2"} {
		canceled, err := g.Cancel(t.Context(), gateway.Cancel{Key: key, IntentID: created.ID})
		want(t, canceled, err, gateway.StatusCanceled)
	}
	_, err = g.Confirm(t.Context(), gateway.Confirm{Key: "c1", IntentID: created.ID, Method: "pm_card_visa"})
	wantError(t, err, gateway.ErrRejected)
	_, err = g.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: created.ID, Amount: 1})
	wantError(t, err, gateway.ErrRejected)

	paid, err := g.Create(t.Context(), order("k2", "pm_card_visa"))
	want(t, paid, err, gateway.StatusSucceeded)
	for _, key := range []string{"x3", "x3", "x4"} {
		got, err := g.Cancel(t.Context(), gateway.Cancel{Key: key, IntentID: paid.ID})
		want(t, got, err, gateway.StatusSucceeded)
		if got.ID != paid.ID {
			t.Fatalf("want intent %s, got %s", paid.ID, got.ID)
		}
	}
}

func testRefunds(t *testing.T, g subject) {
	paid, err := g.Create(t.Context(), order("k1", "pm_card_visa"))
	want(t, paid, err, gateway.StatusSucceeded)
	refund := func(key string, amount int64) (gateway.Refunded, error) {
		return g.Refund(t.Context(), gateway.Refund{Key: key, IntentID: paid.ID, Amount: amount, Reason: "broken"})
	}
	first, err := refund("r1", 1000)
	if err != nil || first.ID == "" {
		t.Fatalf("want a refund, got %+v, %v", first, err)
	}
	again, err := refund("r1", 1000)
	if err != nil || again != first {
		t.Fatalf("want refund %s again, got %+v, %v", first.ID, again, err)
	}
	_, err = refund("r2", 3301)
	wantError(t, err, gateway.ErrRejected)
	rest, err := refund("r3", 3300)
	if err != nil || rest.ID == first.ID {
		t.Fatalf("want another refund than %s, got %+v, %v", first.ID, rest, err)
	}
	_, err = refund("r4", 1)
	wantError(t, err, gateway.ErrRejected)
	again, err = refund("r1", 1000)
	if err != nil || again != first {
		t.Fatalf("want refund %s again after the charge is used up, got %+v, %v", first.ID, again, err)
	}
	_, err = refund("r5", 0)
	wantError(t, err, gateway.ErrRejected)
}

func testResolveExecuted(t *testing.T, g subject) {
	for method, status := range map[string]gateway.Status{
		"pm_card_visa":                   gateway.StatusSucceeded,
		"pm_card_chargeDeclined":         gateway.StatusRequiresMethod,
		"pm_card_authenticationRequired": gateway.StatusRequiresAction,
		"":                               gateway.StatusRequiresMethod,
	} {
		created, err := g.Create(t.Context(), order("k"+method, method))
		want(t, created, err, status)
		resolved, err := g.Resolve(t.Context(), order("k"+method, method))
		want(t, resolved, err, status)
		same(t, created, resolved)
	}
}

func testResolveLost(t *testing.T, g subject) {
	first, err := g.Resolve(t.Context(), order("k1", "pm_card_visa"))
	want(t, first, err, gateway.StatusRequiresMethod)
	again, err := g.Resolve(t.Context(), order("k1", "pm_card_visa"))
	want(t, again, err, gateway.StatusRequiresMethod)
	same(t, first, again)
	_, err = g.Create(t.Context(), order("k1", "pm_card_visa")) // the first call arrives after all
	wantError(t, err, gateway.ErrRejected)
	canceled, err := g.Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: first.ID})
	want(t, canceled, err, gateway.StatusCanceled)

	open, err := g.Resolve(t.Context(), order("k2", "pm_card_chargeDeclined"))
	want(t, open, err, gateway.StatusRequiresMethod)
	if open.Decline != nil {
		t.Fatalf("declined without an attempt: %+v", open.Decline)
	}
	paid, err := g.Confirm(t.Context(), gateway.Confirm{Key: "c2", IntentID: open.ID, Method: "pm_card_visa"})
	want(t, paid, err, gateway.StatusSucceeded)
}

func testContext(t *testing.T, g subject) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := g.Create(gone, order("k1", "pm_card_visa"))
	wantError(t, err, context.Canceled)
	_, err = g.Resolve(gone, order("k1", "pm_card_visa"))
	wantError(t, err, context.Canceled)
	got, err := g.Resolve(t.Context(), order("k1", "pm_card_visa"))
	want(t, got, err, gateway.StatusRequiresMethod)
	if err := g.Health(t.Context()); err != nil {
		t.Fatalf("want health, got %v", err)
	}
}
