package payment

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What encoding/json would write, without its reflection: one line per field, in the order of the struct and with its
// tag's key. TestEncoders fails for a field that is missing here.

func (i Item) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", i.ProductID)
	o.Text("productName", i.ProductName)
	o.Int("quantity", i.Quantity)
	o.Int("unitPrice", i.UnitPrice)
	return o.Close()
}

func (e Requested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Text("email", e.Email)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	domain.List(&o, "items", e.Items)
	o.OptionalText("method", e.Method)
	o.Time("at", e.At)
	return o.Close()
}

func (e IntentCreated) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("intentId", e.IntentID)
	o.Text("clientSecret", e.ClientSecret)
	o.Time("at", e.At)
	return o.Close()
}

func (e ConfirmRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Int("attempt", int64(e.Attempt))
	o.Text("method", e.Method)
	o.Time("at", e.At)
	return o.Close()
}

func (e Processing) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.OptionalInt("attempt", int64(e.Attempt))
	o.OptionalTrue("requiresAction", e.RequiresAction)
	o.Time("at", e.At)
	return o.Close()
}

func (e Succeeded) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("intentId", e.IntentID)
	o.OptionalText("method", e.Method)
	o.OptionalInt("attempt", int64(e.Attempt))
	o.Time("at", e.At)
	return o.Close()
}

func (e Failed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.OptionalInt("attempt", int64(e.Attempt))
	o.OptionalText("code", e.Code)
	o.Text("message", e.Message)
	o.OptionalTrue("final", e.Final)
	o.Time("at", e.At)
	return o.Close()
}

func (e VoidRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("reason", e.Reason)
	o.Time("at", e.At)
	return o.Close()
}

func (e Cancelled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

func (e RefundRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Int("index", int64(e.Index))
	o.Int("amount", e.Amount)
	o.OptionalText("reason", e.Reason)
	o.Time("at", e.At)
	return o.Close()
}

func (e Refunded) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Int("index", int64(e.Index))
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("refundId", e.RefundID)
	o.OptionalText("reason", e.Reason)
	o.Time("at", e.At)
	return o.Close()
}

func (e RefundRejected) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Int("index", int64(e.Index))
	o.Text("message", e.Message)
	o.Time("at", e.At)
	return o.Close()
}

func (e Disputed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("disputeId", e.DisputeID)
	o.Time("at", e.At)
	return o.Close()
}

func (e Noticed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.OptionalTrue("failed", e.Failed)
	o.OptionalText("message", e.Message)
	o.OptionalInt("refunded", e.Refunded)
	o.OptionalText("refundId", e.RefundID)
	o.Time("at", e.At)
	return o.Close()
}

func (d RefundDocument) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("stripeRefundId", d.StripeRefundID)
	o.Int("amount", d.Amount)
	o.OptionalText("reason", d.Reason)
	o.Time("createdAt", d.CreatedAt)
	return o.Close()
}

func (d Document) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("_id", d.ID)
	o.Text("paymentIntentId", d.PaymentIntentID)
	o.Text("orderId", d.OrderID)
	o.Text("customerId", d.CustomerID)
	o.Int("amount", d.Amount)
	o.Text("currency", d.Currency)
	o.Text("status", string(d.Status))
	o.OptionalText("stripePaymentIntentId", d.StripePaymentIntentID)
	o.OptionalText("stripeClientSecret", d.StripeClientSecret)
	o.Text("customerEmail", d.CustomerEmail)
	domain.List(&o, "orderItems", d.OrderItems)
	o.OptionalText("paymentMethodId", d.PaymentMethodID)
	o.OptionalText("errorMessage", d.ErrorMessage)
	o.OptionalTime("paidAt", d.PaidAt)
	o.OptionalTime("failedAt", d.FailedAt)
	o.OptionalTime("refundedAt", d.RefundedAt)
	o.Int("refundedAmount", d.RefundedAmount)
	domain.List(&o, "refunds", d.Refunds)
	if len(d.Disputes) > 0 {
		o.Texts("disputes", d.Disputes)
	}
	o.Time("createdAt", d.CreatedAt)
	o.Time("updatedAt", d.UpdatedAt)
	o.Uint("version", d.Version)
	return o.Close()
}
