package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

const (
	webhookSecret = "whsec_test"
	succeeded     = `{"id":"evt_1","object":"event","api_version":"1999-01-01","type":"payment_intent.succeeded",` +
		`"data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{"orderId":"o1","paymentIntentId":"p1"},` +
		`"payment_method":"pm_1"}}}`
)

var (
	sentAt     = time.Unix(1_700_000_000, 0)
	webhookKey = gateway.NewWebhookKey(webhookSecret)
)

func TestWebhookSignature(t *testing.T) {
	payload := []byte(succeeded)
	good := webhookKey.Sign(payload, sentAt)
	stamp, v1, _ := strings.Cut(good, ",")
	for _, c := range []struct {
		name      string
		signature string
		secret    string
		now       time.Time
		ok        bool
	}{
		{"as signed", good, webhookSecret, sentAt, true},
		{"at the end of the tolerance", good, webhookSecret, sentAt.Add(5 * time.Minute), true},
		{"stale", good, webhookSecret, sentAt.Add(5*time.Minute + time.Second), false},
		{"from the future", good, webhookSecret, sentAt.Add(-5*time.Minute - time.Second), false},
		{"while the secret is rolled", stamp + ",v1=" + strings.Repeat("0", 64) + "," + v1, webhookSecret, sentAt, true},
		{"beside other schemes and junk", stamp + ",v0=ab,v1=zz," + v1, webhookSecret, sentAt, true},
		{"with spaces", stamp + ", " + v1, webhookSecret, sentAt, true},
		{"wrong secret", good, "whsec_other", sentAt, false},
		{"no secret configured", gateway.NewWebhookKey("").Sign(payload, sentAt), "", sentAt, false},
		{"missing", "", webhookSecret, sentAt, false},
		{"no timestamp", v1, webhookSecret, sentAt, false},
		{"another timestamp", "t=1700000001," + v1, webhookSecret, sentAt, false},
		{"no v1", stamp + ",v0=" + strings.TrimPrefix(v1, "v1="), webhookSecret, sentAt, false},
		{"cut off", good[:len(good)-2], webhookSecret, sentAt, false},
		{"no pair", "hello", webhookSecret, sentAt, false},
		{"a timestamp beyond time", "t=9223372036854775807," + v1, webhookSecret, sentAt, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			event, err := gateway.NewWebhookKey(c.secret).Parse(payload, c.signature, c.now, 0)
			if c.ok && (err != nil || event.IntentID != "pi_1") {
				t.Fatalf("want the event, got %+v, %v", event, err)
			}
			if !c.ok && (!errors.Is(err, gateway.ErrSignature) || event != (gateway.Event{})) {
				t.Fatalf("want a signature error and no event, got %+v, %v", event, err)
			}
		})
	}
	if _, err := webhookKey.Parse([]byte(succeeded+" "), good, sentAt, 0); !errors.Is(err, gateway.ErrSignature) {
		t.Fatalf("want a signature error for a changed payload, got %v", err)
	}
}

// TestWebhookSchemeIsStripes: what Stripe's library signs we accept, what we sign Stripe's library accepts.
func TestWebhookSchemeIsStripes(t *testing.T) {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: []byte(succeeded), Secret: webhookSecret, Timestamp: sentAt})
	if _, err := webhookKey.Parse(signed.Payload, signed.Header, sentAt, 0); err != nil {
		t.Fatal(err)
	}
	if err := webhook.ValidatePayloadIgnoringTolerance([]byte(succeeded),
		webhookKey.Sign([]byte(succeeded), sentAt), webhookSecret); err != nil {
		t.Fatal(err)
	}
}

func TestWebhookEvents(t *testing.T) {
	const metadata = `"metadata":{"orderId":"o1","paymentIntentId":"p1"}`
	wrap := func(name, object string) string {
		return `{"id":"evt_1","type":"` + name + `","data":{"object":` + object + `}}`
	}
	known := gateway.Event{ID: "evt_1", IntentID: "pi_1", OrderID: "o1", PaymentID: "p1"}
	event := func(change func(*gateway.Event)) gateway.Event {
		e := known
		change(&e)
		return e
	}
	for _, c := range []struct {
		payload string
		want    gateway.Event
	}{
		{wrap("payment_intent.processing", `{"id":"pi_1",`+metadata+`,"payment_method":{"id":"pm_2","type":"card"}}`),
			event(func(e *gateway.Event) { e.Type = "payment_intent.processing"; e.Method = "pm_2" })},
		{wrap("payment_intent.canceled", `{"id":"pi_1",`+metadata+`,"payment_method":null}`),
			event(func(e *gateway.Event) { e.Type = "payment_intent.canceled" })},
		{wrap("payment_intent.requires_action", `{"id":"pi_1","metadata":null}`),
			gateway.Event{ID: "evt_1", Type: "payment_intent.requires_action", IntentID: "pi_1"}},
		{wrap("payment_intent.payment_failed", `{"id":"pi_1",`+metadata+
			`,"last_payment_error":{"code":"card_declined","message":"No.","payment_method":{"id":"pm_3"}}}`),
			event(func(e *gateway.Event) {
				e.Type, e.Message, e.Method = "payment_intent.payment_failed", "No.", "pm_3"
			})},
		{wrap("charge.refunded", `{"id":"ch_1","payment_intent":"pi_1",`+metadata+
			`,"amount_refunded":700,"refunds":{"data":[{"id":"re_1","created":5},{"id":"re_2","created":9}]}}`),
			event(func(e *gateway.Event) { e.Type, e.AmountRefunded, e.RefundID = "charge.refunded", 700, "re_2" })},
		{wrap("charge.refunded", `{"id":"ch_1","payment_intent":{"id":"pi_1"},"amount_refunded":700,"refunds":null}`),
			gateway.Event{ID: "evt_1", Type: "charge.refunded", IntentID: "pi_1", AmountRefunded: 700}},
		{wrap("charge.refunded", `{"id":"ch_1","payment_intent":null}`), gateway.Event{ID: "evt_1", Type: "charge.refunded"}},
		{wrap("charge.dispute.created", `{"id":"dp_1","payment_intent":"pi_1","metadata":{}}`),
			gateway.Event{ID: "evt_1", Type: "charge.dispute.created", IntentID: "pi_1", DisputeID: "dp_1"}},
		{wrap("customer.created", `{"id":"cus_1"}`), gateway.Event{ID: "evt_1", Type: "customer.created"}},
		{wrap("v2.something", `7`), gateway.Event{ID: "evt_1", Type: "v2.something"}},
	} {
		got, err := webhookKey.Parse([]byte(c.payload), webhookKey.Sign([]byte(c.payload), sentAt), sentAt, 0)
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", c.payload, got, err, c.want)
		}
	}
	for _, payload := range []string{"", "7", "null", "{}", "[", `{"id":"evt_1"}`, `{"type":"charge.refunded"}`,
		wrap("payment_intent.succeeded", `null`), wrap("payment_intent.succeeded", `{}`),
		wrap("payment_intent.succeeded", `{"id":7}`), wrap("charge.refunded", `{"id":"ch_1","amount_refunded":1.5}`),
		`{"id":"evt_1","type":"payment_intent.succeeded"}`} {
		event, err := webhookKey.Parse([]byte(payload), webhookKey.Sign([]byte(payload), sentAt), sentAt, 0)
		if !errors.Is(err, gateway.ErrPayload) || event != (gateway.Event{}) {
			t.Errorf("%s: want a payload error and no event, got %+v, %v", payload, event, err)
		}
	}
}

// FuzzParseWebhook: whatever arrives, the answer is an event of a signed payload, or one of the two errors.
func FuzzParseWebhook(f *testing.F) {
	f.Add([]byte(succeeded), webhookKey.Sign([]byte(succeeded), sentAt), false)
	f.Add([]byte(`{"id":"e","type":"charge.refunded","data":{"object":{"id":"c","payment_intent":{"id":"p"}}}}`), "t=1,v1=00", true)
	f.Add([]byte("null"), "t=,v1=", true)
	f.Fuzz(func(t *testing.T, payload []byte, signature string, sign bool) {
		if sign {
			signature = webhookKey.Sign(payload, sentAt)
		}
		event, err := webhookKey.Parse(payload, signature, sentAt, 0)
		switch {
		case err == nil:
			if event.ID == "" || event.Type == "" {
				t.Fatalf("an event without id or type: %+v", event)
			}
			if webhook.ValidatePayloadIgnoringTolerance(payload, strings.ReplaceAll(signature, " ", ""), webhookSecret) != nil &&
				webhook.ValidatePayloadIgnoringTolerance(payload, webhookKey.Sign(payload, sentAt), webhookSecret) != nil {
				t.Fatalf("accepted what Stripe's library refuses: %q", signature)
			}
		case event != (gateway.Event{}):
			t.Fatalf("an event beside error %v: %+v", err, event)
		case !errors.Is(err, gateway.ErrSignature) && !errors.Is(err, gateway.ErrPayload):
			t.Fatalf("neither signature nor payload: %v", err)
		case sign && errors.Is(err, gateway.ErrSignature):
			t.Fatalf("a right signature refused: %v", err)
		}
	})
}
