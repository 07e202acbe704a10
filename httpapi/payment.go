package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

type (
	paidItemBody struct {
		ProductID   string `json:"productId" minLength:"1" maxLength:"100" example:"prod-001"`
		ProductName string `json:"productName,omitempty" maxLength:"200"`
		Quantity    int64  `json:"quantity" minimum:"1" maximum:"1000000"`
		UnitPrice   int64  `json:"unitPrice,omitempty" minimum:"0" maximum:"1000000000000"`
	}
	requestPaymentBody struct {
		OrderID       string         `json:"orderId" minLength:"1" maxLength:"100" doc:"of an order here or in another system"`
		CustomerID    string         `json:"customerId" minLength:"1" maxLength:"200" example:"cust-1001"`
		CustomerEmail string         `json:"customerEmail" format:"email" maxLength:"254" example:"ada@example.com"`
		Amount        int64          `json:"amount" minimum:"1" maximum:"10000000000000" doc:"minor units" example:"20798"`
		Currency      string         `json:"currency,omitempty" pattern:"^[a-z]{3}$" patternDescription:"a lower case ISO 4217 code" example:"usd"`
		OrderItems    []paidItemBody `json:"orderItems" maxItems:"500"`
	}
	confirmPaymentBody struct {
		PaymentMethodID string `json:"paymentMethodId" minLength:"1" maxLength:"255" example:"pm_card_visa"`
	}
	refundPaymentBody struct {
		Amount *int64 `json:"amount,omitempty" minimum:"1" maximum:"10000000000000" doc:"minor units; all that is left where it is left out"`
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}

	requestPaymentInput struct{ Body requestPaymentBody }
	listPaymentsInput   struct {
		Status     string `query:"status" enum:"pending,processing,succeeded,failed,cancelled,partially_refunded,refunded"`
		OrderID    string `query:"orderId" maxLength:"200"`
		CustomerID string `query:"customerId" maxLength:"200"`
		Limit      *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor     string `query:"cursor" doc:"opaque; from the Link of the page before"`
		Page       *int64 `query:"page" minimum:"1" doc:"from 1; for older clients"`
	}
	paymentsOfOrderInput struct {
		OrderID string `path:"orderId"`
		Limit   *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor  string `query:"cursor" doc:"opaque; from the Link of the page before"`
		Page    *int64 `query:"page" minimum:"1" doc:"from 1; for older clients"`
	}
	paymentsOfCustomerInput struct {
		CustomerID string `path:"customerId"`
		Limit      *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor     string `query:"cursor" doc:"opaque; from the Link of the page before"`
		Page       *int64 `query:"page" minimum:"1" doc:"from 1; for older clients"`
	}
	paymentInput struct {
		PaymentIntentID string `path:"paymentIntentId" example:"pay_9b3d4e5f60718293"`
	}
	confirmPaymentInput struct {
		PaymentIntentID string `path:"paymentIntentId"`
		Body            confirmPaymentBody
	}
	refundPaymentInput struct {
		PaymentIntentID string `path:"paymentIntentId"`
		Body            refundPaymentBody
	}
)

func (s *Server) paymentRoutes() {
	const tag, read, write = "payments", "payments:read", "payments:write"
	patience := s.config.Limits.Payment
	route(s, operation{id: "requestPayment", method: http.MethodPost, path: "/payments", tag: tag, scope: write, summary: "Request a payment",
		description: "For an order of this shop the answer is the order's own payment; anything else than the order's data is refused.",
		status:      http.StatusCreated, answer: payment.Document{}, refusals: []int{402, 409}, keyed: true, tagged: true, located: true, patience: patience}, requestPayment)
	route(s, operation{id: "listPayments", method: http.MethodGet, path: "/payments", tag: tag, scope: read, summary: "List payments",
		description: "Newest first, without client secrets; filters combine.", status: http.StatusOK, answer: payment.Document{}, array: true, linked: true}, listPayments)
	route(s, operation{id: "listPaymentsOfOrder", method: http.MethodGet, path: "/payments/order/{orderId}", tag: tag, scope: read,
		summary: "List an order's payments", status: http.StatusOK, answer: payment.Document{}, array: true, linked: true}, listPaymentsOfOrder)
	route(s, operation{id: "listPaymentsOfCustomer", method: http.MethodGet, path: "/payments/customer/{customerId}", tag: tag, scope: read,
		summary: "List a customer's payments", status: http.StatusOK, answer: payment.Document{}, array: true, linked: true}, listPaymentsOfCustomer)
	route(s, operation{id: "getPayment", method: http.MethodGet, path: "/payments/{paymentIntentId}", tag: tag, scope: read, summary: "Get a payment",
		status: http.StatusOK, answer: payment.Document{}, refusals: []int{404}, tagged: true}, getPayment)
	route(s, operation{id: "confirmPayment", method: http.MethodPost, path: "/payments/{paymentIntentId}/confirm", tag: tag, scope: write,
		summary: "Charge a payment", description: "Answers processing when the bank asks for 3-D Secure.", status: http.StatusOK, answer: payment.Document{},
		refusals: []int{402, 404, 409, 412}, keyed: true, matched: true, tagged: true, patience: patience}, confirmPayment)
	route(s, operation{id: "refundPayment", method: http.MethodPost, path: "/payments/{paymentIntentId}/refund", tag: tag, scope: write,
		summary: "Give money back", status: http.StatusOK, answer: payment.Document{}, refusals: []int{404, 409, 412},
		keyed: true, matched: true, tagged: true, bare: true, patience: patience}, refundPayment)
	s.webhookRoute()
}

func readPayment(id string) *messages.Command {
	return &messages.Command{Body: &messages.Command_GetPayment{GetPayment: &messages.GetPayment{PaymentIntentId: id}}}
}

// paymentIdentity is the entity behind a public id; a malformed one names nothing.
func paymentIdentity(id string) (string, error) {
	identity, ok := domain.PaymentIdentity(id)
	if !ok {
		return "", notFound("payment_not_found", "there is no such payment")
	}
	return identity, nil
}

func listPayments(c *call, in *listPaymentsInput) (answer, error) {
	return c.listed(storage.Filter{Collection: storage.Payments, Status: in.Status, Order: in.OrderID, Customer: in.CustomerID},
		in.Limit, in.Page, in.Cursor)
}

func listPaymentsOfOrder(c *call, in *paymentsOfOrderInput) (answer, error) {
	return c.listed(storage.Filter{Collection: storage.Payments, Order: in.OrderID}, in.Limit, in.Page, in.Cursor)
}

func listPaymentsOfCustomer(c *call, in *paymentsOfCustomerInput) (answer, error) {
	return c.listed(storage.Filter{Collection: storage.Payments, Customer: in.CustomerID}, in.Limit, in.Page, in.Cursor)
}

func getPayment(c *call, in *paymentInput) (answer, error) {
	identity, err := paymentIdentity(in.PaymentIntentID)
	if err != nil {
		return answer{}, err
	}
	reply, err := c.onceOpened(in.PaymentIntentID, identity, func() (*messages.Reply, error) {
		return c.ask(kindPayment, identity, readPayment(in.PaymentIntentID))
	})
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

// onceOpened asks a payment. One that is not there yet, though its order names it already, is about to be: asked again,
// it is found.
func (c *call) onceOpened(id, identity string, ask func() (*messages.Reply, error)) (*messages.Reply, error) {
	reply, err := ask()
	for pause := 2 * time.Millisecond; isRefused(err, domain.KindNotFound) && c.announced(id, identity); pause = min(2*pause, 100*time.Millisecond) {
		if c.sleep(pause) != nil {
			return nil, unavailable("payment_opening", "the payment is being made; send the same request again")
		}
		reply, err = ask()
	}
	return reply, err
}

// announced says whether the order names the payment and is still open: one that was given up before its payment was
// ever heard of has none, and never will.
func (c *call) announced(id, identity string) bool {
	reply, err := c.ask(kindOrder, identity, readOrder(""))
	if err != nil {
		return false
	}
	var d struct {
		PaymentIntentID string `json:"paymentIntentId"`
		Status          string `json:"status"`
	}
	return json.Unmarshal(reply.GetDocument(), &d) == nil && d.PaymentIntentID == id && d.Status == string(order.StatusPending)
}

func confirmPayment(c *call, in *confirmPaymentInput) (answer, error) {
	return c.changePayment(in.PaymentIntentID, &messages.Command{Body: &messages.Command_ConfirmPayment{
		ConfirmPayment: &messages.ConfirmPayment{PaymentIntentId: in.PaymentIntentID, Method: in.Body.PaymentMethodID}}})
}

func refundPayment(c *call, in *refundPaymentInput) (answer, error) {
	return c.changePayment(in.PaymentIntentID, &messages.Command{Body: &messages.Command_RefundPayment{
		RefundPayment: &messages.RefundPayment{PaymentIntentId: in.PaymentIntentID, Amount: in.Body.Amount, Reason: in.Body.Reason}}})
}

func (c *call) changePayment(id string, cmd *messages.Command) (answer, error) {
	identity, err := paymentIdentity(id)
	if err != nil {
		return answer{}, err
	}
	reply, err := c.onceOpened(id, identity, func() (*messages.Reply, error) {
		return c.write(kindPayment, identity, cmd, c.versionOf(kindPayment, identity, readPayment(id)))
	})
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

// identityOfDocument is the entity behind a payment's stored document.
func identityOfDocument(body []byte) (string, error) {
	var d struct {
		PaymentIntentID string `json:"paymentIntentId"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return "", fmt.Errorf("read a stored payment: %w", err)
	}
	return paymentIdentity(d.PaymentIntentID)
}
