package gateway

import (
	"crypto/sha256"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway/internal/testcard"
)

// eventVersion is the API version that the sandbox's events have the shape of.
const eventVersion = "2023-10-16"

// The shapes of Stripe's events, as far as the sandbox has something to say.
type (
	noticeEvent[O domain.Appender] struct {
		ID              string        `json:"id"`
		Object          string        `json:"object"`
		APIVersion      string        `json:"api_version"`
		Created         int64         `json:"created"`
		Data            noticeData[O] `json:"data"`
		Livemode        bool          `json:"livemode"`
		PendingWebhooks int           `json:"pending_webhooks"`
		Request         noticeRequest `json:"request"`
		Type            string        `json:"type"`
	}
	noticeData[O domain.Appender] struct {
		Object O `json:"object"`
	}
	noticeRequest struct {
		ID             *string `json:"id"`
		IdempotencyKey *string `json:"idempotency_key"`
	}
	noticeMetadata struct {
		OrderID   string `json:"orderId,omitempty"`
		PaymentID string `json:"paymentIntentId,omitempty"`
	}
	noticeIntent struct {
		ID                 string         `json:"id"`
		Object             string         `json:"object"`
		Amount             int64          `json:"amount"`
		AmountReceived     int64          `json:"amount_received"`
		CanceledAt         *int64         `json:"canceled_at"`
		ClientSecret       string         `json:"client_secret"`
		Created            int64          `json:"created"`
		Currency           string         `json:"currency"`
		LastPaymentError   *noticeError   `json:"last_payment_error"`
		LatestCharge       *string        `json:"latest_charge"`
		Livemode           bool           `json:"livemode"`
		Metadata           noticeMetadata `json:"metadata"`
		NextAction         *noticeAction  `json:"next_action"`
		PaymentMethod      *string        `json:"payment_method"`
		PaymentMethodTypes []string       `json:"payment_method_types"`
		Status             Status         `json:"status"`
	}
	noticeAction struct {
		Type string `json:"type"`
	}
	noticeError struct {
		Type          string        `json:"type"`
		Code          string        `json:"code"`
		DeclineCode   string        `json:"decline_code,omitempty"`
		Message       string        `json:"message"`
		PaymentMethod *noticeMethod `json:"payment_method,omitempty"`
	}
	noticeMethod struct {
		ID     string `json:"id"`
		Object string `json:"object"`
		Type   string `json:"type"`
	}
	noticeCharge struct {
		ID             string         `json:"id"`
		Object         string         `json:"object"`
		Amount         int64          `json:"amount"`
		AmountCaptured int64          `json:"amount_captured"`
		AmountRefunded int64          `json:"amount_refunded"`
		Captured       bool           `json:"captured"`
		Currency       string         `json:"currency"`
		Livemode       bool           `json:"livemode"`
		Metadata       noticeMetadata `json:"metadata"`
		Paid           bool           `json:"paid"`
		PaymentIntent  string         `json:"payment_intent"`
		Refunded       bool           `json:"refunded"`
		Refunds        noticeRefunds  `json:"refunds"`
		Status         string         `json:"status"`
	}
	noticeRefunds struct {
		Object  string         `json:"object"`
		Data    []noticeRefund `json:"data"`
		HasMore bool           `json:"has_more"`
	}
	noticeRefund struct {
		ID            string `json:"id"`
		Object        string `json:"object"`
		Created       int64  `json:"created"`
		PaymentIntent string `json:"payment_intent"`
	}
	noticeDispute struct {
		ID            string         `json:"id"`
		Object        string         `json:"object"`
		Amount        int64          `json:"amount"`
		Charge        string         `json:"charge"`
		Created       int64          `json:"created"`
		Currency      string         `json:"currency"`
		Livemode      bool           `json:"livemode"`
		Metadata      noticeMetadata `json:"metadata"`
		PaymentIntent string         `json:"payment_intent"`
		Reason        string         `json:"reason"`
		Status        string         `json:"status"`
	}
)

// payload is the webhook's body. A repeated call makes the same event again, with the same id.
func (n *notice) payload() []byte {
	switch n.event {
	case TypeRefunded:
		return payloadOf(n, n.charge())
	case TypeDisputed:
		return payloadOf(n, n.dispute())
	}
	return payloadOf(n, n.paymentIntent())
}

func payloadOf[O domain.Appender](n *notice, object O) []byte {
	return domain.JSON(noticeEvent[O]{
		ID: "evt_" + derived(n.event, n.intent.id, string(n.key[:])), Object: "event", APIVersion: eventVersion,
		Created: n.at.Unix(), Data: noticeData[O]{object}, PendingWebhooks: 1, Type: n.event,
	})
}

func (n *notice) paymentIntent() *noticeIntent {
	in := &n.intent
	object := &noticeIntent{
		ID: in.id, Object: "payment_intent", Amount: in.amount, ClientSecret: in.clientSecret, Created: n.at.Unix(),
		Currency: in.currency, Metadata: in.metadata(), PaymentMethod: reference(n.method),
		PaymentMethodTypes: []string{"card"}, Status: in.status,
	}
	switch n.event {
	case TypeSucceeded:
		object.AmountReceived, object.LatestCharge = in.amount, reference(in.chargeID())
	case TypePaymentFailed:
		object.PaymentMethod, object.LatestCharge = nil, reference(in.chargeID())
		object.LastPaymentError = paymentError(in.bank(), n.method)
	case TypeRequiresAction:
		object.NextAction = &noticeAction{Type: "use_stripe_sdk"}
	case TypeCanceled:
		at := n.at.Unix()
		object.CanceledAt = &at
	}
	return object
}

func (n *notice) charge() *noticeCharge {
	in := &n.intent
	return &noticeCharge{
		ID: in.chargeID(), Object: "charge", Amount: in.amount, AmountCaptured: in.amount, AmountRefunded: in.refunded,
		Captured: true, Currency: in.currency, Metadata: in.metadata(), Paid: true, PaymentIntent: in.id,
		Refunded: in.refunded == in.amount, Status: "succeeded",
		Refunds: noticeRefunds{Object: "list", Data: []noticeRefund{
			{ID: refundID(n.key), Object: "refund", Created: n.at.Unix(), PaymentIntent: in.id},
		}},
	}
}

func (n *notice) dispute() *noticeDispute {
	in := &n.intent
	return &noticeDispute{
		ID: "dp_" + derived("dispute", in.id, ""), Object: "dispute", Amount: in.amount, Charge: in.chargeID(),
		Created: n.at.Unix(), Currency: in.currency, Metadata: in.metadata(), PaymentIntent: in.id,
		Reason: in.bank().Dispute, Status: "needs_response",
	}
}

func (in *sandboxIntent) metadata() noticeMetadata {
	return noticeMetadata{OrderID: in.order, PaymentID: in.payment}
}

func (in *sandboxIntent) chargeID() string { return "ch_" + derived("charge", in.id, "") }

// derived makes the tail of an id that always follows from the same facts.
func derived(kind, intentID, key string) string {
	facts := make([]byte, 0, 256)
	facts = append(append(append(facts, kind...), '/'), intentID...)
	facts = append(append(facts, '/'), key...)
	sum := sha256.Sum256(facts)
	return tokenText.EncodeToString(sum[:15])
}

func paymentError(card testcard.Card, method string) *noticeError {
	failed := &noticeError{Type: "card_error", Code: card.Code, DeclineCode: card.DeclineCode, Message: card.Message}
	if method != "" {
		failed.PaymentMethod = &noticeMethod{ID: method, Object: "payment_method", Type: "card"}
	}
	return failed
}

func reference(id string) *string {
	if id == "" {
		return nil
	}
	return &id
}
