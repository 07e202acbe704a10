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
	checkAt   domain.Time           // when to look for demands that nobody attends to; zero: there are none
	tick      func(domain.Time) any // companion, bound once: every agenda has it
}

type forgettable struct {
	orderID string
	sold    bool
	at      domain.Time
}

// forgetAtMost bounds one event.
const forgetAtMost = 500

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
		p.expect(s.Orders[e.OrderID].CheckAt())
	case product.Taken:
		p.expect(s.Orders[e.OrderID].CheckAt())
	case product.Released:
		p.expect(s.Orders[e.OrderID].CheckAt())
	case product.Restocked:
		p.expect(s.Orders[e.OrderID].CheckAt())
	}
}

// expect moves the next look at the demands forward, if need be. It is moved back only by looking.
func (p *productEntity) expect(at domain.Time) {
	if p.checkAt == 0 || at < p.checkAt {
		p.checkAt = at
	}
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
		p.checkAt = st.at
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
	a := agenda{wake: p.checkAt, patience: time.Minute, tick: p.tick}
	if len(p.forget) > 0 {
		if at := p.forget[0].at + 2*product.ForgetGrace; a.wake == 0 || at < a.wake {
			a.wake = at
		}
	}
	now := p.host.now()
	if p.checkAt != 0 && now >= p.checkAt {
		if orders := p.state.Unattended(now); len(orders) > 0 {
			a.task, a.run, a.wake = "orders", p.checkOrders(orders), 0
		} else {
			p.checkAt = p.state.NextCheck(now)
			a.wake = p.checkAt
		}
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
	p.checkAt = p.state.NextCheck(0)
	return nil
}
