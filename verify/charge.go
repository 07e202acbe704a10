package verify

import (
	"fmt"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

// How money comes, and how it goes back.

func (f *paymentFold) request(s *step, e *payment.Requested) {
	s.require(!f.exists, G5, "requested again")
	s.require(!f.void, G5, "requested although the order will not be filled")
	s.require(domain.OrderIdentity(e.OrderID) == s.identity, G7, "order %s is not the one of this stream", e.OrderID)
	s.require(domain.IsID(e.ID), G7, "%q is no id", e.ID)
	s.require(e.Amount > 0, G5, "a payment of %d", e.Amount)
	s.require(isCurrency(e.Currency), G5, "%q is no currency", e.Currency)
	lines := make([]order.Line, len(e.Items))
	for i, item := range e.Items {
		lines[i] = order.Line(item)
	}
	f.exists, f.status, f.prefix, f.amount = true, paymentPending, prefixOf(e.OrderID), e.Amount
	f.currency, f.customer, f.email = s.currencies.number(e.Currency), s.digest(e.CustomerID), s.digest(e.Email)
	f.method, f.items = s.digest(e.Method), s.digestLines(lines)
	if asker, ok := strings.CutPrefix(s.stored.Cause, kindOrder+"/"); ok {
		s.require(asker == e.OrderID, G7, "asked for by order %s, for order %s", asker, e.OrderID)
		f.byOrder = true
	}
}

// said is what every event about the money repeats of the request.
type said struct {
	paymentIntentID, orderID, customerID, currency string
	amount                                         int64 // 0: the event has an amount of its own
}

func (f *paymentFold) same(s *step, e said) {
	s.require(f.exists, G5, "there is no payment")
	s.require(e.paymentIntentID == domain.PaymentIntentID(e.orderID), G7, "payment %s is not that of order %s", e.paymentIntentID, e.orderID)
	s.same(is(e.orderID, s.identity, f.prefix), G7, "the order's id", 1)
	s.same(s.digest(e.customerID) == f.customer, G7, "the customer", 1)
	s.same(s.currencies.number(e.currency) == f.currency, G5, "the currency", 1)
	s.same(e.amount == 0 || e.amount == f.amount, G5, "the amount", 1)
}

func (f *paymentFold) try(s *step, e *payment.ConfirmRequested) {
	payable := f.exists && !f.paid && !f.void && !f.final && f.status != paymentCancelled && f.intentAt != 0
	s.require(payable && !f.trying && (f.status != paymentProcessing || f.action), G5, "a charge is asked for while %s", f.status)
	s.require(e.Attempt == int(f.attempts)+1, G5, "attempt %d after %d", e.Attempt, f.attempts)
	s.require(strings.HasPrefix(e.Method, "pm_"), G5, "a charge of no payment method")
	f.attempts++
	f.trying, f.status, f.action = true, paymentProcessing, false
}

// undecided says that the outcome of the newest attempt, or of the request itself, is still to come.
func (f *paymentFold) undecided() bool { return f.trying || f.status == paymentPending }

func (f *paymentFold) process(s *step, e *payment.Processing) {
	s.require(f.exists && !f.paid && !f.final && f.intentAt != 0 && f.undecided(), G5, "processing while %s", f.status)
	s.require(e.Attempt == int(f.attempts), G5, "attempt %d is processing, the newest is %d", e.Attempt, f.attempts)
	f.status, f.action, f.trying = paymentProcessing, e.RequiresAction, false
}

func (f *paymentFold) succeed(s *step, e *payment.Succeeded) {
	s.same(!f.paid, G5, "a second charge: that the payment has succeeded", f.paidAt)
	f.same(s, said{e.PaymentIntentID, e.OrderID, e.CustomerID, e.Currency, e.Amount})
	s.require(e.Amount != 0, G5, "a charge of nothing")
	s.same(f.intentAt != 0 && s.digest(e.IntentID) == f.intent, G5, "the intent", f.intentAt)
	s.require(e.Attempt >= 0 && e.Attempt <= int(f.attempts), G5, "attempt %d succeeds, the newest is %d", e.Attempt, f.attempts)
	f.paid, f.paidAt, f.status, f.trying = true, s.seq(), paymentSucceeded, false
}

func (f *paymentFold) fail(s *step, e *payment.Failed) {
	f.same(s, said{e.PaymentIntentID, e.OrderID, e.CustomerID, e.Currency, e.Amount})
	s.require(e.Amount != 0, G5, "a charge of nothing")
	s.require(!f.paid && !f.final && f.status != paymentCancelled, G5, "failed while %s", f.status)
	s.require(e.Attempt == int(f.attempts), G5, "attempt %d fails, the newest is %d", e.Attempt, f.attempts)
	s.require(e.Final == (f.intentAt == 0), G5, "final is %t; it has to be, if there is no intent, and only then", e.Final)
	s.require(f.undecided() || f.status == paymentProcessing, G5, "failed while %s", f.status)
	f.status, f.trying, f.final = paymentFailed, false, f.final || e.Final
}

func (f *paymentFold) requestRefund(s *step, e *payment.RefundRequested) {
	s.require(f.paid, G5, "a refund of what was not paid")
	s.require(e.Index == len(f.refunds), G5, "refund %d after %d", e.Index, len(f.refunds))
	if e.Amount < 1 || e.Amount > f.left() {
		s.against(G5, Place{s.Stream, uint64(max(1, f.refundedAt))}, fmt.Sprintf("a refund of %d where %d are left", e.Amount, f.left()))
	}
	reason := s.digest(e.Reason)
	if f.void && f.rejectedAt == 0 { // what the provider has refused once, a person may ask for again
		s.same(reason == f.because, G7, "the reason", f.voidAt)
	}
	f.refunds = append(f.refunds, refund{amount: e.Amount, reason: reason, at: s.seq(), open: true})
	f.refunding += e.Amount
}

// openRefund is the refund with that index, if the provider has not answered for it yet.
func (f *paymentFold) openRefund(s *step, index int) *refund {
	if index < 0 || index >= len(f.refunds) || !f.refunds[index].open {
		s.wrong(G5, "refund %d is not one that is under way", index)
		return nil
	}
	return &f.refunds[index]
}

func (f *paymentFold) refund(s *step, e *payment.Refunded) {
	f.same(s, said{e.PaymentIntentID, e.OrderID, e.CustomerID, e.Currency, 0})
	s.require(f.paid, G5, "what was not paid is given back")
	if e.Index == -1 { // made at the provider, not by us
		s.require(e.Amount > 0 && e.Amount <= f.left(), G5, "%d are given back where %d are left", e.Amount, f.left())
	} else if r := f.openRefund(s, e.Index); r != nil {
		s.require(e.RefundID != "", G5, "a refund without an id")
		s.same(e.Amount == r.amount, G5, "the amount", r.at)
		s.same(s.digest(e.Reason) == r.reason, G7, "the reason", r.at)
		r.open = false
		f.refunding -= r.amount
	}
	f.refunded += e.Amount
	f.refundedAt = s.seq()
	s.require(f.refunded <= f.amount, G5, "%d are given back of %d", f.refunded, f.amount)
	f.status = paymentPartlyRefunded
	if f.refunded >= f.amount {
		f.status = paymentRefunded
	}
}

// notice: what a webhook says is only kept in mind while an answer is on its way that may say the same.
func (f *paymentFold) notice(s *step, e *payment.Noticed) {
	s.require(e.Failed || e.Refunded > 0, G7, "nothing is noticed")
	s.require(!e.Failed || (!f.paid && !f.final && (f.trying || f.intentAt == 0)), G5, "a failure is noticed while %s", f.status)
	s.require(e.Refunded == 0 || (f.refunding > 0 && e.Refunded > f.refunded && e.Refunded <= f.amount), G5,
		"%d are noticed as given back of %d, %d are known and %d under way", e.Refunded, f.amount, f.refunded, f.refunding)
}
