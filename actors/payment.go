package actors

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// paymentEntity connects a payment's rules to messages and the payment provider.
type paymentEntity struct {
	rules[payment.State, payment.Command, payment.Event]
	host     *Host
	planned  planned
	attempts map[uint64]int // version -> the attempt that began with it
	refunds  map[uint64]int // version -> the refund that was asked with it
	changed  bool           // the last batch has news for the order
}

func newPayment(h *Host, _ string) *paymentEntity {
	p := &paymentEntity{host: h}
	p.rules = rules[payment.State, payment.Command, payment.Event]{decide: payment.Decide, evolve: p.evolve, codec: payment.Codec}
	return p
}

func (p *paymentEntity) evolve(s *payment.State, e payment.Event) {
	s.Evolve(e)
	switch e := e.(type) {
	case payment.ConfirmRequested:
		note(&p.attempts, s.Version, e.Attempt)
	case payment.RefundRequested:
		note(&p.refunds, s.Version, e.Index)
	case payment.Succeeded, payment.Failed, payment.Cancelled:
		p.changed = true
	}
}

func note(m *map[uint64]int, version uint64, number int) {
	if *m == nil {
		*m = make(map[uint64]int)
	}
	(*m)[version] = number
}

func (p *paymentEntity) replay(stored storage.Event) error {
	err := p.rules.replay(stored)
	p.changed = false
	return err
}

func (p *paymentEntity) translate(m *messages.Command, st stamp) (any, error) {
	switch b := m.GetBody().(type) {
	case *messages.Command_RequestPayment:
		return request(b.RequestPayment, p.host.Policy.Currency, st), nil
	case *messages.Command_ConfirmPayment:
		return payment.Confirm{PaymentIntentID: b.ConfirmPayment.GetPaymentIntentId(), Method: b.ConfirmPayment.GetMethod(), At: st.at}, nil
	case *messages.Command_RefundPayment:
		return payment.GiveBack{PaymentIntentID: b.RefundPayment.GetPaymentIntentId(), Amount: b.RefundPayment.Amount,
			Reason: b.RefundPayment.GetReason(), At: st.at}, nil
	case *messages.Command_VoidPayment:
		return payment.VoidPayment{Reason: b.VoidPayment.GetReason(), At: st.at}, nil
	case *messages.Command_RecordGatewayEvent:
		e := b.RecordGatewayEvent
		return payment.RecordWebhook{Type: e.GetType(), IntentID: e.GetIntentId(), RefundID: e.GetRefundId(), DisputeID: e.GetDisputeId(),
			Message: e.GetMessage(), Method: e.GetMethod(), AmountRefunded: e.GetAmountRefunded(), At: st.at}, nil
	case *messages.Command_GetPayment:
		return nil, p.state.Visible(b.GetPayment.GetPaymentIntentId())
	case *messages.Command_Touch:
		return nil, nil
	}
	return nil, domain.Errorf(domain.KindInvalid, "unknown_command", "a payment does not understand %T", m.GetBody())
}

func request(r *messages.RequestPayment, currency string, st stamp) payment.Request {
	requested := payment.Requested{ID: r.GetId(), OrderID: r.GetOrderId(), CustomerID: r.GetCustomerId(), Email: r.GetCustomerEmail(),
		Amount: r.GetAmount(), Currency: r.GetCurrency(), Items: make([]payment.Item, len(r.GetLines())), Method: r.GetMethod(), At: st.at}
	if requested.Currency == "" {
		requested.Currency = currency
	}
	for i, line := range r.GetLines() {
		requested.Items[i] = payment.Item{ProductID: line.GetProductId(), ProductName: line.GetProductName(),
			Quantity: line.GetQuantity(), UnitPrice: line.GetUnitPrice()}
	}
	return payment.Request{Payment: requested}
}

func (p *paymentEntity) answer(m *messages.Command, since uint64, forced bool) (*messages.Reply, bool) {
	s := &p.state
	switch m.GetBody().(type) {
	case *messages.Command_RequestPayment:
		if p.undecided() && !forced {
			return nil, false
		}
		if m.GetId() == "" { // the step of a saga, which reads no document
			p.changed = p.changed && p.undecided() // else the order learns it with this answer
			return p.standing(), true
		}
		return p.document(), true
	case *messages.Command_ConfirmPayment:
		n := p.attempts[since]
		if n == 0 || n > len(s.Attempts) {
			return p.document(), true
		}
		switch attempt := s.Attempts[n-1]; {
		case !attempt.Done && !forced:
			return nil, false
		case !attempt.Done:
			return p.away("the payment is being made"), true
		case attempt.Closed():
			return refused(domain.Errorf(domain.KindConflict, "payment_closed", "this payment was cancelled before it was made")), true
		case attempt.Decline != "":
			return refused(domain.Errorf(domain.KindDeclined, "card_declined", "%s", attempt.Decline)), true
		}
		return p.document(), true
	case *messages.Command_RefundPayment:
		i, ok := p.refunds[since]
		if !ok || i >= len(s.Refunds) {
			return p.document(), true
		}
		switch refund := s.Refunds[i]; {
		case refund.Rejected != "":
			return refused(domain.Errorf(domain.KindConflict, "refund_rejected", "%s", refund.Rejected)), true
		case refund.RefundID == "" && !forced:
			return nil, false
		case refund.RefundID == "":
			return p.away("the refund has been accepted and is being made"), true
		}
		return p.document(), true
	case *messages.Command_GetPayment:
		return p.document(), true
	}
	return &messages.Reply{Version: s.Version}, true
}

// undecided says that the provider has not yet said what becomes of the request.
func (p *paymentEntity) undecided() bool {
	s := &p.state
	if s.Final() || s.Status == payment.StatusFailed {
		return false
	}
	return s.IntentID == "" || (s.Requested.Method != "" && s.Status == payment.StatusPending)
}

// away says that the provider did not answer in time. What was asked of it goes on being asked.
func (p *paymentEntity) away(what string) *messages.Reply {
	return refused(domain.Errorf(domain.KindUnavailable, "payment_provider_unavailable",
		"%s, but the payment provider has not answered yet; ask again with the same Idempotency-Key", what))
}

func (p *paymentEntity) document() *messages.Reply {
	reply := p.standing()
	reply.Document = domain.JSON(p.state.Document(true))
	return reply
}

func (p *paymentEntity) standing() *messages.Reply {
	s := &p.state
	return &messages.Reply{Version: s.Version, Detail: &messages.Reply_Payment{Payment: &messages.PaymentState{
		PaymentIntentId: s.PaymentIntentID(), Status: string(s.Status), ErrorMessage: s.ErrorMessage, Final: s.Final()}}}
}

func (p *paymentEntity) agenda() agenda { return p.planned.at(p.state.Version, p.plan) }

func (p *paymentEntity) plan() agenda {
	work, number := p.state.Due()
	if work == payment.WorkNone {
		return agenda{}
	}
	return agenda{task: taskName(work, number), run: p.call(work, number)}
}

// aside tells the order that its payment has changed; it looks by itself too, only later.
func (p *paymentEntity) aside() []aside {
	if !p.changed {
		return nil
	}
	p.changed = false
	return []aside{{KindOrder, domain.OrderIdentity(p.state.Requested.OrderID), &messages.Command{
		Body: &messages.Command_ReportPayment{ReportPayment: &messages.ReportPayment{}}}}}
}

// frozenPayment is a copy of a payment's state; the rules never change what a copy shares with it.
type frozenPayment struct{ state payment.State }

func (p *paymentEntity) freeze() frozen { return &frozenPayment{p.state} }

func (f *frozenPayment) documents() ([]storage.Document, error) {
	s := &f.state
	if !s.Exists() {
		return nil, nil
	}
	d := s.Document(false)
	return []storage.Document{{Collection: storage.Payments, ID: d.ID, Created: d.CreatedAt.Std(), Status: string(d.Status),
		Customer: d.CustomerID, Order: d.OrderID, External: d.StripePaymentIntentID, Body: domain.JSON(d)}}, nil
}
