package httpapi

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Received tells the payment provider that its event is safe here.
type Received struct {
	Received bool `json:"received"`
}

const webhookPath = "/payments/webhook/stripe"

type webhookInput struct{}

var webhookOperation = operation{id: "receiveStripeEvent", method: http.MethodPost, path: webhookPath, tag: "payments", summary: "Receive an event of Stripe",
	description: "Signed with the Stripe-Signature header. Answers 200 when the event is durable, also for types and intents that are unknown.",
	status:      http.StatusOK, answer: Received{}}

func (s *Server) webhookRoute() {
	route(s, webhookOperation, receiveStripeEvent)
	documented := s.document.Paths[webhookPath].Post
	documented.Parameters = append(documented.Parameters, &huma.Param{Name: gateway.SignatureHeader, In: "header", Required: true,
		Schema: &huma.Schema{Type: huma.TypeString}})
	documented.RequestBody = &huma.RequestBody{Required: true, Description: "The event, byte for byte as Stripe signed it.",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}}
}

func receiveStripeEvent(c *call, _ *webhookInput) (answer, error) {
	request := c.fiber.Request()
	if err := c.receive(request.Body(), string(request.Header.Peek(gateway.SignatureHeader))); err != nil {
		return answer{}, err
	}
	return answer{body: []byte(`{"received":true}`)}, nil
}

func (c *call) receive(payload []byte, signature string) error {
	event, err := c.webhooks.Parse(payload, signature, c.now, 0)
	switch {
	case errors.Is(err, gateway.ErrSignature):
		return badRequest("webhook_signature", "the webhook's signature is missing, wrong or too old")
	case err != nil:
		return badRequest("webhook_payload", "the webhook's payload is not an event")
	case event.IntentID == "":
		return nil
	}
	if err := c.recordEvent(event); err != nil {
		return retryable(err)
	}
	return nil
}

// retryable turns what an entity refuses into something that the provider sends again: an event that is signed and
// whole must not get lost.
func retryable(err error) error {
	var no refused
	if errors.As(err, &no) && !no.is(domain.KindUnavailable) && no.GetKind() != kindRetry {
		return unavailable("webhook_not_recorded", "the event could not be recorded; send it again")
	}
	return err
}

// recordEvent brings the event to the payment that its metadata names, else to the one that has its intent; an event
// of an intent that nobody knows yet is kept until somebody does.
func (c *call) recordEvent(event gateway.Event) error {
	record := &messages.RecordGatewayEvent{EventId: event.ID, Type: event.Type, IntentId: event.IntentID,
		AmountRefunded: event.AmountRefunded, RefundId: event.RefundID, DisputeId: event.DisputeID, Message: event.Message, Method: event.Method}
	if identity, ok := identityOf(event); ok {
		if err := c.recordAt(identity, record); !isRefused(err, domain.KindNotFound) {
			return err
		}
	}
	documents, err := c.config.Lists.List(c.ctx, storage.Filter{Collection: storage.Payments, External: event.IntentID}, storage.Position{}, 0, 1)
	if err != nil {
		return away{what: "look up a payment by its intent", err: err}
	}
	for _, d := range documents {
		identity, err := identityOfDocument(d.Body)
		if err != nil {
			return err
		}
		if err := c.recordAt(identity, record); !isRefused(err, domain.KindNotFound) {
			return err
		}
	}
	_, err = c.ask(kindWebhook, event.IntentID, &messages.Command{Body: &messages.Command_ParkWebhook{ParkWebhook: &messages.ParkWebhook{Event: record}}})
	return err
}

func (c *call) recordAt(identity string, record *messages.RecordGatewayEvent) error {
	_, err := c.ask(kindPayment, identity, &messages.Command{Body: &messages.Command_RecordGatewayEvent{RecordGatewayEvent: record}})
	return err
}

// identityOf reads what we sent along when the intent was made.
func identityOf(event gateway.Event) (string, bool) {
	if identity, ok := domain.PaymentIdentity(event.PaymentID); ok {
		return identity, true
	}
	if event.OrderID != "" {
		return domain.OrderIdentity(event.OrderID), true
	}
	return "", false
}
