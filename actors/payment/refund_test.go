package payment_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

func TestRefund(t *testing.T) {
	partly := then(paid(), giveBack(1000), made(0))
	domaintest.Table(t, rules, []row{
		{Name: "all, because no amount is named", Given: after(t, paid()), When: giveRest(), Then: events{refundAsked(0, amount, "damaged")}},
		{Name: "a part", Given: after(t, paid()), When: giveBack(1000), Then: events{refundAsked(0, 1000, "damaged")}},
		{Name: "another part", Given: after(t, partly), When: giveBack(398), Then: events{refundAsked(1, 398, "damaged")}},
		{Name: "the rest, because no amount is named", Given: after(t, partly), When: giveRest(), Then: events{refundAsked(1, amount-1000, "damaged")}},
		{Name: "exactly the rest", Given: after(t, partly), When: giveBack(amount - 1000), Then: events{refundAsked(1, amount-1000, "damaged")}},
		{Name: "one more than the rest", Given: after(t, partly), When: giveBack(amount - 999), Kind: domain.KindConflict, Code: "refund_exceeds_payment"},
		{Name: "more than was paid", Given: after(t, paid()), When: giveBack(amount + 1), Kind: domain.KindConflict, Code: "refund_exceeds_payment"},
		{Name: "in parallel: what is under way is gone", Given: after(t, then(paid(), giveBack(5000))), When: giveBack(399), Kind: domain.KindConflict, Code: "refund_exceeds_payment"},
		{Name: "in parallel: what is left may go", Given: after(t, then(paid(), giveBack(5000))), When: giveBack(398), Then: events{refundAsked(1, 398, "damaged")}},
		{Name: "the rest while all is under way", Given: after(t, then(paid(), giveRest())), When: giveRest(), Kind: domain.KindConflict, Code: "refund_exceeds_payment"},
		{Name: "after all is refunded", Given: after(t, then(paid(), giveRest(), made(0))), When: giveBack(1), Kind: domain.KindConflict, Code: "refund_exceeds_payment"},
		{Name: "what the provider refused may be asked again", Given: after(t, then(paid(), giveRest(), rejected(payment.WorkRefund, 0))), When: giveRest(), Then: events{refundAsked(1, amount, "damaged")}},
		{Name: "nothing", Given: after(t, paid()), When: giveBack(0), Kind: domain.KindInvalid, Code: "amount_out_of_range"},
		{Name: "less than nothing", Given: after(t, paid()), When: giveBack(-1), Kind: domain.KindInvalid, Code: "amount_out_of_range"},
		{Name: "what is not paid", Given: after(t, open()), When: giveRest(), Kind: domain.KindConflict, Code: "payment_not_paid"},
		{Name: "what was declined", Given: after(t, declined()), When: giveRest(), Kind: domain.KindConflict, Code: "payment_not_paid"},
		{Name: "what is not there", When: giveRest(), Kind: domain.KindNotFound, Code: "payment_not_found"},
		{Name: "made", Given: after(t, then(paid(), giveBack(1000))), When: made(0), Then: events{refunded(0, 1000, "re_a", "damaged")}},
		{Name: "made, reported twice", Given: after(t, partly), When: made(0)},
		{Name: "made, of which nobody knows", Given: after(t, partly), When: made(1)},
		{Name: "made, with an impossible number", Given: after(t, partly), When: made(-1)},
		{Name: "refused for good", Given: after(t, then(paid(), giveBack(1000))), When: rejected(payment.WorkRefund, 0), Then: events{payment.RefundRejected{Message: "no such thing", At: at}}},
		{Name: "refused, reported late", Given: after(t, partly), When: rejected(payment.WorkRefund, 0)},
	})
	for name, c := range map[string]struct {
		list   commands
		status payment.Status
		sum    int64
		due    string
	}{
		"asked":               {then(paid(), giveBack(1000)), payment.StatusSucceeded, 0, "refund/0"},
		"two asked":           {then(paid(), giveBack(1000), giveRest()), payment.StatusSucceeded, 0, "refund/0"},
		"the second made":     {then(paid(), giveBack(1000), giveRest(), made(1)), payment.StatusPartiallyRefunded, amount - 1000, "refund/0"},
		"partly":              {partly, payment.StatusPartiallyRefunded, 1000, ""},
		"both made":           {then(partly, giveRest(), made(1)), payment.StatusRefunded, amount, ""},
		"made at once":        {then(paid(), giveRest(), made(0)), payment.StatusRefunded, amount, ""},
		"refused":             {then(paid(), giveRest(), rejected(payment.WorkRefund, 0)), payment.StatusSucceeded, 0, ""},
		"partly, outside":     {then(paid(), refundedAt(1000)), payment.StatusPartiallyRefunded, 1000, ""},
		"all of it outside":   {then(paid(), refundedAt(amount)), payment.StatusRefunded, amount, ""},
		"both ways":           {then(partly, refundedAt(3000)), payment.StatusPartiallyRefunded, 3000, ""},
		"more than was paid?": {then(paid(), refundedAt(amount+1)), payment.StatusRefunded, amount, ""},
	} {
		s := &subject(t, c.list).State
		if got := due(s); s.Status != c.status || s.Refunded() != c.sum || got != c.due {
			t.Errorf("%s: %s, refunded %d, due %q; wanted %s, %d, %q", name, s.Status, s.Refunded(), got, c.status, c.sum, c.due)
		}
	}
}

// Somebody refunds at the provider's own pages while a refund of ours is under way there.
func TestRefundsAtTheProvider(t *testing.T) {
	underWay := then(paid(), giveBack(1000))
	noticed := func(n int64) payment.Noticed {
		return payment.Noticed{Refunded: n, RefundID: "re_out", At: at}
	}
	failedRefund := payment.RefundRejected{Message: "no such thing", At: at}
	voidOpen := then(paid(), void())
	domaintest.Table(t, rules, []row{
		{Name: "known from us already", Given: after(t, then(underWay, made(0))), When: refundedAt(1000)},
		{Name: "an old total after a newer one", Given: after(t, then(paid(), refundedAt(900))), When: refundedAt(400)},
		{Name: "reported twice", Given: after(t, then(paid(), refundedAt(900))), When: refundedAt(900)},
		{Name: "a new total: only what is new", Given: after(t, then(paid(), refundedAt(900))), When: refundedAt(1400), Then: events{outside(500)}},
		{Name: "may be ours, which is under way: kept in mind", Given: after(t, underWay), When: refundedAt(1000), Then: events{noticed(1000)}},
		{Name: "kept in mind once", Given: after(t, then(underWay, refundedAt(1000))), When: refundedAt(1000)},
		{Name: "it was ours", Given: after(t, then(underWay, refundedAt(1000))), When: made(0), Then: events{refunded(0, 1000, "re_a", "damaged")}},
		{Name: "it was not ours, which was refused", Given: after(t, then(underWay, refundedAt(1000))), When: rejected(payment.WorkRefund, 0), Then: events{failedRefund, outside(1000)}},
		{Name: "more than ours can be: the rest was not ours", Given: after(t, underWay), When: refundedAt(1300), Then: events{noticed(1300), outside(300)}},
		{Name: "void, and all of it was refunded outside before ours", Given: after(t, then(voidOpen, refundedAt(amount))), When: rejected(payment.WorkRefund, 0), Then: events{failedRefund, outside(amount)}},
		{Name: "void, and a part was refunded outside before ours: the rest is asked again", Given: after(t, then(voidOpen, refundedAt(98))), When: rejected(payment.WorkRefund, 0),
			Then: events{failedRefund, outside(98), refundAsked(1, amount-98, "order cancelled")}},
		{Name: "void, ours refused, and only then the part outside is heard of", Given: after(t, then(voidOpen, rejected(payment.WorkRefund, 0))), When: refundedAt(98),
			Then: events{outside(98), refundAsked(1, amount-98, "order cancelled")}},
		{Name: "void, refused for no reason that we know: asking again would be refused again", Given: after(t, voidOpen), When: rejected(payment.WorkRefund, 0), Then: events{failedRefund}},
		{Name: "void while a partial refund was under way, which is refused: its part is asked again",
			Given: after(t, then(underWay, void())), When: rejected(payment.WorkRefund, 0), Then: events{failedRefund, refundAsked(2, 1000, "order cancelled")}},
		{Name: "before the payment is heard of: what was refunded had been paid", Given: after(t, open()), When: refundedAt(1000), Then: events{succeeded("", 0), outside(1000)}},
		{Name: "before the intent is heard of", Given: after(t, waiting()), When: refundedAt(1000), Then: events{created(""), succeeded("", 0), outside(1000)}},
		{Name: "of a void payment: the rest is refunded", Given: after(t, voided()), When: refundedAt(1000), Then: events{succeeded("", 0), outside(1000), refundAsked(0, amount-1000, "order cancelled")}},
		{Name: "of nothing", Given: after(t, open()), When: refundedAt(0)},
	})
}
