package verify

import (
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

// paymentFold is an order's payment as its journal tells it.
type paymentFold struct {
	cursor
	prefix   uint32 // of the order's id
	currency uint16
	attempts uint16
	status   paymentStatus
	exists   bool
	byOrder  bool // asked for by the order itself; else by a client or another system
	trying   bool // the last attempt waits for the provider
	action   bool // the buyer has to act at the bank
	paid     bool
	void     bool // the order will not be filled
	final    bool // the provider knows no intent that could still be paid

	amount, refunded, refunding                      int64
	customer, email, method, items, intent, because  digest // because: why it is void
	intentAt, paidAt, voidAt, refundedAt, rejectedAt uint32 // sequences; 0: it has not happened
	refunds                                          []refund
}

// refund that was asked for.
type refund struct {
	amount int64
	reason digest
	at     uint32
	open   bool
}

type paymentStatus uint8

const (
	paymentNone paymentStatus = iota
	paymentPending
	paymentProcessing
	paymentSucceeded
	paymentFailed
	paymentCancelled
	paymentPartlyRefunded
	paymentRefunded
)

var paymentStatusNames = [...]payment.Status{"void", payment.StatusPending, payment.StatusProcessing, payment.StatusSucceeded, payment.StatusFailed,
	payment.StatusCancelled, payment.StatusPartiallyRefunded, payment.StatusRefunded}

func (s paymentStatus) String() string { return string(paymentStatusNames[s]) }

// left is what could still be given back: what is under way counts as gone.
func (f *paymentFold) left() int64 {
	if !f.paid {
		return 0
	}
	return f.amount - f.refunded - f.refunding
}

// endEntry checks that no money stays for an order that will not be filled, unless the provider refuses to give it back.
func (f *paymentFold) endEntry(s *step) {
	s.require(!f.void || f.left() == 0 || f.rejectedAt != 0, G5, "the order will not be filled, and %d of its money are not given back", f.left())
}

func (f *paymentFold) fold(s *step, event any) {
	switch e := event.(type) {
	case payment.Requested:
		f.request(s, &e)
	case payment.IntentCreated:
		s.require(f.intentAt == 0, G5, "a second intent")
		f.same(s, said{e.PaymentIntentID, e.OrderID, e.CustomerID, e.Currency, e.Amount})
		s.require(e.IntentID != "", G5, "an intent without an id")
		f.intent, f.intentAt = s.digest(e.IntentID), s.seq()
	case payment.ConfirmRequested:
		f.try(s, &e)
	case payment.Processing:
		f.process(s, &e)
	case payment.Succeeded:
		f.succeed(s, &e)
	case payment.Failed:
		f.fail(s, &e)
	case payment.VoidRequested:
		s.require(!f.void, G5, "void again")
		f.void, f.because, f.voidAt = true, s.digest(e.Reason), s.seq()
	case payment.Cancelled:
		s.require(f.exists && !f.paid && !f.final, G5, "cancelled while %s", f.status)
		s.require(f.intentAt != 0 || f.void, G5, "cancelled without an intent")
		if f.final = true; f.status != paymentFailed {
			f.status = paymentCancelled
		}
		f.trying = false
	case payment.RefundRequested:
		f.requestRefund(s, &e)
	case payment.Refunded:
		f.refund(s, &e)
	case payment.RefundRejected:
		if r := f.openRefund(s, e.Index); r != nil {
			r.open = false
			f.refunding -= r.amount
		}
		f.rejectedAt = s.seq()
	case payment.Noticed:
		f.notice(s, &e)
	case payment.Disputed:
		key := s.digest(s.identity + "\x00" + e.DisputeID)
		s.require(f.exists && e.DisputeID != "" && !s.disputes[key], G7, "a dispute of no payment, without an id, or recorded before")
		s.disputes[key] = true
	default:
		s.wrong(G7, "this version can't check %s", s.stored.Type)
	}
}
