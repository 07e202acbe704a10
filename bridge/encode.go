package bridge

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What encoding/json would write, without its reflection: one line per field, in the order of the struct and with its
// tag's key. TestEncoders fails for a field that is missing here.

func (e envelope) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("pattern", e.Pattern)
	domain.Nested(&o, "data", e.Data)
	return o.Close()
}

func (e LineItem) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Text("productName", e.ProductName)
	o.Int("quantity", e.Quantity)
	o.Int("unitPrice", e.UnitPrice)
	return o.Close()
}

func (e ReservedItem) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Text("productName", e.ProductName)
	o.Int("quantity", e.Quantity)
	o.Int("unitPrice", e.UnitPrice)
	o.Int("reservedQuantity", e.ReservedQuantity)
	return o.Close()
}

func (e ReleasedItem) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Int("quantity", e.Quantity)
	return o.Close()
}

func (e InsufficientItem) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Text("productName", e.ProductName)
	o.Int("requestedQuantity", e.RequestedQuantity)
	o.Int("availableQuantity", e.AvailableQuantity)
	return o.Close()
}

func (e OrderCreated) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("orderNumber", e.OrderNumber)
	o.Text("customerId", e.CustomerID)
	o.Int("total", e.Total)
	o.Text("currency", e.Currency)
	domain.List(&o, "items", e.Items)
	o.Time("createdAt", e.CreatedAt)
	return o.Close()
}

func (e OrderUpdated) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("orderNumber", e.OrderNumber)
	o.Text("status", e.Status)
	o.Time("updatedAt", e.UpdatedAt)
	return o.Close()
}

func (e OrderCancelled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("orderNumber", e.OrderNumber)
	o.Text("customerId", e.CustomerID)
	o.Text("reason", e.Reason)
	o.Time("cancelledAt", e.CancelledAt)
	return o.Close()
}

func (e ReservationRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "items", e.Items)
	o.Int("reservationTimeoutMinutes", e.ReservationTimeoutMinutes)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e InventoryReserved) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "items", e.Items)
	o.Time("expiresAt", e.ExpiresAt)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e ReservationFailed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "insufficientItems", e.InsufficientItems)
	o.Text("reason", e.Reason)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e InventoryReleased) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "items", e.Items)
	o.Text("reason", e.Reason)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e InventoryConfirmed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "items", e.Items)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e LowStockAlert) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Text("productName", e.ProductName)
	o.Int("currentStock", e.CurrentStock)
	o.Int("threshold", e.Threshold)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e PaymentRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("customerEmail", e.CustomerEmail)
	domain.List(&o, "orderItems", e.OrderItems)
	o.OptionalText("paymentMethodId", e.PaymentMethodID)
	o.Time("timestamp", e.Timestamp)
	return o.Close()
}

func (e IntentCreated) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("status", e.Status)
	o.Time("createdAt", e.CreatedAt)
	return o.Close()
}

func (e PaymentConfirmed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("stripePaymentIntentId", e.StripePaymentIntentID)
	o.Time("paidAt", e.PaidAt)
	return o.Close()
}

func (e PaymentFailed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	o.Text("errorMessage", e.ErrorMessage)
	o.Time("failedAt", e.FailedAt)
	return o.Close()
}

func (e PaymentRefunded) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("paymentIntentId", e.PaymentIntentID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Int("refundAmount", e.RefundAmount)
	o.Text("currency", e.Currency)
	o.Text("stripeRefundId", e.StripeRefundID)
	o.Time("refundedAt", e.RefundedAt)
	return o.Close()
}
