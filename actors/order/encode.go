package order

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What encoding/json would write, without its reflection: one line per field, in the order of the struct and with its
// tag's key. TestEncoders fails for a field that is missing here.

func (e Placed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Text("number", e.Number)
	domain.Nested(&o, "customer", e.Customer)
	domain.List(&o, "items", e.Items)
	o.Int("subtotal", e.Subtotal)
	o.Int("tax", e.Tax)
	o.Int("shippingCost", e.ShippingCost)
	o.Int("total", e.Total)
	o.Text("currency", e.Currency)
	domain.Nested(&o, "shippingAddress", e.ShippingAddress)
	o.Text("paymentMethod", e.PaymentMethod)
	o.OptionalText("notes", e.Notes)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReservationRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Text("reservationId", e.ReservationID)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "lines", e.Lines)
	o.Int("timeoutMinutes", e.TimeoutMinutes)
	o.Time("expiresAt", e.ExpiresAt)
	o.Time("at", e.At)
	return o.Close()
}

func (e Reserved) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "lines", e.Lines)
	o.Time("expiresAt", e.ExpiresAt)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReservationFailed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "shortages", e.Shortages)
	o.Text("reason", e.Reason)
	o.Bool("undo", e.Undo)
	o.Time("at", e.At)
	return o.Close()
}

func (e PaymentRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("customerId", e.CustomerID)
	o.Text("email", e.Email)
	o.Int("amount", e.Amount)
	o.Text("currency", e.Currency)
	domain.List(&o, "lines", e.Lines)
	o.OptionalText("method", e.Method)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReservationConfirmRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReservationConfirmed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "lines", e.Lines)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReleaseRequested) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("reason", e.Reason)
	o.Bool("expired", e.Expired)
	o.Time("at", e.At)
	return o.Close()
}

func (e ReservationReleased) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Text("reservationId", e.ReservationID)
	o.Text("customerId", e.CustomerID)
	domain.List(&o, "lines", e.Lines)
	o.Text("reason", e.Reason)
	o.Bool("expired", e.Expired)
	o.Time("at", e.At)
	return o.Close()
}

func (e Confirmed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("number", e.Number)
	o.Time("at", e.At)
	return o.Close()
}

func (e StatusChanged) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("number", e.Number)
	o.Text("status", string(e.Status))
	o.Time("at", e.At)
	return o.Close()
}

func (e Amended) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("number", e.Number)
	o.Text("status", string(e.Status))
	domain.Optional(&o, "notes", e.Notes, (*domain.Object).Text)
	domain.Optional(&o, "shippingAddress", e.ShippingAddress, domain.Nested)
	o.Time("at", e.At)
	return o.Close()
}

func (e Cancelled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("number", e.Number)
	o.Text("customerId", e.CustomerID)
	o.OptionalText("reason", e.Reason)
	o.OptionalText("failure", e.Failure)
	o.OptionalTrue("expired", e.Expired)
	o.Bool("undo", e.Undo)
	o.Time("at", e.At)
	return o.Close()
}

func (e Settled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

func (e Hidden) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

func (c Customer) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("customerId", c.CustomerID)
	o.Text("email", c.Email)
	o.Text("firstName", c.FirstName)
	o.Text("lastName", c.LastName)
	o.OptionalText("phone", c.Phone)
	return o.Close()
}

func (a Address) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("street", a.Street)
	o.Text("city", a.City)
	o.Text("state", a.State)
	o.Text("postalCode", a.PostalCode)
	o.Text("country", a.Country)
	return o.Close()
}

func (i Item) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", i.ProductID)
	o.Text("productName", i.ProductName)
	o.Int("quantity", i.Quantity)
	o.Int("unitPrice", i.UnitPrice)
	o.Int("totalPrice", i.TotalPrice)
	return o.Close()
}

func (l Line) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", l.ProductID)
	o.Text("productName", l.ProductName)
	o.Int("quantity", l.Quantity)
	o.Int("unitPrice", l.UnitPrice)
	return o.Close()
}

func (s Shortage) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", s.ProductID)
	o.Text("productName", s.ProductName)
	o.Int("requestedQuantity", s.RequestedQuantity)
	o.Int("availableQuantity", s.AvailableQuantity)
	return o.Close()
}

func (d Document) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("_id", d.ID)
	o.Text("orderNumber", d.OrderNumber)
	domain.Nested(&o, "customer", d.Customer)
	domain.List(&o, "items", d.Items)
	o.Int("subtotal", d.Subtotal)
	o.Int("tax", d.Tax)
	o.Int("shippingCost", d.ShippingCost)
	o.Int("total", d.Total)
	o.Text("currency", d.Currency)
	o.Text("status", string(d.Status))
	domain.Nested(&o, "shippingAddress", d.ShippingAddress)
	o.Text("paymentMethod", d.PaymentMethod)
	o.OptionalText("notes", d.Notes)
	o.OptionalText("failureReason", d.FailureReason)
	o.OptionalText("cancelReason", d.CancelReason)
	o.OptionalText("reservationId", d.ReservationID)
	o.OptionalText("paymentIntentId", d.PaymentIntentID)
	o.Time("createdAt", d.CreatedAt)
	o.Time("updatedAt", d.UpdatedAt)
	o.Uint("version", d.Version)
	return o.Close()
}

func (d ReservationDocument) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("_id", d.ID)
	o.Text("reservationId", d.ReservationID)
	o.Text("orderId", d.OrderID)
	o.Text("customerId", d.CustomerID)
	domain.List(&o, "items", d.Items)
	o.Text("status", string(d.Status))
	o.OptionalText("statusReason", d.StatusReason)
	o.Time("expiresAt", d.ExpiresAt)
	o.Time("createdAt", d.CreatedAt)
	o.Time("updatedAt", d.UpdatedAt)
	o.Uint("version", d.Version)
	return o.Close()
}
