package payment_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

func TestRequest(t *testing.T) {
	other := func(change func(*payment.Requested)) payment.Request {
		r := request("")
		change(&r.Payment)
		return r
	}
	conflict := func(name string, change func(*payment.Requested)) row {
		return row{Name: "asked again with " + name, Given: after(t, open()), When: other(change), Kind: domain.KindConflict, Code: "payment_exists"}
	}
	domaintest.Table(t, rules, []row{
		{Name: "the order's payment is opened", When: request("pm_1"), Then: events{requested("pm_1")}},
		{Name: "asked again with the same data", Given: after(t, open()), When: request("")},
		{Name: "asked again under another _id", Given: after(t, open()), When: other(func(p *payment.Requested) { p.ID = "another" })},
		{Name: "asked again when it is paid", Given: after(t, paid()), When: request("")},
		{Name: "asked again when it is void", Given: after(t, voided()), When: request("")},
		{Name: "asked again without the method", Given: after(t, commands{request("pm_1")}), When: request("")},
		conflict("another amount", func(p *payment.Requested) { p.Amount++ }),
		conflict("another currency", func(p *payment.Requested) { p.Currency = "eur" }),
		conflict("another customer", func(p *payment.Requested) { p.CustomerID = "cust-2" }),
		conflict("another method", func(p *payment.Requested) { p.Method = "pm_2" }),
		conflict("another order of the same identity", func(p *payment.Requested) { p.OrderID = "0000000b0011223344556677" }),
		{Name: "of nothing", When: other(func(p *payment.Requested) { p.Amount = 0 }), Kind: domain.KindInvalid, Code: "amount_out_of_range"},
		{Name: "of less than nothing", When: other(func(p *payment.Requested) { p.Amount = -1 }), Kind: domain.KindInvalid, Code: "amount_out_of_range"},
		{Name: "late, for an order that has been given up", Given: after(t, commands{void()}), When: request(""), Kind: domain.KindConflict, Code: "payment_void"},
	})
}

func TestCharge(t *testing.T) {
	again := then(declined(), confirm("pm_2"))
	onRequest := func(outcome payment.Outcome) commands { return commands{request("pm_0"), answered(0, outcome)} }
	domaintest.Table(t, rules, []row{
		{Name: "the intent is made", Given: after(t, waiting()), When: answered(0, payment.OutcomeOpen), Then: events{created("pi_1_secret")}},
		{Name: "made and charged at once", Given: after(t, commands{request("pm_0")}), When: answered(0, payment.OutcomeSucceeded), Then: events{created("pi_1_secret"), succeeded("pm_0", 0)}},
		{Name: "made and declined at once", Given: after(t, commands{request("pm_0")}), When: answered(0, payment.OutcomeDeclined),
			Then: events{created("pi_1_secret"), failed(0, "insufficient_funds", "insufficient funds", false)}},
		{Name: "made, and the bank asks for 3-D Secure", Given: after(t, commands{request("pm_0")}), When: answered(0, payment.OutcomeRequiresAction),
			Then: events{created("pi_1_secret"), payment.Processing{RequiresAction: true, At: at}}},
		{Name: "the provider refuses to make it", Given: after(t, waiting()), When: rejected(payment.WorkCreate, 0), Then: events{failed(0, "", "no such thing", true)}},
		{Name: "confirm", Given: after(t, open()), When: confirm("pm_1"), Then: events{payment.ConfirmRequested{Attempt: 1, Method: "pm_1", At: at}}},
		{Name: "confirm succeeds", Given: after(t, trying()), When: answered(1, payment.OutcomeSucceeded), Then: events{succeeded("pm_1", 1)}},
		{Name: "confirm is declined", Given: after(t, trying()), When: answered(1, payment.OutcomeDeclined), Then: events{failed(1, "insufficient_funds", "insufficient funds", false)}},
		{Name: "confirm needs 3-D Secure", Given: after(t, trying()), When: answered(1, payment.OutcomeRequiresAction), Then: events{payment.Processing{Attempt: 1, RequiresAction: true, At: at}}},
		{Name: "confirm is with the bank", Given: after(t, trying()), When: answered(1, payment.OutcomeProcessing), Then: events{payment.Processing{Attempt: 1, At: at}}},
		{Name: "confirm is refused for good: another method may be tried", Given: after(t, trying()), When: rejected(payment.WorkConfirm, 1), Then: events{failed(1, "", "no such thing", false)}},
		{Name: "confirm is answered with an intent that nothing happened to", Given: after(t, trying()), When: answered(1, payment.OutcomeOpen), Then: events{failed(1, "", "nothing was charged", false)}},
		{Name: "confirm again after a decline", Given: after(t, declined()), When: confirm("pm_2"), Then: events{payment.ConfirmRequested{Attempt: 2, Method: "pm_2", At: at}}},
		{Name: "confirm again after the decline at creation", Given: after(t, onRequest(payment.OutcomeDeclined)), When: confirm("pm_2"), Then: events{payment.ConfirmRequested{Attempt: 1, Method: "pm_2", At: at}}},
		{Name: "confirm again instead of 3-D Secure", Given: after(t, secure()), When: confirm("pm_2"), Then: events{payment.ConfirmRequested{Attempt: 2, Method: "pm_2", At: at}}},
		{Name: "confirm while an attempt is open", Given: after(t, trying()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_busy"},
		{Name: "confirm before there is an intent", Given: after(t, waiting()), When: confirm("pm_2"), Kind: domain.KindUnavailable, Code: "payment_not_ready"},
		{Name: "confirm while the bank is at it", Given: after(t, pending()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_processing"},
		{Name: "confirm what is paid", Given: after(t, paid()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_paid"},
		{Name: "confirm what is refunded", Given: after(t, then(paid(), giveRest(), made(0))), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_paid"},
		{Name: "confirm what is void", Given: after(t, voided()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_closed"},
		{Name: "confirm what is cancelled", Given: after(t, closed()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_closed"},
		{Name: "confirm what could not be made", Given: after(t, refused()), When: confirm("pm_2"), Kind: domain.KindConflict, Code: "payment_closed"},
		{Name: "confirm with something that is no payment method", Given: after(t, open()), When: confirm("tok_visa"), Kind: domain.KindInvalid, Code: "invalid_payment_method"},
		{Name: "confirm what is not there", When: confirm("pm_1"), Kind: domain.KindNotFound, Code: "payment_not_found"},
		{Name: "confirm under another id", Given: after(t, open()), When: payment.Confirm{PaymentIntentID: "pay_1111111111111111", Method: "pm_1"}, Kind: domain.KindNotFound, Code: "payment_not_found"},
		{Name: "a repeated answer changes nothing", Given: after(t, paid()), When: answered(1, payment.OutcomeSucceeded)},
		{Name: "a repeated decline changes nothing", Given: after(t, declined()), When: answered(1, payment.OutcomeDeclined)},
		{Name: "a late decline of an earlier attempt says nothing of the open one", Given: after(t, again), When: answered(1, payment.OutcomeDeclined)},
		{Name: "a late answer of the creation says nothing of the open attempt", Given: after(t, trying()), When: answered(0, payment.OutcomeOpen)},
		{Name: "a late success of an earlier attempt is the money", Given: after(t, again), When: answered(1, payment.OutcomeSucceeded), Then: events{succeeded("pm_1", 1)}},
		{Name: "a late decline does not undo a success", Given: after(t, paid()), When: answered(1, payment.OutcomeDeclined)},
		{Name: "a late cancel does not undo a success", Given: after(t, paid()), When: answered(1, payment.OutcomeCanceled)},
		{Name: "a success after cancelling is the money all the same", Given: after(t, closed()), When: answered(0, payment.OutcomeSucceeded), Then: events{succeeded("", 0)}},
		{Name: "a decline after cancelling says nothing", Given: after(t, closed()), When: answered(0, payment.OutcomeDeclined)},
		{Name: "an answer about no payment", When: answered(0, payment.OutcomeSucceeded)},
		{Name: "a refusal of a call that is not due any more", Given: after(t, paid()), When: rejected(payment.WorkConfirm, 1)},
		{Name: "a refusal of an earlier attempt's call", Given: after(t, again), When: rejected(payment.WorkConfirm, 1)},
		{Name: "a refusal of nothing", When: rejected(payment.WorkNone, 0)},
	})
}

func TestVoid(t *testing.T) {
	asked := payment.VoidRequested{Reason: "order cancelled", At: at}
	resolving := then(waiting(), void())
	domaintest.Table(t, rules, []row{
		{Name: "before the payment was ever heard of: it never will be", When: void(), Then: events{asked}},
		{Name: "before there is an intent", Given: after(t, waiting()), When: void(), Then: events{asked}},
		{Name: "open", Given: after(t, open()), When: void(), Then: events{asked}},
		{Name: "while it is being charged", Given: after(t, trying()), When: void(), Then: events{asked}},
		{Name: "while 3-D Secure is awaited", Given: after(t, secure()), When: void(), Then: events{asked}},
		{Name: "declined", Given: after(t, declined()), When: void(), Then: events{asked}},
		{Name: "cancelled", Given: after(t, closed()), When: void(), Then: events{asked}},
		{Name: "paid: all is refunded", Given: after(t, paid()), When: void(), Then: events{asked, refundAsked(0, amount, "order cancelled")}},
		{Name: "paid and partly refunded: the rest is", Given: after(t, then(paid(), giveBack(400), made(0))), When: void(), Then: events{asked, refundAsked(1, amount-400, "order cancelled")}},
		{Name: "paid and being refunded in part: the rest is", Given: after(t, then(paid(), giveBack(400))), When: void(), Then: events{asked, refundAsked(1, amount-400, "order cancelled")}},
		{Name: "paid and refunded", Given: after(t, then(paid(), giveRest(), made(0))), When: void(), Then: events{asked}},
		{Name: "twice", Given: after(t, voided()), When: void()},
		{Name: "twice when paid: refunded once", Given: after(t, then(paid(), void())), When: void()},
		{Name: "the charge that was lost turns up: refunded", Given: after(t, resolving), When: answered(0, payment.OutcomeSucceeded),
			Then: events{created("pi_1_secret"), succeeded("", 0), refundAsked(0, amount, "order cancelled")}},
		{Name: "the lost intent turns up open", Given: after(t, resolving), When: answered(0, payment.OutcomeOpen), Then: events{created("pi_1_secret")}},
		{Name: "the provider knows of no intent", Given: after(t, resolving), When: rejected(payment.WorkResolve, 0), Then: events{payment.Cancelled{At: at}}},
		{Name: "a late refusal to create is not the answer to the question", Given: after(t, resolving), When: rejected(payment.WorkCreate, 0)},
		{Name: "the intent is cancelled", Given: after(t, voided()), When: answered(0, payment.OutcomeCanceled), Then: events{payment.Cancelled{At: at}}},
		{Name: "the intent is cancelled though the provider says that it can't be", Given: after(t, voided()), When: rejected(payment.WorkCancel, 0), Then: events{payment.Cancelled{At: at}}},
		{Name: "paid before it could be cancelled: refunded", Given: after(t, then(trying(), void())), When: answered(1, payment.OutcomeSucceeded),
			Then: events{succeeded("pm_1", 1), refundAsked(0, amount, "order cancelled")}},
		{Name: "paid after it was cancelled: refunded", Given: after(t, then(voided(), answered(0, payment.OutcomeCanceled))), When: webhook("succeeded"),
			Then: events{succeeded("pm_real", 0), refundAsked(0, amount, "order cancelled")}},
	})
	for name, c := range map[string]struct {
		list   commands
		due    string
		status payment.Status
		final  bool
	}{
		"nothing":                {nil, "", "", false},
		"void of nothing":        {commands{void()}, "", "", true},
		"waiting":                {waiting(), "create/0", payment.StatusPending, false},
		"void while waiting":     {resolving, "resolve/0", payment.StatusPending, true},
		"open":                   {open(), "", payment.StatusPending, false},
		"void while open":        {voided(), "cancel/0", payment.StatusPending, true},
		"trying":                 {trying(), "confirm/1", payment.StatusProcessing, false},
		"void while trying":      {then(trying(), void()), "cancel/1", payment.StatusProcessing, true},
		"void while declined":    {then(declined(), void()), "cancel/1", payment.StatusFailed, true},
		"void and cancelled":     {then(voided(), answered(0, payment.OutcomeCanceled)), "", payment.StatusCancelled, true},
		"declined and cancelled": {then(declined(), void(), answered(1, payment.OutcomeCanceled)), "", payment.StatusFailed, true},
		"refused":                {refused(), "", payment.StatusFailed, true},
		"void when refused":      {then(refused(), void()), "", payment.StatusFailed, true},
		"declined":               {declined(), "", payment.StatusFailed, false},
		"secure":                 {secure(), "", payment.StatusProcessing, false},
		"paid":                   {paid(), "", payment.StatusSucceeded, true},
		"void when paid":         {then(paid(), void()), "refund/0", payment.StatusSucceeded, true},
		"void when refunded":     {then(paid(), void(), made(0)), "", payment.StatusRefunded, true},
	} {
		s := &subject(t, c.list).State
		if got := due(s); got != c.due || s.Status != c.status || s.Final() != c.final {
			t.Errorf("%s: due %q, status %q, final %v; wanted %q, %q, %v", name, got, s.Status, s.Final(), c.due, c.status, c.final)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	if _, err := payment.Decide(&payment.State{}, nil); err == nil {
		t.Error("no command is decided on")
	}
}
