package actors

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
)

// What a product does besides selling.

// Claim identities: what must be unique among products.
func skuClaim(sku string) string { return "sku/" + sku }
func idClaim(id string) string   { return "product/" + id }

// settleClaims makes the claims for sku and _id, which were made for a while before the product was written, good for
// ever, and gives up the ones that it no longer needs.
func (p *productEntity) settleClaims() func(context.Context) report {
	s, h, owner, cause := p.state, p.host, p.productID, KindProduct+"/"+p.productID
	release := func(claim string) *messages.Command {
		return &messages.Command{Cause: cause, Body: &messages.Command_ReleaseClaim{ReleaseClaim: &messages.ReleaseClaim{Owner: owner}}}
	}
	acquire := func() *messages.Command {
		return &messages.Command{Cause: cause, Body: &messages.Command_AcquireClaim{AcquireClaim: &messages.AcquireClaim{Owner: owner, Value: owner}}}
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
			steps = append(steps, step{idClaim(s.Entry.ID), func() *messages.Command { return release(idClaim(s.Entry.ID)) }},
				step{skuClaim(s.Entry.SKU), func() *messages.Command { return release(skuClaim(s.Entry.SKU)) }})
		}
		if s.ClaimedSKU != "" && s.ClaimedSKU != s.Entry.SKU {
			steps = append(steps, step{skuClaim(s.ClaimedSKU), func() *messages.Command { return release(skuClaim(s.ClaimedSKU)) }})
		}
		for _, step := range steps {
			reply, _ := h.insist(ctx, KindClaim, step.claim, step.command)
			if reply == nil {
				return report{}
			}
			if refusal := reply.GetRefusal(); refusal != nil {
				h.Logger.Error("unique value is claimed by another product", "product", owner, "claim", step.claim, "code", refusal.GetCode())
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
	h, cause := p.host, KindProduct+"/"+p.productID
	return func(ctx context.Context) report {
		var commands []any
		var forget []string
		for id, demand := range demands {
			reply, _ := h.insist(ctx, KindOrder, domain.OrderIdentity(id), func() *messages.Command {
				return &messages.Command{Cause: cause, Body: &messages.Command_GetReservation{GetReservation: &messages.GetReservation{OrderId: id}}}
			})
			if reply == nil {
				return report{}
			}
			switch {
			case reply.GetReservation().GetHolds():
			case demand.Standing == product.StandingHeld:
				commands = append(commands, product.Return{OrderID: id, Quantity: demand.Quantity, Reason: "abandoned by its order", At: h.now()})
			default:
				forget = append(forget, id)
			}
		}
		if len(forget) > 0 {
			commands = append(commands, product.Forget{OrderIDs: forget, At: h.now()})
		}
		return report{commands: commands, again: time.Minute}
	}
}
