package payment_test

import (
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

func TestWebhooks(t *testing.T) {
	const reason = "your card was declined"
	other := webhook("succeeded")
	other.IntentID = "pi_2"
	same := webhook("payment_failed")
	same.Message = "insufficient funds"
	notice := payment.Noticed{Failed: true, Message: reason, At: at}
	again := then(declined(), confirm("pm_2"))
	domaintest.Table(t, rules, []row{
		{Name: "succeeded", Given: after(t, open()), When: webhook("succeeded"), Then: events{succeeded("pm_real", 0)}},
		{Name: "succeeded, before the answer to creating it", Given: after(t, waiting()), When: webhook("succeeded"), Then: events{created(""), succeeded("pm_real", 0)}},
		{Name: "succeeded, before the answer to confirming it", Given: after(t, trying()), When: webhook("succeeded"), Then: events{succeeded("pm_real", 1)}},
		{Name: "succeeded, after a decline", Given: after(t, declined()), When: webhook("succeeded"), Then: events{succeeded("pm_real", 1)}},
		{Name: "succeeded, again", Given: after(t, paid()), When: webhook("succeeded")},
		{Name: "succeeded, after the refund", Given: after(t, then(paid(), giveRest(), made(0))), When: webhook("succeeded")},
		{Name: "failed", Given: after(t, open()), When: webhook("payment_failed"), Then: events{failed(0, "", reason, false)}},
		{Name: "failed at 3-D Secure", Given: after(t, secure()), When: webhook("payment_failed"), Then: events{failed(1, "", reason, false)}},
		{Name: "failed at the bank", Given: after(t, pending()), When: webhook("payment_failed"), Then: events{failed(1, "", reason, false)}},
		{Name: "failed, as we know", Given: after(t, declined()), When: webhook("payment_failed")},
		{Name: "failed, after success", Given: after(t, paid()), When: webhook("payment_failed")},
		{Name: "failed, after cancelling", Given: after(t, closed()), When: webhook("payment_failed")},
		{Name: "failed, while the answer is under way: kept in mind", Given: after(t, trying()), When: webhook("payment_failed"), Then: events{notice}},
		{Name: "failed, while the answer is under way, again", Given: after(t, then(trying(), webhook("payment_failed"))), When: webhook("payment_failed")},
		{Name: "failed, before the answer to creating it: kept in mind", Given: after(t, commands{request("pm_0")}), When: webhook("payment_failed"), Then: events{notice}},
		{Name: "the answer is older than the failure", Given: after(t, then(trying(), webhook("payment_failed"))), When: answered(1, payment.OutcomeProcessing),
			Then: events{payment.Processing{Attempt: 1, At: at}, failed(1, "", reason, false)}},
		{Name: "the answer to creating it is older than the failure", Given: after(t, commands{request("pm_0"), webhook("payment_failed")}), When: answered(0, payment.OutcomeProcessing),
			Then: events{created("pi_1_secret"), payment.Processing{At: at}, failed(0, "", reason, false)}},
		{Name: "the answer is the failure", Given: after(t, then(trying(), webhook("payment_failed"))), When: answered(1, payment.OutcomeDeclined), Then: events{failed(1, "insufficient_funds", "insufficient funds", false)}},
		{Name: "the answer brings the money all the same", Given: after(t, then(trying(), webhook("payment_failed"))), When: answered(1, payment.OutcomeSucceeded), Then: events{succeeded("pm_1", 1)}},
		{Name: "an earlier attempt's failure, late, while the next is under way", Given: after(t, again), When: same},
		{Name: "an earlier attempt's failure, late, while the buyer is at the bank", Given: after(t, then(again, answered(2, payment.OutcomeRequiresAction))), When: same},
		{Name: "a failure that reads like an earlier one, while only the bank can end it", Given: after(t, then(again, answered(2, payment.OutcomeProcessing))), When: same, Then: events{failed(2, "", "insufficient funds", false)}},
		{Name: "processing", Given: after(t, open()), When: webhook("processing"), Then: events{payment.Processing{At: at}}},
		{Name: "requires action", Given: after(t, open()), When: webhook("requires_action"), Then: events{payment.Processing{RequiresAction: true, At: at}}},
		{Name: "processing, while the answer is under way", Given: after(t, trying()), When: webhook("processing")},
		{Name: "processing, late", Given: after(t, declined()), When: webhook("processing")},
		{Name: "processing, after success", Given: after(t, paid()), When: webhook("processing")},
		{Name: "requires action, after cancelling", Given: after(t, closed()), When: webhook("requires_action")},
		{Name: "canceled", Given: after(t, open()), When: webhook("canceled"), Then: events{payment.Cancelled{At: at}}},
		{Name: "canceled, before the answer to creating it", Given: after(t, waiting()), When: webhook("canceled"), Then: events{created(""), payment.Cancelled{At: at}}},
		{Name: "canceled, again", Given: after(t, closed()), When: webhook("canceled")},
		{Name: "canceled, after success", Given: after(t, paid()), When: webhook("canceled")},
		{Name: "disputed", Given: after(t, paid()), When: webhook("dispute"), Then: events{payment.Disputed{DisputeID: "dp_1", At: at}}},
		{Name: "disputed, again", Given: after(t, then(paid(), webhook("dispute"))), When: webhook("dispute")},
		{Name: "about another intent", Given: after(t, open()), When: other},
		{Name: "of an unknown type", Given: after(t, open()), When: webhook("amount_capturable_updated")},
		{Name: "about a payment that is not there yet", When: webhook("succeeded"), Kind: domain.KindNotFound, Code: "payment_not_found"},
		{Name: "about a payment that was given up before it was made", Given: after(t, commands{void()}), When: webhook("succeeded"), Kind: domain.KindNotFound, Code: "payment_not_found"},
	})
}

// permutations calls visit with every order of the list; visit must not keep it.
func permutations[T any](list []T, visit func([]T)) {
	var permute func(n int)
	permute = func(n int) {
		if n <= 1 {
			visit(list)
			return
		}
		for i := range n {
			permute(n - 1)
			j := 0
			if n%2 == 0 {
				j = i
			}
			list[j], list[n-1] = list[n-1], list[j]
		}
	}
	permute(len(list))
}

// rank says how far a status is on its way; money that came and went back never comes undone.
func rank(s payment.Status) int {
	switch s {
	case payment.StatusSucceeded:
		return 1
	case payment.StatusPartiallyRefunded:
		return 2
	case payment.StatusRefunded:
		return 3
	}
	return 0
}

// All orders of the seven types, with each one repeated in between, from every state that a payment can be in. One event
// of the seven brings the money and one takes it back, so in the end it is refunded; in between it never goes back.
func TestWebhooksInEveryOrder(t *testing.T) {
	types := []string{"succeeded", "payment_failed", "processing", "canceled", "requires_action", "refunded", "dispute"}
	for name, history := range map[string]commands{"waiting": {request("pm_0")}, "open": open(), "trying": trying(), "declined": declined(), "void": voided()} {
		for _, total := range []int64{1000, amount} {
			given := *subject(t, history)
			orders := 0
			permutations(append([]string{}, types...), func(order []string) {
				orders++
				s := given
				finish(t, &s, order, total)
				wanted := payment.StatusRefunded
				if total < amount && name != "void" {
					wanted = payment.StatusPartiallyRefunded
				}
				sum := total
				if name == "void" {
					sum = amount
				}
				if s.State.Status != wanted || s.State.Refunded() != sum || len(s.State.Disputes) != 1 || s.State.ErrorMessage != "" || due(&s.State) != "" {
					t.Fatalf("%s, %s: ended %s, refunded %d, disputes %v, due %q%s", name, strings.Join(order, " "), s.State.Status, s.State.Refunded(),
						s.State.Disputes, due(&s.State), domaintest.Show(s.Events))
				}
				charges := 0
				for _, e := range s.Events {
					if _, ok := e.(payment.Succeeded); ok {
						charges++
					}
				}
				if charges != 1 {
					t.Fatalf("%s, %s: charged %d times", name, strings.Join(order, " "), charges)
				}
			})
			if orders != 5040 {
				t.Fatalf("%d orders of seven were tried", orders)
			}
		}
	}
}

// finish delivers the webhooks, each one and then once more the one before, and makes the refunds that fall due.
func finish(t *testing.T, s *entity, order []string, total int64) {
	t.Helper()
	before, previous := 0, webhook("processing")
	for _, kind := range order {
		w := webhook(kind)
		if kind == "refunded" {
			w = refundedAt(total)
		}
		for _, c := range []payment.RecordWebhook{w, previous, w} {
			happened, err := payment.Decide(&s.State, c)
			if err != nil {
				t.Fatalf("%s refused: %v", c.Type, err)
			}
			for _, e := range happened {
				s.State.Evolve(e)
			}
			s.Events = append(s.Events[:len(s.Events):len(s.Events)], happened...)
			if now := rank(s.State.Status); now < before {
				t.Fatalf("%s: status went back to %s", c.Type, s.State.Status)
			} else {
				before = now
			}
		}
		previous = w
	}
	for work, number := s.State.Due(); work == payment.WorkRefund; work, number = s.State.Due() {
		happened, err := payment.Decide(&s.State, made(number))
		if err != nil || len(happened) == 0 {
			t.Fatalf("refund %d: %v", number, err)
		}
		for _, e := range happened {
			s.State.Evolve(e)
		}
	}
}

// Without the money a payment ends unpaid, and with nothing left to do, in every order.
func TestWebhooksWithoutMoney(t *testing.T) {
	for name, history := range map[string]commands{"waiting": {request("")}, "open": open(), "declined": declined(), "trying": trying()} {
		given := *subject(t, history)
		permutations([]string{"payment_failed", "processing", "canceled", "requires_action"}, func(order []string) {
			s := given
			finish(t, &s, order, 0)
			if s.State.Paid() || !s.State.Final() || due(&s.State) != "" || (s.State.Status != payment.StatusFailed && s.State.Status != payment.StatusCancelled) {
				t.Fatalf("%s, %s: ended %s, paid %v, final %v, due %q", name, strings.Join(order, " "), s.State.Status, s.State.Paid(), s.State.Final(), due(&s.State))
			}
		})
	}
}
