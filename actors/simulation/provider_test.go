package simulation

import (
	"fmt"

	"github.com/queuecommerce/queuecommerce/actors/payment"
)

// provider is a payment provider in memory. It remembers every idempotency key with its answer, charges an intent once,
// and says what happened in webhooks.
type provider struct {
	w       *shop
	answers map[string]providerAnswer
	intents []*intent
}

type intent struct {
	id, orderID string
	amount      int64
	status      payment.Outcome // open: needs a method
	charges     int
	refunded    int64
	refunds     int
}

type providerAnswer struct {
	intent   *intent
	outcome  payment.Outcome
	refundID string
	rejected bool
	away     bool // no answer now, ask again
	bare     bool // made without charging, though the call asked to charge
}

func newProvider(w *shop) *provider {
	return &provider{w: w, answers: map[string]providerAnswer{}}
}

func (p *provider) of(orderID string) *intent {
	for _, i := range p.intents {
		if i.orderID == orderID {
			return i
		}
	}
	return nil
}

// call executes what a payment's agenda asks for, under the key that belongs to it.
func (p *provider) call(s payment.State, work payment.Work, number int) providerAnswer {
	key := fmt.Sprintf("%s-%s/%d", s.Requested.OrderID, work, number)
	if work == payment.WorkResolve {
		return p.resolve(s, fmt.Sprintf("%s-%s/%d", s.Requested.OrderID, payment.WorkCreate, 0))
	}
	if known, ok := p.answers[key]; ok {
		if known.bare {
			return providerAnswer{rejected: true} // the key was used with other parameters
		}
		return known
	}
	a := p.execute(s, work, number)
	if !a.away {
		p.answers[key] = a
	}
	return a
}

func (p *provider) execute(s payment.State, work payment.Work, number int) providerAnswer {
	switch work {
	case payment.WorkCreate:
		i := p.create(s)
		if s.Requested.Method != "" {
			return providerAnswer{intent: i, outcome: p.charge(i)}
		}
		return providerAnswer{intent: i, outcome: i.status}
	case payment.WorkConfirm:
		i := p.intent(s.IntentID)
		switch i.status {
		case payment.OutcomeSucceeded, payment.OutcomeProcessing:
			return providerAnswer{intent: i, outcome: i.status}
		case payment.OutcomeCanceled:
			return providerAnswer{rejected: true}
		}
		return providerAnswer{intent: i, outcome: p.charge(i)}
	case payment.WorkCancel:
		i := p.intent(s.IntentID)
		switch i.status {
		case payment.OutcomeSucceeded, payment.OutcomeCanceled:
			return providerAnswer{intent: i, outcome: i.status}
		case payment.OutcomeProcessing:
			return providerAnswer{away: true}
		}
		p.cancel(i)
		return providerAnswer{intent: i, outcome: i.status}
	case payment.WorkRefund:
		i := p.intent(s.IntentID)
		if i.refunded+s.Refunds[number].Amount > i.amount {
			return providerAnswer{rejected: true}
		}
		return providerAnswer{intent: i, refundID: p.refund(i, s.Refunds[number].Amount)}
	}
	p.w.fail("the provider is asked for %q", work)
	return providerAnswer{}
}

func (p *provider) create(s payment.State) *intent {
	i := &intent{id: fmt.Sprintf("pi_%d", len(p.intents)), orderID: s.Requested.OrderID, amount: s.Requested.Amount, status: payment.OutcomeOpen}
	p.intents = append(p.intents, i)
	return i
}

// resolve takes the key for an intent that is not charged, or tells what was made under it.
func (p *provider) resolve(s payment.State, key string) providerAnswer {
	if known, ok := p.answers[key]; ok {
		return known
	}
	a := providerAnswer{intent: p.create(s), outcome: payment.OutcomeOpen, bare: s.Requested.Method != ""}
	p.answers[key] = a
	return a
}

func (p *provider) intent(id string) *intent {
	for _, i := range p.intents {
		if i.id == id {
			return i
		}
	}
	p.w.fail("the provider knows no intent %s", id)
	return nil
}

var chargeOutcomes = []payment.Outcome{payment.OutcomeSucceeded, payment.OutcomeSucceeded, payment.OutcomeDeclined, payment.OutcomeRequiresAction, payment.OutcomeProcessing}

// charge asks the bank, which answers now or later.
func (p *provider) charge(i *intent) payment.Outcome {
	outcome := payment.OutcomeDeclined
	if !p.w.calm {
		outcome = pick(p.w, chargeOutcomes)
	}
	return p.becomes(i, outcome)
}

func (p *provider) becomes(i *intent, outcome payment.Outcome) payment.Outcome {
	switch outcome {
	case payment.OutcomeSucceeded:
		i.status = outcome
		i.charges++
		p.webhook(i, "payment_intent.succeeded")
	case payment.OutcomeDeclined:
		i.status = payment.OutcomeOpen
		p.webhook(i, "payment_intent.payment_failed")
	case payment.OutcomeRequiresAction:
		i.status = outcome
		p.webhook(i, "payment_intent.requires_action")
	case payment.OutcomeProcessing:
		i.status = outcome
		p.webhook(i, "payment_intent.processing")
	}
	return outcome
}

func (p *provider) cancel(i *intent) {
	i.status = payment.OutcomeCanceled
	p.webhook(i, "payment_intent.canceled")
}

func (p *provider) refund(i *intent, amount int64) string {
	i.refunded += amount
	i.refunds++
	p.webhook(i, "charge.refunded")
	return fmt.Sprintf("re_%s_%d", i.id, i.refunds)
}

// webhook tells the payment; the provider repeats it until it has arrived.
func (p *provider) webhook(i *intent, kind string) {
	c := payment.RecordWebhook{Type: kind, IntentID: i.id, RefundID: fmt.Sprintf("re_%s_%d", i.id, i.refunds), AmountRefunded: i.refunded, Message: "declined"}
	p.w.insist(kind+" of "+i.orderID, func() {
		c.At = p.w.now
		_ = p.w.pay(p.w.payment(i.orderID), c)
	})
}

// moves is what happens to an intent without the shop: the bank decides, the buyer acts, somebody clicks at the
// provider's own pages.
func (p *provider) moves(i *intent) {
	w := p.w
	switch i.status {
	case payment.OutcomeProcessing:
		p.becomes(i, pick(w, []payment.Outcome{payment.OutcomeSucceeded, payment.OutcomeDeclined}))
	case payment.OutcomeRequiresAction, payment.OutcomeOpen:
		switch w.upTo(5) {
		case 0:
			p.cancel(i)
		case 1, 2:
			p.becomes(i, payment.OutcomeSucceeded)
		case 3:
			p.becomes(i, payment.OutcomeDeclined)
		}
	case payment.OutcomeSucceeded:
		if left := i.amount - i.refunded; left > 0 && w.upTo(3) == 0 {
			p.refund(i, w.between(1, left))
		}
	}
}

// work makes the call that is due for a payment; the answer goes into the soup.
func (w *shop) work(p *paymentEntity) {
	work, number := p.State.Due()
	if work == payment.WorkNone || p.calling {
		return
	}
	p.calling = true
	state, life := p.State, p.life
	name := fmt.Sprintf("%s/%d of %s", work, number, p.orderID)
	w.send("call "+name, func() {
		a := w.provider.call(state, work, number)
		w.send("answer to call "+name, func() {
			if p.life == life {
				p.calling = false
			}
			w.answered(p, a, work, number)
		})
	})
}

func (w *shop) answered(p *paymentEntity, a providerAnswer, work payment.Work, number int) {
	switch {
	case a.away:
	case a.rejected:
		_ = w.pay(p, payment.RecordRejected{Work: work, Number: number, Message: "rejected", At: w.now})
	case work == payment.WorkRefund:
		_ = w.pay(p, payment.RecordRefunded{Index: number, RefundID: a.refundID, At: w.now})
	default:
		if work == payment.WorkCreate || work == payment.WorkResolve {
			number = 0
		}
		_ = w.pay(p, payment.RecordIntent{IntentID: a.intent.id, ClientSecret: "secret", Outcome: a.outcome, Number: number, Message: "declined", At: w.now})
	}
}
