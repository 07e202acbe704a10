package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

// TestSandboxRestart: a process that was killed calls again, and the new sandbox goes on where the old one was.
func TestSandboxRestart(t *testing.T) {
	for method, status := range map[string]gateway.Status{
		"": gateway.StatusRequiresMethod, "pm_card_visa": gateway.StatusSucceeded,
		"pm_card_chargeDeclinedExpiredCard": gateway.StatusRequiresMethod,
		"pm_card_authenticationRequired":    gateway.StatusRequiresAction,
	} {
		t.Run("method "+method, func(t *testing.T) {
			before, after := newSandbox(t, nil), newSandbox(t, nil)
			first, err := before.Create(t.Context(), order("k1", method))
			want(t, first, err, status)
			again, err := after.Create(t.Context(), order("k1", method))
			want(t, again, err, status)
			same(t, first, again)
			if totals := after.Totals(); totals.Intents != 1 || totals.Charges != before.Totals().Charges {
				t.Fatalf("want what the first process did, got %+v", totals)
			}
		})
	}
	t.Run("confirm and refund of an old intent", func(t *testing.T) {
		before, middle, after := newSandbox(t, nil), newSandbox(t, nil), newSandbox(t, nil)
		created, err := before.Create(t.Context(), order("k1", ""))
		want(t, created, err, gateway.StatusRequiresMethod)
		confirm := gateway.Confirm{Key: "c1", IntentID: created.ID, Method: "pm_card_visa"}
		first, err := before.Confirm(t.Context(), confirm)
		want(t, first, err, gateway.StatusSucceeded)
		again, err := middle.Confirm(t.Context(), confirm)
		want(t, again, err, gateway.StatusSucceeded)
		same(t, first, again)
		refund := gateway.Refund{Key: "r1", IntentID: created.ID, Amount: 4300}
		a, errA := middle.Refund(t.Context(), refund)
		b, errB := after.Refund(t.Context(), refund)
		if errA != nil || errB != nil || a != b {
			t.Fatalf("want the same refund, got %v %v and %v %v", a, errA, b, errB)
		}
		_, err = after.Refund(t.Context(), gateway.Refund{Key: "r2", IntentID: created.ID, Amount: 1})
		wantError(t, err, gateway.ErrRejected)
	})
	t.Run("cancel of an old charge", func(t *testing.T) {
		created, err := newSandbox(t, nil).Create(t.Context(), order("k1", "pm_card_visa"))
		want(t, created, err, gateway.StatusSucceeded)
		got, err := newSandbox(t, nil).Cancel(t.Context(), gateway.Cancel{Key: "x1", IntentID: created.ID})
		want(t, got, err, gateway.StatusSucceeded)
	})
	t.Run("a webhook of a charge whose answer was lost", func(t *testing.T) {
		created, err := newSandbox(t, nil).Create(t.Context(), order("k1", "pm_card_visa"))
		want(t, created, err, gateway.StatusSucceeded)
		after := newSandbox(t, nil)
		resolved, err := after.Resolve(t.Context(), order("k1", "pm_card_visa"))
		want(t, resolved, err, gateway.StatusRequiresMethod)
		if resolved.ID != created.ID {
			t.Fatalf("the webhook says %s, Resolve says %s", created.ID, resolved.ID)
		}
		if _, err := after.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: created.ID, Amount: 4300}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSandboxForgets: with no memory to speak of, calls have the same outcome, and ids of others are none.
func TestSandboxForgets(t *testing.T) {
	sandbox := newSandbox(t, func(cfg *gateway.SandboxConfig) { cfg.Remember = 1 })
	ids := make([]gateway.Intent, 20)
	for round := range 3 {
		for i := range ids {
			got, err := sandbox.Create(t.Context(), order(fmt.Sprint("k", i), "pm_card_visa"))
			want(t, got, err, gateway.StatusSucceeded)
			if round > 0 {
				same(t, ids[i], got)
			}
			ids[i] = got
		}
	}
	other := newSandbox(t, func(cfg *gateway.SandboxConfig) { cfg.Secret = []byte("another installation") })
	_, err := other.Cancel(t.Context(), gateway.Cancel{Key: "x", IntentID: ids[0].ID})
	wantError(t, err, gateway.ErrRejected)
	forged := []byte(ids[0].ID)
	forged[8] ^= 1
	_, err = sandbox.Cancel(t.Context(), gateway.Cancel{Key: "x", IntentID: string(forged)})
	wantError(t, err, gateway.ErrRejected)
}

func TestSandboxIDs(t *testing.T) {
	sandbox, rebuilt := newSandbox(t, nil), newSandbox(t, nil)
	for _, names := range [][2]string{
		{orderID, paymentID}, {"", ""}, {orderID, "pay_other"}, {"ext-1", "pay_xZXh0"},
		{strings.Repeat("o", 48), strings.Repeat("p", 48)}, {strings.Repeat("o", 5000), "p"},
		{"65F000000123456789ABCDEF", paymentID},
	} {
		c := order("k"+names[0]+names[1], "pm_card_visa")
		c.OrderID, c.PaymentID, c.Amount = names[0], names[1], 1<<62
		got, err := sandbox.Create(t.Context(), c)
		want(t, got, err, gateway.StatusSucceeded)
		if len(got.ID) > 255 || strings.ContainsAny(got.ID, "- /") {
			t.Errorf("id %q", got.ID)
		}
		again, err := rebuilt.Cancel(t.Context(), gateway.Cancel{Key: "x" + c.Key, IntentID: got.ID})
		want(t, again, err, gateway.StatusSucceeded)
		same(t, got, again)
	}
}

// mailbox is a receiver of webhooks that verifies them.
type mailbox struct {
	t testing.TB

	mu     sync.Mutex
	events []gateway.Event
	refuse int // so many deliveries are refused first
}

func (m *mailbox) deliver(_ context.Context, payload []byte, signature string) error {
	event, err := webhookKey.Parse(payload, signature, time.Now(), 0)
	if err != nil {
		m.t.Errorf("webhook: %v", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse > 0 {
		m.refuse--
		return errors.New("not now")
	}
	m.events = append(m.events, event)
	return nil
}

func (m *mailbox) received() []gateway.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]gateway.Event(nil), m.events...)
}

func TestSandboxWebhooks(t *testing.T) {
	box := &mailbox{t: t, refuse: 3}
	sandbox := newSandbox(t, func(cfg *gateway.SandboxConfig) {
		cfg.Deliver, cfg.WebhookSecret, cfg.Retry = box.deliver, webhookSecret, time.Millisecond
	})
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in, err := sandbox.Create(t.Context(), order("k1", "pm_card_chargeDeclinedExpiredCard"))
	want(t, in, err, gateway.StatusRequiresMethod)
	must(sandbox.Confirm(t.Context(), gateway.Confirm{Key: "c1", IntentID: in.ID, Method: "pm_card_authenticationRequired"}))
	must(sandbox.CompleteAction(t.Context(), in.ID, false))
	must(sandbox.Confirm(t.Context(), gateway.Confirm{Key: "c2", IntentID: in.ID, Method: "pm_card_createDispute"}))
	must(sandbox.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: in.ID, Amount: 300}))
	must(sandbox.Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: in.ID, Amount: 300}))
	second, err := sandbox.Refund(t.Context(), gateway.Refund{Key: "r2", IntentID: in.ID, Amount: 4000})
	must(second, err)
	other := order("k2", "")
	other.OrderID, other.PaymentID = "o2", "p2"
	void, err := sandbox.Create(t.Context(), other)
	must(void, err)
	must(sandbox.Cancel(t.Context(), gateway.Cancel{Key: "x2", IntentID: void.ID}))
	if err := sandbox.Close(t.Context()); err != nil {
		t.Fatal(err)
	}

	of := map[string][]gateway.Event{}
	seen := map[string]bool{}
	for _, event := range box.received() {
		if event.ID == "" || seen[event.ID] {
			t.Errorf("event id %q twice or empty", event.ID)
		}
		seen[event.ID] = true
		event.ID = ""
		if event.DisputeID != "" {
			event.DisputeID = "dp"
		}
		of[event.IntentID] = append(of[event.IntentID], event)
	}
	known := func(e gateway.Event) gateway.Event {
		e.IntentID, e.OrderID, e.PaymentID = in.ID, orderID, paymentID
		return e
	}
	compare(t, of[in.ID], []gateway.Event{
		known(gateway.Event{Type: gateway.TypePaymentFailed, Message: "Your card has expired.", Method: "pm_card_chargeDeclinedExpiredCard"}),
		known(gateway.Event{Type: gateway.TypeRequiresAction, Method: "pm_card_authenticationRequired"}),
		known(gateway.Event{Type: gateway.TypePaymentFailed, Message: "We are unable to authenticate your payment method. " +
			"Please choose a different payment method and try again."}),
		known(gateway.Event{Type: gateway.TypeSucceeded, Method: "pm_card_createDispute"}),
		known(gateway.Event{Type: gateway.TypeDisputed, DisputeID: "dp"}),
		known(gateway.Event{Type: gateway.TypeRefunded, AmountRefunded: 300, RefundID: firstRefund(t, in.ID)}),
		known(gateway.Event{Type: gateway.TypeRefunded, AmountRefunded: 4300, RefundID: second.ID}),
	})
	compare(t, of[void.ID], []gateway.Event{{Type: gateway.TypeCanceled, IntentID: void.ID, OrderID: "o2", PaymentID: "p2"}})
	totals := sandbox.Totals()
	if totals.Delivered != 8 || totals.Waiting != 0 || totals.Dropped != 0 || totals.Charges != 1 || totals.Refunds != 2 {
		t.Errorf("totals %+v", totals)
	}
}

// firstRefund asks another sandbox, because refund ids follow from the key.
func firstRefund(t *testing.T, intentID string) string {
	made, err := newSandbox(t, nil).Refund(t.Context(), gateway.Refund{Key: "r1", IntentID: intentID, Amount: 300})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func compare(t *testing.T, got, wanted []gateway.Event) {
	t.Helper()
	for i := range max(len(got), len(wanted)) {
		if i >= len(got) || i >= len(wanted) || got[i] != wanted[i] {
			t.Errorf("event %d:\n got %+v\nwant %+v", i, got, wanted)
			return
		}
	}
}

// TestSandboxEventIDs: the call repeated after a restart sends the same event again, under its old id.
func TestSandboxEventIDs(t *testing.T) {
	var ids []string
	for range 2 {
		box := &mailbox{t: t}
		sandbox := newSandbox(t, func(cfg *gateway.SandboxConfig) { cfg.Deliver, cfg.WebhookSecret = box.deliver, webhookSecret })
		if _, err := sandbox.Create(t.Context(), order("k1", "pm_card_visa")); err != nil {
			t.Fatal(err)
		}
		if err := sandbox.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, event := range box.received() {
			ids = append(ids, event.ID)
		}
	}
	if len(ids) != 2 || ids[0] != ids[1] {
		t.Fatalf("want one id twice, got %v", ids)
	}
}

// TestSandboxNeverWaits: with a receiver that hangs, calls go on, what doesn't fit is dropped and counted, and Close
// ends all the same.
func TestSandboxNeverWaits(t *testing.T) {
	hangs := func(ctx context.Context, _ []byte, _ string) error {
		<-ctx.Done()
		return ctx.Err()
	}
	sandbox := newSandbox(t, func(cfg *gateway.SandboxConfig) {
		cfg.Deliver, cfg.WebhookSecret, cfg.Backlog = hangs, webhookSecret, 32
	})
	const calls = 500
	for i := range calls {
		if _, err := sandbox.Create(t.Context(), order(fmt.Sprint("k", i), "pm_card_visa")); err != nil {
			t.Fatal(err)
		}
	}
	totals := sandbox.Totals()
	if totals.Charges != calls || totals.Dropped == 0 || totals.Waiting+totals.Dropped != calls || totals.Waiting > 48 {
		t.Fatalf("want %d charges and a backlog of at most 48, got %+v", calls, totals)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sandbox.Close(ctx); err == nil {
		t.Fatal("want an error that tells of lost webhooks")
	}
	if totals := sandbox.Totals(); totals.Waiting != 0 || totals.Dropped != calls {
		t.Fatalf("want all webhooks accounted for, got %+v", totals)
	}
}

// TestSandboxRace: many callers with one key are one call.
func TestSandboxRace(t *testing.T) {
	sandbox := newSandbox(t, nil)
	var group sync.WaitGroup
	answers := make([]gateway.Intent, 16)
	for i := range answers {
		group.Go(func() {
			got, err := sandbox.Create(t.Context(), order("k1", "pm_card_visa"))
			if err != nil {
				t.Error(err)
			}
			answers[i] = got
		})
	}
	group.Wait()
	for _, answer := range answers {
		same(t, answers[0], answer)
	}
	if totals := sandbox.Totals(); totals.Charges != 1 || totals.Intents != 1 {
		t.Fatalf("want one charge, got %+v", totals)
	}
}

func TestSandboxConfig(t *testing.T) {
	if _, err := gateway.NewSandbox(gateway.SandboxConfig{Secret: []byte("short")}); err == nil {
		t.Error("want an error for a short secret")
	}
	if _, err := gateway.NewSandbox(gateway.SandboxConfig{Secret: make([]byte, 32),
		Deliver: func(context.Context, []byte, string) error { return nil }}); err == nil {
		t.Error("want an error for webhooks without a secret")
	}
}

func BenchmarkSandboxCreate(b *testing.B) {
	for _, c := range []struct {
		name    string
		deliver func(context.Context, []byte, string) error
	}{{"without webhooks", nil}, {"with webhooks", func(context.Context, []byte, string) error { return nil }}} {
		b.Run(c.name, func(b *testing.B) {
			sandbox := newSandbox(b, func(cfg *gateway.SandboxConfig) { cfg.Deliver, cfg.WebhookSecret = c.deliver, webhookSecret })
			keys := make([]string, 1<<17)
			for i := range keys {
				keys[i] = fmt.Sprintf("pay_%016x/create/1", i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				create := order(keys[i%len(keys)], "pm_card_visa")
				if _, err := sandbox.Create(b.Context(), create); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.StopTimer()
			if err := sandbox.Close(context.Background()); err != nil {
				b.Log(err)
			}
		})
	}
}

// TestSandboxRemembersNames: the events of an intent that was rebuilt from its id still tell whose it is.
func TestSandboxRemembersNames(t *testing.T) {
	for _, names := range [][2]string{{orderID, paymentID}, {orderID, "pay_of_another_form"}, {"external 7", "pay_x"}} {
		c := order("k1", "")
		c.OrderID, c.PaymentID = names[0], names[1]
		created, err := newSandbox(t, nil).Create(t.Context(), c)
		want(t, created, err, gateway.StatusRequiresMethod)
		box := &mailbox{t: t}
		after := newSandbox(t, func(cfg *gateway.SandboxConfig) { cfg.Deliver, cfg.WebhookSecret = box.deliver, webhookSecret })
		paid, err := after.Confirm(t.Context(), gateway.Confirm{Key: "c1", IntentID: created.ID, Method: "pm_card_visa"})
		want(t, paid, err, gateway.StatusSucceeded)
		if err := after.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		events := box.received()
		if len(events) != 1 || events[0].OrderID != names[0] || events[0].PaymentID != names[1] {
			t.Errorf("want an event of %v, got %+v", names, events)
		}
	}
}
