package product

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What encoding/json would write, without its reflection: one line per field, in the order of the struct and with its
// tag's key. TestEncoders fails for a field that is missing here.

// fields writes a balance as part of what embeds it.
func (b Balance) fields(o *domain.Object) {
	o.Int("stock", b.Stock)
	o.Int("reserved", b.Reserved)
}

func (e Created) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Text("productId", e.ProductID)
	o.Text("name", e.Name)
	o.Text("description", e.Description)
	o.Text("category", e.Category)
	o.Int("price", e.Price)
	o.Text("currency", e.Currency)
	o.Int("stock", e.Stock)
	o.Int("lowStockThreshold", e.LowStockThreshold)
	o.Text("sku", e.SKU)
	o.OptionalFloat("weight", e.Weight)
	o.OptionalText("dimensions", e.Dimensions)
	o.Bool("active", e.Active)
	o.Time("at", e.At)
	return o.Close()
}

func (e Updated) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	domain.Optional(&o, "name", e.Name, (*domain.Object).Text)
	domain.Optional(&o, "description", e.Description, (*domain.Object).Text)
	domain.Optional(&o, "category", e.Category, (*domain.Object).Text)
	domain.Optional(&o, "price", e.Price, (*domain.Object).Int)
	domain.Optional(&o, "currency", e.Currency, (*domain.Object).Text)
	domain.Optional(&o, "lowStockThreshold", e.LowStockThreshold, (*domain.Object).Int)
	domain.Optional(&o, "sku", e.SKU, (*domain.Object).Text)
	domain.Optional(&o, "weight", e.Weight, (*domain.Object).Float)
	domain.Optional(&o, "dimensions", e.Dimensions, (*domain.Object).Text)
	domain.Optional(&o, "active", e.Active, (*domain.Object).Bool)
	o.Time("at", e.At)
	return o.Close()
}

func (e ClaimsSettled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("sku", e.SKU)
	o.Time("at", e.At)
	return o.Close()
}

func (e Adjusted) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("id", e.ID)
	o.Int("delta", e.Delta)
	o.Text("reason", e.Reason)
	o.Time("at", e.At)
	e.Balance.fields(&o)
	return o.Close()
}

func (e Held) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Int("quantity", e.Quantity)
	o.Time("expiresAt", e.ExpiresAt)
	o.Time("at", e.At)
	e.Balance.fields(&o)
	return o.Close()
}

func (e Taken) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Int("quantity", e.Quantity)
	o.Time("at", e.At)
	e.Balance.fields(&o)
	return o.Close()
}

func (e Released) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Int("quantity", e.Quantity)
	o.OptionalText("reason", e.Reason)
	o.Time("at", e.At)
	e.Balance.fields(&o)
	return o.Close()
}

func (e Restocked) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("orderId", e.OrderID)
	o.Int("quantity", e.Quantity)
	o.OptionalText("reason", e.Reason)
	o.Time("at", e.At)
	e.Balance.fields(&o)
	return o.Close()
}

func (e Forgotten) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Texts("orderIds", e.OrderIDs)
	o.Time("at", e.At)
	return o.Close()
}

func (e LowStock) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("productId", e.ProductID)
	o.Text("productName", e.ProductName)
	o.Int("available", e.Available)
	o.Int("threshold", e.Threshold)
	o.Time("at", e.At)
	return o.Close()
}

func (e Deleted) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

func (d Document) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("_id", d.ID)
	o.Text("productId", d.ProductID)
	o.Text("name", d.Name)
	o.Text("description", d.Description)
	o.Text("category", d.Category)
	o.Int("price", d.Price)
	o.Text("currency", d.Currency)
	o.Int("stockQuantity", d.StockQuantity)
	o.Int("reservedQuantity", d.ReservedQuantity)
	o.Int("availableQuantity", d.AvailableQuantity)
	o.Int("lowStockThreshold", d.LowStockThreshold)
	o.Text("sku", d.SKU)
	domain.Optional(&o, "weight", d.Weight, (*domain.Object).Float)
	o.OptionalText("dimensions", d.Dimensions)
	o.Bool("isActive", d.IsActive)
	o.Bool("inStock", d.InStock)
	o.Bool("isLowStock", d.IsLowStock)
	o.Time("createdAt", d.CreatedAt)
	o.Time("updatedAt", d.UpdatedAt)
	o.Uint("version", d.Version)
	return o.Close()
}

func (m Movement) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("_id", m.ID)
	o.Text("productId", m.ProductID)
	o.Text("type", m.Type)
	o.Int("quantity", m.Quantity)
	o.Int("stockQuantity", m.StockQuantity)
	o.Int("reservedQuantity", m.ReservedQuantity)
	o.Int("availableQuantity", m.AvailableQuantity)
	o.OptionalText("orderId", m.OrderID)
	o.OptionalText("reason", m.Reason)
	o.Uint("sequence", m.Sequence)
	o.Time("createdAt", m.CreatedAt)
	return o.Close()
}

func (d Demand) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("standing", string(d.Standing))
	o.Int("quantity", d.Quantity)
	o.OptionalTime("expiresAt", d.ExpiresAt)
	o.Time("since", d.Since)
	return o.Close()
}

func (s State) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Uint("version", s.Version)
	o.Bool("exists", s.Exists)
	domain.Nested(&o, "entry", s.Entry)
	s.Balance.fields(&o)
	o.Time("updatedAt", s.UpdatedAt)
	o.Bool("alerted", s.Alerted)
	o.Text("claimedSku", s.ClaimedSKU)
	o.Text("claimedId", s.ClaimedID)
	domain.Map(&o, "orders", s.Orders)
	return o.Close()
}
