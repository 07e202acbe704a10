package gateway

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

const tokenSecret = "0123456789abcdef0123456789abcdef"

func TestTokenIsReadAsIssued(t *testing.T) {
	seals := newSealer([]byte(tokenSecret))
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.OneOf(rapid.StringMatching(`[0-9a-f]{24}`), rapid.StringN(0, -1, nameMax), rapid.Just(string(make([]byte, nameMax+1)))).Draw(t, "order")
		payment := rapid.OneOf(rapid.Just(domain.PaymentIntentID(order)), rapid.StringN(0, -1, nameMax)).Draw(t, "payment")
		issued := token{card: rapid.Uint8().Draw(t, "card"), amount: rapid.Int64Min(0).Draw(t, "amount"), currency: rapid.StringMatching(`[a-z]{3}`).Draw(t, "currency"),
			key: digestOf(rapid.String().Draw(t, "key")), order: order, payment: payment}
		id, clientSecret, sign := seals.issue(issued)
		want := issued
		ours := domain.IsID(order) && domain.PaymentIntentID(order) == payment
		if !ours && (len(order) > nameMax || len(payment) > nameMax) {
			want.order, want.payment = "", "" // too long to be kept
		}
		got, gotSecret, gotSign, ok := seals.open(id)
		if !ok || got != want || gotSecret != clientSecret || gotSign != sign {
			t.Fatalf("%s: read %+v %q (%v), want %+v %q", id, got, gotSecret, ok, want, clientSecret)
		}
		raw := issued.append(nil)
		for end := range raw {
			if cut, ok := parseToken(raw[:end]); ok {
				t.Fatalf("%d of %d bytes are read as %+v", end, len(raw), cut)
			}
		}
	})
}

// TestTokensLieInTheOrderOfTime: what sorts ids, as an index does, gets a new one near its end.
func TestTokensLieInTheOrderOfTime(t *testing.T) {
	seals := newSealer([]byte(tokenSecret))
	last := ""
	for second := range domain.Time(1000) {
		order := domain.NewID(1_700_000_000_000+1000*second, [8]byte{})
		id, _, _ := seals.issue(token{key: digestOf(order), currency: "usd", order: order, payment: domain.PaymentIntentID(order)})
		if id <= last {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
}

// TestTokensOfTheVersionBefore: stores have these ids, and what is behind them may be refunded.
func TestTokensOfTheVersionBefore(t *testing.T) {
	seals := newSealer([]byte(tokenSecret))
	for id, want := range map[string]token{
		"pi_040pnefhxe7qtcw8ykwxb1pc45tq6s0130r30c1g60r30r9g60rk2chj6csk8d1n6mv3cdsq0nr62yaz668vxc3n02scqszhdc": {
			card: 1, amount: 4300, currency: "usd", key: digestOf("k1"), order: "0000000a0011223344556677", payment: "pay_1"},
		"pi_0416nefhxe7qtcw8ykwxb1pc45tq6s0130v3ashhc4s64cv36hj3as9pcrvk0e1h74s62cv23hr62yaz6rtpccb169h36rsmcgtpadk66wr3gc9s69gk6rm6zznfmndnqanc4h8": {
			card: 2, amount: 4300, currency: "usd", key: digestOf("k1"), order: "65f1a2b3c4d5e6f708192a3b", payment: "pay_65f1a2b3c4d5e6f708192a3b"},
		"pi_041jym2js7yhbcct332r9m01cntq40pvbrd5gstcddyzhh8": {card: 3, amount: 1, currency: "eur", key: digestOf("k3")},
	} {
		if got, _, _, ok := seals.open(id); !ok || got != want {
			t.Errorf("%s is %+v (%v), want %+v", id, got, ok, want)
		}
	}
}
