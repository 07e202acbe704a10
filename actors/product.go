package actors

import (
	"encoding/json"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
)

// productEntity connects a product's rules to messages, claims and orders.
type productEntity struct {
	rules[product.State, product.Command, product.Event]
	host      *Host
	productID string
	published *frozenProduct // the last durable version
	movement  *product.Adjusted
	forget    []forgettable         // orders that will not ask again
	holdAt    domain.Time           // when to look for holds that nobody attends to, never too late; zero: there are none
	memoryAt  domain.Time           // the same for what is only remembered
	tick      func(domain.Time) any // companion, bound once: every agenda has it
}

type forgettable struct {
	orderID string
	sold    bool
	at      domain.Time
}

const (
	// forgetAtMost bounds one event.
	forgetAtMost = 500
	// forgetTogether is how many orders make it worth to ask after them, and to write that they are forgotten.
	forgetTogether = 16
)

func newProduct(h *Host, productID string) *productEntity {
	p := &productEntity{host: h, productID: productID}
	p.tick = p.companion
	p.rules = rules[product.State, product.Command, product.Event]{decide: product.Decide, evolve: p.evolve, codec: product.Codec}
	return p
}

func (p *productEntity) evolve(s *product.State, e product.Event) {
	s.Evolve(e)
	switch e := e.(type) {
	case product.Adjusted:
		p.movement = &e
	case product.Held:
		p.expect(s.Orders[e.OrderID])
	case product.Taken:
		p.expect(s.Orders[e.OrderID])
	case product.Released:
		p.expect(s.Orders[e.OrderID])
	case product.Restocked:
		p.expect(s.Orders[e.OrderID])
	}
	if s.Reserved == 0 {
		p.holdAt = 0
	}
}

// expect moves the next look forward, if need be. It is moved back by looking, and when nothing is held any more.
func (p *productEntity) expect(d product.Demand) {
	at, next := d.CheckAt(), &p.memoryAt
	if d.Standing == product.StandingHeld {
		next = &p.holdAt
	}
	*next = first(*next, at)
}

func (p *productEntity) translate(m *messages.Command, st stamp) (any, error) {
	switch b := m.GetBody().(type) {
	case *messages.Command_CreateProduct:
		return p.create(b.CreateProduct, st), nil
	case *messages.Command_UpdateProduct:
		return update(b.UpdateProduct, st), nil
	case *messages.Command_DeleteProduct:
		return product.Delete{ID: b.DeleteProduct.GetId(), At: st.at}, nil
	case *messages.Command_AdjustStock:
		return product.Adjust{MovementID: st.newID(), Delta: b.AdjustStock.GetDelta(), Reason: b.AdjustStock.GetReason(), At: st.at}, nil
	case *messages.Command_HoldStock:
		return product.Hold{OrderID: b.HoldStock.GetOrderId(), Quantity: b.HoldStock.GetQuantity(),
			ExpiresAt: domain.Time(b.HoldStock.GetExpiresAt()), At: st.at}, nil
	case *messages.Command_TakeStock:
		return product.Take{OrderID: b.TakeStock.GetOrderId(), At: st.at}, nil
	case *messages.Command_ReturnStock:
		return product.Return{OrderID: b.ReturnStock.GetOrderId(), Quantity: b.ReturnStock.GetQuantity(),
			Sold: b.ReturnStock.GetSold(), Reason: b.ReturnStock.GetReason(), At: st.at}, nil
	case *messages.Command_ForgetOrder:
		p.forget = append(p.forget, forgettable{b.ForgetOrder.GetOrderId(), b.ForgetOrder.GetSold(), st.at})
		return nil, nil
	case *messages.Command_Touch:
		p.holdAt, p.memoryAt = st.at, st.at
		return nil, nil
	}
	return nil, domain.Errorf(domain.KindInvalid, "unknown_command", "a product does not understand %T", m.GetBody())
}

func (p *productEntity) create(c *messages.CreateProduct, st stamp) product.Create {
	entry := product.Created{ID: c.GetId(), ProductID: p.productID, Name: c.GetName(), Description: c.GetDescription(),
		Category: c.GetCategory(), Price: c.GetPrice(), Currency: c.GetCurrency(), Stock: c.GetStockQuantity(),
		LowStockThreshold: 10, SKU: c.GetSku(), Weight: c.GetWeight(), Dimensions: c.GetDimensions(), Active: true, At: st.at}
	if entry.Currency == "" {
		entry.Currency = p.host.Policy.Currency
	}
	if c.LowStockThreshold != nil {
		entry.LowStockThreshold = c.GetLowStockThreshold()
	}
	if c.IsActive != nil {
		entry.Active = c.GetIsActive()
	}
	return product.Create{Entry: entry}
}

func update(u *messages.UpdateProduct, st stamp) product.Update {
	return product.Update{ID: u.GetId(), MovementID: st.newID(), Stock: u.StockQuantity, At: st.at, Changes: product.Updated{
		Name: u.Name, Description: u.Description, Category: u.Category, Price: u.Price, Currency: u.Currency,
		LowStockThreshold: u.LowStockThreshold, SKU: u.Sku, Weight: u.Weight, Dimensions: u.Dimensions, Active: u.IsActive,
	}}
}

func (p *productEntity) answer(m *messages.Command, _ uint64, _ bool) (*messages.Reply, bool) {
	switch m.GetBody().(type) {
	case *messages.Command_CreateProduct, *messages.Command_UpdateProduct:
		return documentReply(p.state.Document(), p.state.Version), true
	case *messages.Command_AdjustStock:
		return documentReply(p.movement.Movement(p.productID, p.state.Version), p.state.Version), true
	}
	return &messages.Reply{Version: p.state.Version}, true
}

// explain adds to a refused hold how much there was.
func (p *productEntity) explain(m *messages.Command, reply *messages.Reply) {
	if m.GetHoldStock() != nil {
		shortage := &messages.Shortage{Unknown: !p.state.Exists}
		if p.state.Exists {
			shortage.ProductName, shortage.Available = p.state.Entry.Name, p.state.Available()
		}
		reply.Detail = &messages.Reply_Shortage{Shortage: shortage}
	}
}

func (p *productEntity) agenda() agenda {
	a := agenda{patience: time.Minute, tick: p.tick}
	now := p.host.now()
	if reached(p.holdAt, now) || reached(p.memoryAt, now) {
		if holding, remembered := p.state.Unattended(now); len(holding) > 0 || len(remembered) >= forgetTogether {
			a.task, a.run = "orders", p.checkOrders(append(holding, remembered...))
		} else {
			p.holdAt, p.memoryAt = p.state.NextCheck(now)
		}
	}
	if a.task == "" {
		a.wake, a.leisure = p.holdAt, p.memoryAt
	}
	if len(p.forget) > 0 {
		a.leisure = first(a.leisure, p.forget[0].at+2*product.ForgetGrace)
	}
	if !p.state.ClaimsSettled() {
		a.task, a.run = "claims", p.settleClaims()
	}
	return a
}

// companion forgets orders that said long enough ago that they will not ask again.
func (p *productEntity) companion(at domain.Time) any {
	n := 0
	for n < len(p.forget) && n < forgetAtMost && at >= p.forget[n].at+product.ForgetGrace {
		n++
	}
	if n == 0 {
		return nil
	}
	forget := product.Forget{At: at}
	for _, f := range p.forget[:n] {
		if f.sold {
			forget.Sold = append(forget.Sold, f.orderID)
		} else {
			forget.OrderIDs = append(forget.OrderIDs, f.orderID)
		}
	}
	p.forget = p.forget[n:]
	return forget
}

func (p *productEntity) aside() []aside { return nil }

func (p *productEntity) snapshot() domain.Appender { return &p.state }

func (p *productEntity) restore(data []byte) error {
	if err := json.Unmarshal(data, &p.state); err != nil {
		return err
	}
	p.holdAt, p.memoryAt = p.state.NextCheck(0)
	return nil
}
