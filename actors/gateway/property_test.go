package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
)

// buyer plays one payment as its actor would: every call has a key of its own and is repeated until its outcome is known.
type buyer struct {
	t  *rapid.T
	gw func() gateway.Gateway
	// before runs ahead of every call: it draws what goes wrong.
	before func(step gatewaytest.Step)
	// calm ends all trouble.
	calm func()
}

const patience = 6

// insist repeats a call until its outcome is known; when patience is over there is no more trouble.
func (b *buyer) insist(step gatewaytest.Step, call func() error) error {
	var err error
	for try := range patience {
		if try == patience-1 {
			b.calm()
		} else {
			b.before(step)
		}
		if err = call(); !errors.Is(err, gateway.ErrUnavailable) {
			return err
		}
	}
	return err
}

func (b *buyer) create(c gateway.Create, resolve bool) (in gateway.Intent) {
	step, call := gatewaytest.StepCreate, func() (err error) { in, err = b.gw().Create(b.ctx(), c); return err }
	if resolve {
		call = func() (err error) { in, err = b.gw().Resolve(b.ctx(), c); return err }
	}
	if err := b.insist(step, call); err != nil {
		in = gateway.Intent{}
	}
	return in
}

func (b *buyer) ctx() context.Context { return context.Background() }

func (b *buyer) must(err error, what string) {
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

var methods = []string{"", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"}

// pay goes from the first call to an intent that is paid or void, and returns it.
func (b *buyer) pay(c gateway.Create) gateway.Intent {
	var in gateway.Intent
	if rapid.Bool().Draw(b.t, "create") {
		in = b.create(c, false)
	}
	if in.ID == "" {
		in = b.create(c, true)
		b.calm()
		if in.ID == "" {
			b.t.Fatal("the outcome of the first call can't be learned")
		}
	}
	for attempt := range rapid.IntRange(0, 3).Draw(b.t, "attempts") {
		if in.Status == gateway.StatusSucceeded {
			return in
		}
		confirm := gateway.Confirm{Key: fmt.Sprint(c.Key, "/confirm/", attempt), IntentID: in.ID,
			Method: rapid.SampledFrom(methods[1:]).Draw(b.t, "method")}
		err := b.insist(gatewaytest.StepConfirm, func() error {
			got, err := b.gw().Confirm(b.ctx(), confirm)
			if err == nil {
				in = got
			}
			return err
		})
		if errors.Is(err, gateway.ErrUnavailable) {
			break // Stripe has stored a 500 under the key: cancelling will tell
		}
		b.must(err, "confirm")
	}
	if in.Status == gateway.StatusSucceeded {
		return in
	}
	for attempt := 0; ; attempt++ {
		err := b.insist(gatewaytest.StepCancel, func() (err error) {
			got, err := b.gw().Cancel(b.ctx(), gateway.Cancel{Key: fmt.Sprint(c.Key, "/cancel/", attempt), IntentID: in.ID})
			if err == nil {
				in = got
			}
			return err
		})
		if err == nil {
			return in
		}
		if !errors.Is(err, gateway.ErrUnavailable) || attempt == 3 {
			b.must(err, "cancel")
		}
	}
}

// refund gives the whole amount back in parts, and returns the ids.
func (b *buyer) refund(c gateway.Create, intentID string) (ids []string) {
	for rest := c.Amount; rest > 0; {
		part := rapid.Int64Range(1, rest).Draw(b.t, "part")
		if len(ids) == 3 {
			part = rest
		}
		refund := gateway.Refund{Key: fmt.Sprint(c.Key, "/refund/", len(ids)), IntentID: intentID, Amount: part}
		var made gateway.Refunded
		b.must(b.insist(gatewaytest.StepRefund, func() (err error) { made, err = b.gw().Refund(b.ctx(), refund); return err }), "refund")
		ids = append(ids, made.ID)
		rest -= part
	}
	return ids
}

// TestStripeChargesOnce: whatever the network and Stripe do, a payment is charged at most once, each refund is made once,
// and what the caller is told at the end is what the ledger says.
func TestStripeChargesOnce(t *testing.T) {
	trouble := append(gatewaytest.Faults(), gatewaytest.None, gatewaytest.None, gatewaytest.None)
	rapid.Check(t, func(t *rapid.T) {
		server := gatewaytest.NewServer(gatewaytest.Config{})
		defer server.Close()
		open := func(timeout time.Duration) gateway.Gateway {
			stripe, err := gateway.NewStripe(gateway.StripeConfig{SecretKey: "sk_test_1", APIBase: server.URL, Attempts: 2,
				Timeout: timeout, Backoff: time.Microsecond, Failures: 1000})
			if err != nil {
				t.Fatal(err)
			}
			return stripe
		}
		hasty, patient := 40*time.Millisecond, 30*time.Second
		current := open(hasty)
		resolved := false
		b := &buyer{t: t, gw: func() gateway.Gateway { return current }}
		b.calm = func() {
			server.Heal()
			current = open(patient)
		}
		b.before = func(step gatewaytest.Step) {
			server.Inject(step, rapid.SliceOfN(rapid.SampledFrom(trouble), 0, 2).Draw(t, "faults")...)
			current = open(hasty)
			// A Create is only repeated within the life of its key.
			resolved = resolved || step != gatewaytest.StepCreate
			if resolved && rapid.IntRange(0, 4).Draw(t, "a day passes") == 0 {
				server.ForgetKeys()
			}
		}
		c := order("k1", rapid.SampledFrom(methods).Draw(t, "method"))
		in := b.pay(c)
		charges := server.Charges()
		switch in.Status {
		case gateway.StatusSucceeded:
			if len(charges) != 1 || charges[0].IntentID != in.ID || charges[0].Amount != c.Amount {
				t.Fatalf("told that %s is paid, ledger says %+v", in.ID, charges)
			}
		case gateway.StatusCanceled:
			if len(charges) != 0 {
				t.Fatalf("told that %s is void, ledger says %+v", in.ID, charges)
			}
			return
		default:
			t.Fatalf("the payment ended as %+v", in)
		}
		ids := b.refund(c, in.ID)
		var sum int64
		for _, made := range server.Refunds() {
			sum += made.Amount
		}
		if len(server.Refunds()) != len(ids) || sum != c.Amount || len(server.Charges()) != 1 {
			t.Fatalf("told of refunds %v, ledger says %+v of %+v", ids, server.Refunds(), server.Charges())
		}
	})
}

// lossy loses calls before, or their answers after, they are executed.
type lossy struct {
	gateway.Gateway
	draw func() (before, after bool)
}

func lose[T any](l lossy, call func() (T, error)) (result T, err error) {
	before, after := l.draw()
	if before {
		return result, gateway.ErrUnavailable
	}
	made, err := call()
	if after {
		return result, gateway.ErrUnavailable
	}
	return made, err
}

func (l lossy) Create(ctx context.Context, c gateway.Create) (gateway.Intent, error) {
	return lose(l, func() (gateway.Intent, error) { return l.Gateway.Create(ctx, c) })
}

func (l lossy) Resolve(ctx context.Context, c gateway.Create) (gateway.Intent, error) {
	return lose(l, func() (gateway.Intent, error) { return l.Gateway.Resolve(ctx, c) })
}

func (l lossy) Confirm(ctx context.Context, c gateway.Confirm) (gateway.Intent, error) {
	return lose(l, func() (gateway.Intent, error) { return l.Gateway.Confirm(ctx, c) })
}

func (l lossy) Cancel(ctx context.Context, c gateway.Cancel) (gateway.Intent, error) {
	return lose(l, func() (gateway.Intent, error) { return l.Gateway.Cancel(ctx, c) })
}

func (l lossy) Refund(ctx context.Context, r gateway.Refund) (gateway.Refunded, error) {
	return lose(l, func() (gateway.Refunded, error) { return l.Gateway.Refund(ctx, r) })
}

// TestSandboxChargesOnce: processes come and go, answers are lost; all webhooks ever sent tell of at most one paid
// intent per payment, and whoever has seen one gets the money back.
func TestSandboxChargesOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var mu sync.Mutex
		paid := map[string]bool{}
		refunds := map[string]bool{}
		deliver := func(_ context.Context, payload []byte, signature string) error {
			event, err := webhookKey.Parse(payload, signature, time.Now(), 0)
			mu.Lock()
			defer mu.Unlock()
			switch event.Type {
			case gateway.TypeSucceeded:
				paid[event.IntentID] = true
			case gateway.TypeRefunded:
				refunds[event.RefundID] = true
			}
			return err
		}
		calm := false
		draw := func() (before, after bool) {
			if calm {
				return false, false
			}
			return rapid.IntRange(0, 3).Draw(t, "lose call") == 0, rapid.IntRange(0, 3).Draw(t, "lose answer") == 0
		}
		var sandbox *gateway.Sandbox
		restart := func() {
			if sandbox != nil {
				if err := sandbox.Close(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			var err error
			sandbox, err = gateway.NewSandbox(gateway.SandboxConfig{Secret: make([]byte, 32), Deliver: deliver,
				WebhookSecret: webhookSecret, Remember: rapid.IntRange(1, 4).Draw(t, "remember")})
			if err != nil {
				t.Fatal(err)
			}
		}
		restart()
		b := &buyer{t: t, gw: func() gateway.Gateway { return lossy{sandbox, draw} }, calm: func() { calm = true }}
		b.before = func(gatewaytest.Step) {
			calm = false
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				restart()
			}
		}
		c := order("k1", rapid.SampledFrom(methods).Draw(t, "method"))
		in := b.pay(c)
		var ids []string
		restart() // so that every webhook has arrived
		if in.Status == gateway.StatusSucceeded || paid[in.ID] {
			ids = b.refund(c, in.ID)
		}
		if err := sandbox.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(paid) > 1 || (len(paid) == 1 && !paid[in.ID]) {
			t.Fatalf("told of %s, webhooks tell of %v", in.ID, paid)
		}
		if len(refunds) != len(ids) {
			t.Fatalf("told of refunds %v, webhooks tell of %v", ids, refunds)
		}
	})
}
