package actors

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

// The calls to the payment provider. Each is journalled before it is made, and its key is made of the payment and the
// step alone: the call of a later life is the same call.

// callTimeout bounds one call; its outcome is then unknown, and it is made again.
const callTimeout = 30 * time.Second

// callAgain is the pause before the provider is asked again.
const callAgain = 2 * time.Second

func taskName(work payment.Work, number int) string { return string(work) + "/" + strconv.Itoa(number) }

func (p *paymentEntity) call(work payment.Work, number int) func(context.Context) report {
	s, h := p.state, p.host
	return func(ctx context.Context) report {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		command, err := h.ask(ctx, &s, work, number)
		switch {
		case errors.Is(err, gateway.ErrRejected):
			h.Logger.Warn("payment provider rejected a call", "payment", s.PaymentIntentID(), "work", string(work), "err", err)
			return report{commands: []any{payment.RecordRejected{Work: work, Number: number, Message: err.Error(), At: h.now()}}}
		case err != nil:
			return report{again: callAgain}
		}
		return report{commands: []any{command}}
	}
}

// callKey is the provider's idempotency key of a call.
func callKey(s *payment.State, work payment.Work, number int) string {
	return s.PaymentIntentID() + "-" + taskName(work, number)
}

// ask makes the call; the command reports its outcome.
func (h *Host) ask(ctx context.Context, s *payment.State, work payment.Work, number int) (payment.Command, error) {
	switch work {
	case payment.WorkRefund:
		r := s.Refunds[number]
		refunded, err := h.Gateway.Refund(ctx, gateway.Refund{Key: callKey(s, work, number), IntentID: s.IntentID, Amount: r.Amount, Reason: r.Reason})
		return payment.RecordRefunded{Index: number, RefundID: refunded.ID, At: h.now()}, err
	case payment.WorkConfirm:
		intent, err := h.Gateway.Confirm(ctx, gateway.Confirm{Key: callKey(s, work, number), IntentID: s.IntentID, Method: s.Attempts[number-1].Method})
		return h.recordIntent(intent, number), err
	case payment.WorkCancel:
		intent, err := h.Gateway.Cancel(ctx, gateway.Cancel{Key: callKey(s, work, number), IntentID: s.IntentID})
		return h.recordIntent(intent, number), err
	}
	r := s.Requested
	create := gateway.Create{Key: callKey(s, payment.WorkCreate, 0), PaymentID: s.PaymentIntentID(),
		OrderID: r.OrderID, Amount: r.Amount, Currency: r.Currency, Email: r.Email, Method: r.Method}
	make := h.Gateway.Create
	if work == payment.WorkResolve || h.now() >= r.At.Add(gateway.StripeKeyLifetime) {
		make = h.Gateway.Resolve // the provider may have forgotten the key, and would charge again
	}
	intent, err := make(ctx, create)
	return h.recordIntent(intent, 0), err
}

func (h *Host) recordIntent(i gateway.Intent, number int) payment.RecordIntent {
	r := payment.RecordIntent{IntentID: i.ID, ClientSecret: i.ClientSecret, Number: number, Outcome: payment.OutcomeOpen, At: h.now()}
	switch i.Status {
	case gateway.StatusSucceeded:
		r.Outcome = payment.OutcomeSucceeded
	case gateway.StatusProcessing:
		r.Outcome = payment.OutcomeProcessing
	case gateway.StatusRequiresAction:
		r.Outcome = payment.OutcomeRequiresAction
	case gateway.StatusCanceled:
		r.Outcome = payment.OutcomeCanceled
	}
	if i.Decline != nil {
		r.Outcome, r.Code, r.Message = payment.OutcomeDeclined, i.Decline.Code, i.Decline.Message
	}
	return r
}
