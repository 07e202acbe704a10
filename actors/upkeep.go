package actors

import (
	"context"
	"encoding/json"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// What a product does besides selling.

// Claim identities: what must be unique among products.
func skuClaim(sku string) string { return "sku/" + sku }
func idClaim(id string) string   { return "product/" + id }

// settleClaims makes the claims for sku and _id, which were made for a while before the product was written, good for
// ever, and gives up the ones that it no longer needs.
func (p *productEntity) settleClaims() func(context.Context) report {
	s, h, owner, cause := p.state, p.host, p.state.Entry.ID, KindProduct+"/"+p.productID
	release := func() *messages.Command {
		return &messages.Command{Cause: cause, Body: &messages.Command_ReleaseClaim{ReleaseClaim: &messages.ReleaseClaim{Owner: owner}}}
	}
	acquire := func() *messages.Command {
		return &messages.Command{Cause: cause, Body: &messages.Command_AcquireClaim{AcquireClaim: &messages.AcquireClaim{Owner: owner, Value: s.Entry.ProductID}}}
	}
	return func(ctx context.Context) report {
		type step struct {
			claim   string
			command func() *messages.Command
		}
		var steps []step
		sku := ""
		if s.Exists {
			sku = s.Entry.SKU
			steps = append(steps, step{skuClaim(sku), acquire}, step{idClaim(s.Entry.ID), acquire})
		} else {
			steps = append(steps, step{idClaim(s.Entry.ID), release}, step{skuClaim(s.Entry.SKU), release})
		}
		if s.ClaimedSKU != "" && s.ClaimedSKU != s.Entry.SKU {
			steps = append(steps, step{skuClaim(s.ClaimedSKU), release})
		}
		for _, step := range steps {
			reply, _ := h.insist(ctx, KindClaim, step.claim, step.command)
			if reply == nil {
				return report{}
			}
			if refusal := reply.GetRefusal(); refusal != nil {
				h.Logger.Error("unique value is claimed by another product", "product", s.Entry.ProductID, "claim", step.claim, "code", refusal.GetCode())
				return report{again: time.Minute}
			}
		}
		return report{commands: []any{product.RecordClaims{SKU: sku, At: h.now()}}}
	}
}

// checkOrders asks the orders behind old demands whether they still need them, and settles those that do not. It is the
// net under the saga: a hold can't outlive its order even if every message about it was lost.
func (p *productEntity) checkOrders(orderIDs []string) func(context.Context) report {
	demands := make(map[string]product.Demand, len(orderIDs))
	for _, id := range orderIDs[:min(len(orderIDs), forgetAtMost)] {
		demands[id] = p.state.Orders[id]
	}
	h, cause, again := p.host, KindProduct+"/"+p.productID, time.Minute
	if len(orderIDs) > forgetAtMost {
		again = retryTask // one that sold often has tens of thousands to ask after when it comes back from a restart
	}
	return func(ctx context.Context) report {
		var commands []any
		forget := product.Forget{}
		for id, demand := range demands {
			holds, known := h.orderHolds(ctx, id, demand, cause)
			switch {
			case !known:
				return report{}
			case holds:
			case demand.Standing == product.StandingHeld:
				// The order may have taken the stock since this demand was looked at: a sale stays.
				commands = append(commands, product.Return{OrderID: id, Quantity: demand.Quantity, HoldOnly: true, Reason: "abandoned by its order", At: h.now()})
			case demand.Standing == product.StandingTaken:
				forget.Sold = append(forget.Sold, id)
			default:
				forget.OrderIDs = append(forget.OrderIDs, id)
			}
		}
		forget.At = h.now()
		commands = append(commands, forget)
		return report{commands: commands, again: again}
	}
}

// orderHolds says whether an order may still act on what it has of a product. Most have ended long ago: the read models
// know that, and there is no need to wake them. About stock that is held only the order itself is believed.
func (h *Host) orderHolds(ctx context.Context, id string, demand product.Demand, cause string) (holds, known bool) {
	if demand.Standing != product.StandingHeld && h.ended(ctx, id) {
		return false, true
	}
	reply, _ := h.insist(ctx, KindOrder, domain.OrderIdentity(id), func() *messages.Command {
		return &messages.Command{Cause: cause, Body: &messages.Command_GetReservation{GetReservation: &messages.GetReservation{OrderId: id}}}
	})
	return reply.GetReservation().GetHolds(), reply != nil
}

// ended says that an order had nothing left to do long ago. False: it has to be asked.
func (h *Host) ended(ctx context.Context, id string) bool {
	if h.newest == nil {
		return false
	}
	d, p, err := h.newest.Newest(ctx, storage.StreamOf(KindOrder, domain.OrderIdentity(id)), storage.Orders, id)
	if err != nil || !p.Due.IsZero() {
		return false
	}
	var document struct {
		UpdatedAt time.Time `json:"updatedAt"`
	}
	err = json.Unmarshal(d.Body, &document)
	return err == nil && order.Forgettable(domain.At(document.UpdatedAt), h.now())
}
