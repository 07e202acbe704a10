package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// shop answers commands by the real rules of orders, products and claims, one at a time, and keeps their events in a
// ledger. Sagas do not run in it.
type shop struct {
	mu       sync.Mutex // guards everything below
	past     *ledger
	at       domain.Time
	orders   map[string]*order.State
	products map[string]*product.State
	claims   map[string]*claim.State
	moved    map[string]product.Adjusted
	known    map[string]receipt // by entity and command id
}

type receipt struct {
	fingerprint string
	reply       *messages.Reply
}

func newShop(past *ledger) *shop {
	return &shop{past: past, at: domain.At(noon), orders: map[string]*order.State{}, products: map[string]*product.State{},
		claims: map[string]*claim.State{}, moved: map[string]product.Adjusted{}, known: map[string]receipt{}}
}

func (s *shop) answer(_ context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	memory := kind + "/" + identity + " " + cmd.GetId()
	if k, ok := s.known[memory]; ok && cmd.GetId() != "" {
		if k.fingerprint != cmd.GetFingerprint() {
			return refusal(3, "idempotency_key_reused", "this key was used for another request"), nil
		}
		return k.reply, nil
	}
	reply, err := s.carryOut(kind, identity, cmd)
	if no, ok := domain.AsRefusal(err); ok {
		return refusal(int32(no.Kind), no.Code, no.Detail), nil
	}
	if err == nil && cmd.GetId() != "" {
		s.known[memory] = receipt{cmd.GetFingerprint(), reply}
	}
	return reply, err
}

func (s *shop) carryOut(kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
	switch kind {
	case kindOrder:
		return s.order(identity, cmd)
	case kindProduct:
		return s.product(identity, cmd)
	case kindClaim:
		return s.claim(identity, cmd)
	}
	return refusal(2, kind+"_not_found", "there is no such "+kind), nil
}

// entity finds or makes the state.
func entity[S any](all map[string]*S, identity string) *S {
	if all[identity] == nil {
		all[identity] = new(S)
	}
	return all[identity]
}

// record makes decided events part of state and journal.
func record[E interface{ EventType() string }](s *shop, kind, identity string, cmd *messages.Command, codec domain.Codec[E], evolve func(E), events []E) error {
	var stored []storage.Event
	for _, e := range events {
		data, err := codec.Encode(e)
		if err != nil {
			return err
		}
		stored = append(stored, storage.Event{Type: e.EventType(), Schema: domain.CurrentSchema, At: s.at.Std(),
			Command: cmd.GetId() + "." + cmd.GetFingerprint(), Cause: cmd.GetCause(), Data: data})
		evolve(e)
	}
	if len(stored) > 0 {
		s.past.append(storage.StreamOf(kind, identity), stored...)
	}
	return nil
}

func matches(cmd *messages.Command, version uint64) error {
	if cmd.GetIfMatch() != 0 && cmd.GetIfMatch() != version {
		return domain.Errorf(domain.KindPrecondition, "version_mismatch", "the version is %d", version)
	}
	return nil
}

func document(value any, version uint64) (*messages.Reply, error) {
	body, err := json.Marshal(value)
	return &messages.Reply{Version: version, Document: body}, err
}

func (s *shop) order(identity string, cmd *messages.Command) (*messages.Reply, error) {
	state := entity(s.orders, identity)
	var command order.Command
	switch b := cmd.GetBody().(type) {
	case *messages.Command_GetOrder:
		if err := state.Visible(b.GetOrder.GetId()); err != nil {
			return nil, err
		}
		return document(state.Document(), state.Version)
	case *messages.Command_PlaceOrder:
		command = s.place(b.PlaceOrder)
	case *messages.Command_AmendOrder:
		command = order.Amend{ID: b.AmendOrder.GetId(), Status: b.AmendOrder.Status, Notes: b.AmendOrder.Notes, At: s.at}
	case *messages.Command_CancelOrder:
		command = order.Cancel{ID: b.CancelOrder.GetId(), Reason: b.CancelOrder.GetReason(), At: s.at}
	case *messages.Command_HideOrder:
		command = order.Hide{ID: b.HideOrder.GetId(), At: s.at}
	case *messages.Command_GetReservation, *messages.Command_ReleaseReservation, *messages.Command_ConfirmReservation:
		return nil, domain.Errorf(domain.KindNotFound, "reservation_not_found", "sagas do not run here, so there is no reservation")
	default:
		return nil, fmt.Errorf("shop: unknown command %T", b)
	}
	events, err := order.Decide(state, command)
	if err == nil {
		err = matches(cmd, state.Version)
	}
	if err == nil {
		err = record(s, kindOrder, identity, cmd, order.Codec, state.Evolve, events)
	}
	if err != nil {
		return nil, err
	}
	return document(state.Document(), state.Version)
}

func (s *shop) place(p *messages.PlaceOrder) order.Place {
	place := order.Place{ID: p.GetId(), Number: p.GetOrderNumber(), PaymentMethod: p.GetPaymentMethod(), Currency: p.GetCurrency(), Notes: p.GetNotes(),
		Customer: order.Customer{CustomerID: p.GetCustomer().GetCustomerId(), Email: p.GetCustomer().GetEmail()},
		Policy:   order.Policy{TaxPPM: 100_000, ShippingFlat: 1000, Currency: "usd", ReservationTTL: 15 * 60 * 1e9}, At: s.at}
	for _, line := range p.GetLines() {
		q := line.GetQuote()
		place.Demands = append(place.Demands, order.Demand{ProductID: line.GetProductId(), Quantity: line.GetQuantity(), Offered: line.UnitPrice,
			Known: q != nil, Name: q.GetName(), Price: q.GetPrice(), Currency: q.GetCurrency(), Active: q.GetActive()})
	}
	return place
}

func (s *shop) product(identity string, cmd *messages.Command) (*messages.Reply, error) {
	state := entity(s.products, identity)
	var command product.Command
	switch b := cmd.GetBody().(type) {
	case *messages.Command_GetProduct:
		if err := state.Visible(b.GetProduct.GetId()); err != nil {
			return nil, err
		}
		return document(state.Document(), state.Version)
	case *messages.Command_QuoteProduct:
		if err := state.Visible(""); err != nil {
			return nil, err
		}
		return &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{ProductId: identity, Name: state.Entry.Name,
			Price: state.Entry.Price, Currency: state.Entry.Currency, Active: state.Entry.Active}}}, nil
	case *messages.Command_CreateProduct:
		c := b.CreateProduct
		command = product.Create{Entry: product.Created{ID: c.GetId(), ProductID: identity, Name: c.GetName(), Price: c.GetPrice(), Currency: "usd",
			Stock: c.GetStockQuantity(), LowStockThreshold: c.GetLowStockThreshold(), SKU: c.GetSku(), Active: true, At: s.at}}
	case *messages.Command_UpdateProduct:
		u := b.UpdateProduct
		command = product.Update{ID: u.GetId(), Stock: u.StockQuantity, At: s.at,
			Changes: product.Updated{Name: u.Name, Price: u.Price, SKU: u.Sku, Active: u.IsActive}}
	case *messages.Command_DeleteProduct:
		command = product.Delete{ID: b.DeleteProduct.GetId(), At: s.at}
	case *messages.Command_AdjustStock:
		command = product.Adjust{MovementID: someID, Delta: b.AdjustStock.GetDelta(), Reason: b.AdjustStock.GetReason(), At: s.at}
	default:
		return nil, fmt.Errorf("shop: unknown command %T", b)
	}
	events, err := product.Decide(state, command)
	if err == nil {
		err = matches(cmd, state.Version)
	}
	if err == nil {
		err = record(s, kindProduct, identity, cmd, product.Codec, state.Evolve, events)
	}
	if err != nil {
		return nil, err
	}
	if adjusted, ok := command.(product.Adjust); ok {
		moved := product.Adjusted{ID: adjusted.MovementID, Delta: adjusted.Delta, Reason: adjusted.Reason, At: s.at, Balance: state.Balance}
		return document(moved.Movement(identity, state.Version), state.Version)
	}
	return document(state.Document(), state.Version)
}

// settle lets a product have its claims for good, as the running entity does by itself.
func (s *shop) settle(productID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.products[productID]
	sku := ""
	if state.Exists {
		sku = state.Entry.SKU
		entity(s.claims, "sku/"+sku).Evolve(claim.Acquired{Owner: state.Entry.ID, Value: productID, At: s.at})
		entity(s.claims, "product/"+state.Entry.ID).Evolve(claim.Acquired{Owner: state.Entry.ID, Value: productID, At: s.at})
	}
	if !state.Exists {
		entity(s.claims, "sku/"+state.Entry.SKU).Evolve(claim.Released{At: s.at})
		entity(s.claims, "product/"+state.Entry.ID).Evolve(claim.Released{At: s.at})
	}
	events, err := product.Decide(state, product.RecordClaims{SKU: sku, At: s.at})
	if err != nil {
		panic(err)
	}
	for _, e := range events {
		state.Evolve(e)
	}
}

func (s *shop) claim(identity string, cmd *messages.Command) (*messages.Reply, error) {
	state := entity(s.claims, identity)
	if b := cmd.GetAcquireClaim(); b != nil {
		acquire := claim.Acquire{Owner: b.GetOwner(), Value: b.GetValue(), At: s.at}
		if b.GetTtl() > 0 {
			acquire.Until = s.at + domain.Time(b.GetTtl())
		}
		events, err := claim.Decide(state, acquire)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			state.Evolve(e)
		}
	}
	if b := cmd.GetReleaseClaim(); b != nil {
		events, err := claim.Decide(state, claim.Release{Owner: b.GetOwner(), At: s.at})
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			state.Evolve(e)
		}
	}
	owner, value := state.Holder(s.at)
	return &messages.Reply{Version: state.Version, Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: owner, Value: value}}}, nil
}

// open puts real rules behind the front end.
func (b *bench) open() *shop {
	s := newShop(b.past)
	b.asker.answer = s.answer
	return s
}

// permissive grants everything: every claim is free, every product is known.
func permissive(_ context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
	switch {
	case cmd.GetQuoteProduct() != nil:
		return &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{ProductId: identity, Price: 500, Currency: "usd", Active: true}}}, nil
	case cmd.GetGetClaim() != nil:
		return &messages.Reply{Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: "prod-1", Value: "prod-1"}}}, nil
	case cmd.GetAcquireClaim() != nil:
		return &messages.Reply{Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: cmd.GetAcquireClaim().GetOwner(), Value: cmd.GetAcquireClaim().GetValue()}}}, nil
	case kind == kindProduct && cmd.GetGetProduct() != nil && cmd.GetGetProduct().GetId() == "":
		return refusal(2, "product_not_found", "no product"), nil
	}
	return &messages.Reply{Version: 1, Document: []byte(`{"_id":"652f1c7a9b3d4e5f60718293"}`)}, nil
}

// permissiveProduct knows every product.
func permissiveProduct(context.Context, string, string, *messages.Command) (*messages.Reply, error) {
	return &messages.Reply{Version: 1, Document: []byte(`{}`)}, nil
}
