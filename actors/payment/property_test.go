package payment_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

var outcomes = []payment.Outcome{payment.OutcomeOpen, payment.OutcomeDeclined, payment.OutcomeRequiresAction, payment.OutcomeProcessing,
	payment.OutcomeSucceeded, payment.OutcomeCanceled}

// anything is any command, sensible or not: reports for calls never made, answers twice, webhooks about nothing.
func anything() *rapid.Generator[payment.Command] {
	number := rapid.IntRange(0, 3)
	return rapid.Custom(func(t *rapid.T) payment.Command {
		switch rapid.IntRange(0, 12).Draw(t, "command") {
		case 0:
			return request(rapid.SampledFrom([]string{"", "pm_0"}).Draw(t, "method"))
		case 1:
			return confirm(rapid.SampledFrom([]string{"pm_1", "pm_2", "tok"}).Draw(t, "method"))
		case 2:
			if rapid.Bool().Draw(t, "rest") {
				return giveRest()
			}
			return giveBack(rapid.Int64Range(-1, amount+1).Draw(t, "amount"))
		case 3:
			return void()
		case 4, 5:
			return answered(number.Draw(t, "number"), rapid.SampledFrom(outcomes).Draw(t, "outcome"))
		case 6:
			return rejected(rapid.SampledFrom([]payment.Work{payment.WorkCreate, payment.WorkResolve, payment.WorkConfirm, payment.WorkCancel, payment.WorkRefund}).Draw(t, "work"), number.Draw(t, "number"))
		case 7:
			return made(number.Draw(t, "refund"))
		case 8:
			return refundedAt(rapid.Int64Range(0, amount+1).Draw(t, "total"))
		}
		return webhook(rapid.SampledFrom([]string{"succeeded", "payment_failed", "processing", "canceled", "requires_action", "dispute"}).Draw(t, "type"))
	})
}

// Whatever comes in whatever order: one charge at most, refunds never above it, no way back, and reports and webhooks
// repeated change nothing.
func TestAnySequenceOfCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rules.New()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := s.State
			command := anything().Draw(t, "do")
			happened, err := s.Do(t, command)
			if err == nil {
				noWayBack(t, &before, &s.State, happened)
			}
			switch command.(type) {
			case payment.Confirm, payment.GiveBack:
				continue // a new attempt, a new refund
			case payment.RecordRejected:
				continue // the next refund may have the same number only by being asked anew
			}
			if again, _ := s.Do(t, command); err == nil && len(again) > 0 {
				t.Fatalf("%T twice:%s\nthen%s", command, domaintest.Show(happened), domaintest.Show(again))
			}
		}
	})
}

func noWayBack(t *rapid.T, before, now *payment.State, happened events) {
	t.Helper()
	var charges, asked int
	for _, e := range happened {
		switch e.(type) {
		case payment.Succeeded:
			charges++
		case payment.RefundRequested:
			asked++
		}
	}
	if charges > 1 || (charges > 0 && before.Paid()) {
		t.Fatalf("charged again:%s", domaintest.Show(happened))
	}
	if before.Paid() && (!now.Paid() || now.PaidAt != before.PaidAt) {
		t.Fatalf("the payment came undone:%s", domaintest.Show(happened))
	}
	if rank(now.Status) < rank(before.Status) || before.Refunded() > now.Refunded() {
		t.Fatalf("went back from %s to %s:%s", before.Status, now.Status, domaintest.Show(happened))
	}
	if before.IntentID != "" && now.IntentID != before.IntentID {
		t.Fatalf("the intent became another one:%s", domaintest.Show(happened))
	}
	under := int64(0)
	refused := false
	for _, r := range now.Refunds {
		if r.RefundID == "" && r.Rejected == "" {
			under += r.Amount
		}
		refused = refused || r.Rejected != ""
	}
	if now.Refunded()+under > amount {
		t.Fatalf("refunded %d and %d under way of %d:%s", now.Refunded(), under, amount, domaintest.Show(happened))
	}
	if now.Void && now.Paid() && !refused && now.Refunded()+under != amount {
		t.Fatalf("void, and only %d of %d goes back:%s", now.Refunded()+under, amount, domaintest.Show(happened))
	}
	if work, _ := now.Due(); now.Void && now.Exists() && !now.Paid() && !now.Unpayable && work == payment.WorkNone {
		t.Fatalf("void and payable, and nothing is due")
	}
}
