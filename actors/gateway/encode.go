package gateway

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What encoding/json would write of the sandbox's events, without its reflection: one line per field, in the order of the
// struct and with its tag's key. TestEncoders fails for a field that is missing here.

func (e noticeEvent[O]) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Text("object", e.Object)
	o.Text("api_version", e.APIVersion)
	o.Int("created", e.Created)
	domain.Nested(&o, "data", e.Data)
	o.Bool("livemode", e.Livemode)
	o.Int("pending_webhooks", int64(e.PendingWebhooks))
	domain.Nested(&o, "request", e.Request)
	o.Text("type", e.Type)
	return o.Close()
}

func (d noticeData[O]) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	domain.Nested(&o, "object", d.Object)
	return o.Close()
}

func (r noticeRequest) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	domain.Nullable(&o, "id", r.ID, (*domain.Object).Text)
	domain.Nullable(&o, "idempotency_key", r.IdempotencyKey, (*domain.Object).Text)
	return o.Close()
}

func (m noticeMetadata) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.OptionalText("orderId", m.OrderID)
	o.OptionalText("paymentIntentId", m.PaymentID)
	return o.Close()
}

func (i noticeIntent) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", i.ID)
	o.Text("object", i.Object)
	o.Int("amount", i.Amount)
	o.Int("amount_received", i.AmountReceived)
	domain.Nullable(&o, "canceled_at", i.CanceledAt, (*domain.Object).Int)
	o.Text("client_secret", i.ClientSecret)
	o.Int("created", i.Created)
	o.Text("currency", i.Currency)
	domain.Nullable(&o, "last_payment_error", i.LastPaymentError, domain.Nested)
	domain.Nullable(&o, "latest_charge", i.LatestCharge, (*domain.Object).Text)
	o.Bool("livemode", i.Livemode)
	domain.Nested(&o, "metadata", i.Metadata)
	domain.Nullable(&o, "next_action", i.NextAction, domain.Nested)
	domain.Nullable(&o, "payment_method", i.PaymentMethod, (*domain.Object).Text)
	o.Texts("payment_method_types", i.PaymentMethodTypes)
	o.Text("status", string(i.Status))
	return o.Close()
}

func (a noticeAction) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("type", a.Type)
	return o.Close()
}

func (e noticeError) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("type", e.Type)
	o.Text("code", e.Code)
	o.OptionalText("decline_code", e.DeclineCode)
	o.Text("message", e.Message)
	domain.Optional(&o, "payment_method", e.PaymentMethod, domain.Nested)
	return o.Close()
}

func (m noticeMethod) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", m.ID)
	o.Text("object", m.Object)
	o.Text("type", m.Type)
	return o.Close()
}

func (c noticeCharge) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", c.ID)
	o.Text("object", c.Object)
	o.Int("amount", c.Amount)
	o.Int("amount_captured", c.AmountCaptured)
	o.Int("amount_refunded", c.AmountRefunded)
	o.Bool("captured", c.Captured)
	o.Text("currency", c.Currency)
	o.Bool("livemode", c.Livemode)
	domain.Nested(&o, "metadata", c.Metadata)
	o.Bool("paid", c.Paid)
	o.Text("payment_intent", c.PaymentIntent)
	o.Bool("refunded", c.Refunded)
	domain.Nested(&o, "refunds", c.Refunds)
	o.Text("status", c.Status)
	return o.Close()
}

func (r noticeRefunds) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("object", r.Object)
	domain.List(&o, "data", r.Data)
	o.Bool("has_more", r.HasMore)
	return o.Close()
}

func (r noticeRefund) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", r.ID)
	o.Text("object", r.Object)
	o.Int("created", r.Created)
	o.Text("payment_intent", r.PaymentIntent)
	return o.Close()
}

func (d noticeDispute) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", d.ID)
	o.Text("object", d.Object)
	o.Int("amount", d.Amount)
	o.Text("charge", d.Charge)
	o.Int("created", d.Created)
	o.Text("currency", d.Currency)
	o.Bool("livemode", d.Livemode)
	domain.Nested(&o, "metadata", d.Metadata)
	o.Text("payment_intent", d.PaymentIntent)
	o.Text("reason", d.Reason)
	o.Text("status", d.Status)
	return o.Close()
}
