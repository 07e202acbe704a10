package httpapi

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// requestPayment answers with the payment of the order. An order of this shop makes its payment itself, as soon as its
// stock is held; asking for it here only waits for that. For another system's order the payment is made now.
func requestPayment(c *call, in *requestPaymentInput) (answer, error) {
	b := &in.Body
	id, err := c.newID()
	if err != nil {
		return answer{}, err
	}
	repeated := false
	if c.key != "" {
		kept, err := c.acquireKey(id)
		if err != nil {
			return answer{}, err
		}
		repeated, id = kept != id, kept
	}
	if domain.IsID(b.OrderID) {
		placed, err := c.placedOrder(b.OrderID)
		if err != nil {
			return answer{}, err
		}
		if placed != nil {
			return c.paymentOfPlaced(b, placed, repeated)
		}
	}
	reply, err := c.write(kindPayment, domain.OrderIdentity(b.OrderID), &messages.Command{
		Body: &messages.Command_RequestPayment{RequestPayment: b.message(id)}}, nil)
	if err != nil {
		return answer{}, err
	}
	return c.requested(b.OrderID, documentOf(reply)), nil
}

func (c *call) requested(orderID string, a answer) answer {
	a.header("Location", c.visit.prefix+"/payments/"+domain.PaymentIntentID(orderID))
	return a
}

func (b *requestPaymentBody) message(id string) *messages.RequestPayment {
	m := &messages.RequestPayment{Id: id, OrderId: b.OrderID, CustomerId: b.CustomerID, CustomerEmail: b.CustomerEmail,
		Amount: b.Amount, Currency: b.Currency, Lines: make([]*messages.ReservationLine, len(b.OrderItems))}
	for i, item := range b.OrderItems {
		m.Lines[i] = &messages.ReservationLine{ProductId: item.ProductID, ProductName: item.ProductName,
			Quantity: item.Quantity, UnitPrice: item.UnitPrice}
	}
	return m
}

// placedOrder returns the order if it was placed here; nil: it was not.
func (c *call) placedOrder(id string) (*order.Document, error) {
	identity := domain.OrderIdentity(id)
	reply, err := c.ask(kindOrder, identity, readOrder(id))
	if err == nil {
		var d order.Document
		if err := json.Unmarshal(reply.GetDocument(), &d); err != nil {
			return nil, fmt.Errorf("read the document of order/%s: %w", identity, err)
		}
		return &d, nil
	}
	if !isRefused(err, domain.KindNotFound) {
		return nil, err
	}
	// A hidden order is not found either, but it must not get a payment beside its own.
	entries, err := c.config.History.Read(c.ctx, storage.StreamOf(kindOrder, identity), 0, 1)
	if err != nil {
		return nil, away{what: "read the journal of order/" + identity, err: err}
	}
	if _, placed := placedID(entries); placed {
		return nil, conflict("order_not_payable", "order %s can't be paid", id)
	}
	return nil, nil
}

// paymentOfPlaced waits until the order has asked for its payment and the provider knows it. A request that repeats an
// earlier one gets the payment also when the order has been cancelled since.
func (c *call) paymentOfPlaced(b *requestPaymentBody, placed *order.Document, repeated bool) (answer, error) {
	if what := b.differs(placed); what != "" {
		return answer{}, conflict("payment_differs", "order %s has another %s", b.OrderID, what)
	}
	const shortest, longest = 5 * time.Millisecond, 250 * time.Millisecond
	for pause := shortest; ; pause = min(2*pause, longest) {
		if placed.Status == order.StatusCancelled && !(repeated && placed.PaymentIntentID != "") {
			return answer{}, conflict("order_not_payable", "order %s is cancelled", b.OrderID)
		}
		if placed.PaymentIntentID != "" {
			a, ready, err := c.readyPayment(placed.PaymentIntentID)
			if err != nil || ready {
				return c.requested(b.OrderID, a), err
			}
		}
		if err := c.sleep(pause); err != nil {
			return answer{}, unavailable("order_reserving", "the order is still reserving its stock; send the same request again")
		}
		var err error
		if placed, err = c.placedOrder(b.OrderID); err != nil {
			return answer{}, err
		}
		if placed == nil {
			return answer{}, notFound("order_not_found", "there is no order %s", b.OrderID)
		}
	}
}

// differs names what the request has other than the order; empty: nothing.
func (b *requestPaymentBody) differs(placed *order.Document) string {
	switch {
	case b.Amount != placed.Total:
		return fmt.Sprintf("amount: its total is %d", placed.Total)
	case b.Currency != "" && b.Currency != placed.Currency:
		return "currency: " + placed.Currency
	case b.CustomerID != placed.Customer.CustomerID:
		return "customerId"
	case b.CustomerEmail != placed.Customer.Email:
		return "customerEmail"
	}
	return ""
}

// readyPayment reads the payment; ready: a client can do something with it.
func (c *call) readyPayment(id string) (a answer, ready bool, err error) {
	identity, err := paymentIdentity(id)
	if err != nil {
		return answer{}, false, err
	}
	reply, err := c.ask(kindPayment, identity, readPayment(id))
	if isRefused(err, domain.KindNotFound) {
		return answer{}, false, nil
	}
	if err != nil {
		return answer{}, false, err
	}
	var d payment.Document
	if err := json.Unmarshal(reply.GetDocument(), &d); err != nil {
		return answer{}, false, fmt.Errorf("read the document of payment/%s: %w", identity, err)
	}
	return documentOf(reply), d.StripeClientSecret != "" || d.Status != payment.StatusPending, nil
}

// sleep waits for d, or returns an error when the request has not as much time left.
func (c *call) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}
