package gateway

import (
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

func TestEncoders(t *testing.T) {
	domaintest.Documents(t, noticeEvent[noticeIntent]{}, noticeEvent[noticeCharge]{}, noticeEvent[noticeDispute]{})
}

// BenchmarkWebhook is the way of one webhook of the sandbox, from the state change to the event.
func BenchmarkWebhook(b *testing.B) {
	seals := newSealer([]byte("0123456789abcdef0123456789abcdef"))
	t := token{card: 1, amount: 4300, currency: "usd", key: digestOf("k1"), order: "0000000a0011223344556677", payment: "pay_1"}
	in := sandboxIntent{token: t, status: StatusSucceeded}
	in.id, in.clientSecret, in.sign = seals.issue(t)
	n := &notice{event: TypeSucceeded, at: time.Unix(1_700_000_000, 0), key: t.key, intent: in, method: "pm_card_visa"}
	payload := n.payload()
	key := NewWebhookKey("whsec_0123456789abcdef0123456789abcdef")
	signature := key.Sign(payload, n.at)
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n.payload()
		}
	})
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			key.Sign(payload, n.at)
		}
	})
	b.Run("verify and parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := key.Parse(payload, signature, n.at, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
