package verify_test

import (
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// The steps of an order's saga, as the order's actor takes them.

const step = 5 * time.Millisecond

// reserve holds the order's lines. It says whether all of them are held.
func (s *shop) reserve(identity string) bool {
	s.t.Helper()
	o, held := s.orders[identity], false
	for _, line := range o.Reservation.Lines {
		if err := s.hold(identity, line); err != nil {
			short := order.Shortage{ProductID: line.ProductID, ProductName: line.ProductName, RequestedQuantity: line.Quantity}
			if p := s.products[line.ProductID]; p != nil && p.Exists {
				short.AvailableQuantity = p.Available()
			}
			s.must(s.order(identity, order.RecordShortage{Shortages: []order.Shortage{short}, Undo: held, At: s.pass(step)}))
			return false
		}
		held = true
	}
	s.must(s.order(identity, order.RecordReserved{At: s.pass(step)}))
	return true
}

func (s *shop) hold(identity string, line order.Line) error {
	o := s.orders[identity]
	return s.product(line.ProductID, product.Hold{OrderID: o.OrderID(), Quantity: line.Quantity, ExpiresAt: o.Reservation.ExpiresAt, At: s.pass(step)})
}

// ask has the order ask for its payment.
func (s *shop) ask(identity string) error {
	p := s.orders[identity].PaymentRequested
	request := payment.Requested{ID: s.newID(), OrderID: p.OrderID, CustomerID: p.CustomerID, Email: p.Email, Amount: p.Amount,
		Currency: p.Currency, Items: []payment.Item{}, Method: p.Method, At: s.pass(step)}
	for _, line := range p.Lines {
		request.Items = append(request.Items, payment.Item(line))
	}
	return s.payment(identity, "order/"+p.OrderID, payment.Request{Payment: request})
}

// provider tells the payment what became of an attempt.
func (s *shop) provider(identity string, outcome payment.Outcome, number int) {
	s.t.Helper()
	r := payment.RecordIntent{IntentID: "pi_" + identity, ClientSecret: "secret_" + identity, Number: number, Outcome: outcome, At: s.pass(step)}
	if outcome == payment.OutcomeDeclined {
		r.Code, r.Message = "card_declined", "the card was declined"
	}
	s.must(s.payment(identity, "create/0", r))
}

// webhook tells the payment what the provider's webhook says.
func (s *shop) webhook(identity string, w payment.RecordWebhook) {
	s.t.Helper()
	w.IntentID, w.At = "pi_"+identity, s.pass(step)
	s.must(s.payment(identity, "POST /payments/webhook/stripe", w))
}

// take sells the order's lines to it.
func (s *shop) take(identity string) {
	s.t.Helper()
	o := s.orders[identity]
	for _, line := range o.Reservation.Lines {
		s.must(s.product(line.ProductID, product.Take{OrderID: o.OrderID(), At: s.pass(step)}))
	}
}

// buy takes the order through to its end, paid at once.
func (s *shop) buy(wants ...want) string {
	s.t.Helper()
	identity := s.place("pm_card_visa", wants...)
	s.reserve(identity)
	s.must(s.ask(identity))
	s.provider(identity, payment.OutcomeSucceeded, 0)
	s.take(identity)
	s.must(s.order(identity, order.RecordPaid{At: s.pass(step)}))
	return identity
}

// undo gives back what the order has.
func (s *shop) undo(identity string) {
	s.t.Helper()
	o := s.orders[identity]
	if o.PaymentRequested != nil {
		s.must(s.payment(identity, "order/"+o.OrderID(), payment.VoidPayment{Reason: o.UndoReason, At: s.pass(step)}))
	}
	for _, line := range o.Reservation.Lines {
		s.must(s.giveBack(identity, line))
	}
	s.must(s.order(identity, order.RecordUndone{At: s.pass(step)}))
}

func (s *shop) giveBack(identity string, line order.Line) error {
	o := s.orders[identity]
	return s.product(line.ProductID, product.Return{OrderID: o.OrderID(), Quantity: line.Quantity, Sold: o.Sold(), Reason: o.UndoReason, At: s.pass(step)})
}

// work lets the provider do what the payment still has to ask of it.
func (s *shop) work(identity string) {
	s.t.Helper()
	for {
		work, number := s.payments[identity].Due()
		switch work {
		case payment.WorkRefund:
			s.must(s.payment(identity, "refund", payment.RecordRefunded{Index: number, RefundID: "re_" + identity, At: s.pass(step)}))
		case payment.WorkCancel, payment.WorkResolve:
			s.provider(identity, payment.OutcomeCanceled, number)
		default:
			return
		}
	}
}

func (s *shop) cancel(identity, reason string) {
	s.t.Helper()
	s.must(s.order(identity, order.Cancel{ID: s.orders[identity].OrderID(), Reason: reason, At: s.pass(time.Second)}))
}

// other opens a reservation for another system's order.
func (s *shop) other(orderID string, wants ...want) string {
	s.t.Helper()
	identity := domain.OrderIdentity(orderID)
	r := order.Reserve{OrderID: orderID, CustomerID: "customer-of-another", ReservationDocID: s.newID(), ReservationID: "RES-" + identity,
		TTL: 10*time.Minute + time.Second, At: s.pass(time.Second)}
	for _, w := range wants {
		r.Lines = append(r.Lines, order.Line{ProductID: w.product, ProductName: "as the other system calls it", Quantity: w.quantity, UnitPrice: 5})
	}
	s.must(s.order(identity, r))
	return identity
}

// expire passes the order's deadline.
func (s *shop) expire(identity string) {
	s.t.Helper()
	if deadline := s.orders[identity].Due().Deadline; deadline > s.now {
		s.now = deadline
	}
	s.must(s.order(identity, order.Tick{At: s.now}))
}
