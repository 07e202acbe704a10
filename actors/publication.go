package actors

import (
	"sync"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// What a product's last durable version says is published: reading it does not wake the entity, nor wait in its mailbox
// behind ten thousand buyers.

// frozenProduct is a copy of a product's state without its orders, which go on changing.
type frozenProduct struct {
	state    product.State
	quote    *messages.Quote // nil: no such product
	document func() []byte   // made once, by whoever needs it first
}

func (p *productEntity) freeze() frozen {
	f := &frozenProduct{state: p.state}
	f.state.Orders = nil
	f.document = sync.OnceValue(func() []byte { return domain.JSON(f.state.Document()) })
	return f
}

// settled publishes the version, before anybody is told that there is one.
func (p *productEntity) settled(f frozen) {
	next := f.(*frozenProduct)
	if next.state.Exists {
		next.quote = p.quoteOf(&next.state.Entry)
		p.host.published.Store(p.productID, next)
	} else {
		p.gone()
	}
	p.published = next
}

// quoteOf is the quote of before, as long as it says the same.
func (p *productEntity) quoteOf(e *product.Created) *messages.Quote {
	if p.published != nil {
		if q := p.published.quote; q != nil && q.Name == e.Name && q.Price == e.Price && q.Currency == e.Currency && q.Active == e.Active {
			return q
		}
	}
	return &messages.Quote{ProductId: p.productID, Name: e.Name, Price: e.Price, Currency: e.Currency, Active: e.Active}
}

func (p *productEntity) gone() { p.host.published.Delete(p.productID) }

func (p *productEntity) read(m *messages.Command) (*messages.Reply, bool) { return p.published.read(m) }

func (f *frozenProduct) read(m *messages.Command) (*messages.Reply, bool) {
	id, whole := "", false
	switch b := m.GetBody().(type) {
	case *messages.Command_GetProduct:
		id, whole = b.GetProduct.GetId(), true
	case *messages.Command_QuoteProduct:
	default:
		return nil, false
	}
	if refusal, no := domain.AsRefusal(f.state.Visible(id)); no {
		return refused(refusal), true
	}
	if whole {
		return &messages.Reply{Version: f.state.Version, Document: f.document()}, true
	}
	return &messages.Reply{Detail: &messages.Reply_Quote{Quote: f.quote}}, true
}

// Answer answers a read from what an entity of this member has published; not ok: ask the entity. It does not block.
func (h *Host) Answer(kind, identity string, m *messages.Command) (*messages.Reply, bool) {
	if kind != KindProduct {
		return nil, false
	}
	f, ok := h.published.Load(identity)
	if !ok {
		return nil, false
	}
	return f.(*frozenProduct).read(m)
}

// documents are the product's read model.
func (f *frozenProduct) documents() ([]storage.Document, error) {
	s := &f.state
	if s.Entry.ID == "" {
		return nil, nil
	}
	d := s.Document()
	return []storage.Document{{Collection: storage.Products, ID: d.ID, Created: d.CreatedAt.Std(), Order: d.ProductID, External: d.SKU,
		Category: d.Category, Active: d.IsActive, InStock: d.InStock, Title: d.Name, Text: d.Description, Hidden: !s.Exists, Body: f.document()}}, nil
}
