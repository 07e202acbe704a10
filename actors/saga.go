package actors

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
)

// The steps of an order's saga. Each is told what it needs when it is made, runs outside the actor, may be ended at any
// point by a crash or because the order moves on, and may be run again: whoever it asks recognises the order.

// pollPayment is how soon an order asks again for a payment that waits for its buyer, in case a report got lost: nobody
// waits for much longer than they took to pay.
func pollPayment(waited time.Duration) time.Duration {
	return min(max(waited/2, 2*time.Second), time.Minute)
}

// reserve holds the lines, one product after another.
func (o *orderEntity) reserve() func(context.Context) report {
	lines, expires, orderID := o.state.Reservation.Lines, int64(o.state.Reservation.ExpiresAt), o.state.OrderID()
	fresh, h, cause := o.fresh, o.host, o.cause()
	return func(ctx context.Context) report {
		undo := !fresh // an earlier life may have held more than this one knows
		for _, line := range lines {
			reply, sure := h.insist(ctx, KindProduct, line.ProductID, func() *messages.Command {
				return &messages.Command{Cause: cause, Body: &messages.Command_HoldStock{HoldStock: &messages.HoldStock{
					OrderId: orderID, Quantity: line.Quantity, ExpiresAt: expires}}}
			})
			if reply == nil {
				return report{}
			}
			undo = undo || !sure
			if reply.GetRefusal() != nil {
				return report{commands: []any{order.RecordShortage{Shortages: []order.Shortage{shortage(line, reply)}, Undo: undo, At: h.now()}}}
			}
			undo = true
		}
		return report{commands: []any{order.RecordReserved{At: h.now()}}}
	}
}

func shortage(line order.Line, reply *messages.Reply) order.Shortage {
	s := order.Shortage{ProductID: line.ProductID, ProductName: line.ProductName, RequestedQuantity: line.Quantity}
	if detail := reply.GetShortage(); detail != nil {
		s.AvailableQuantity = detail.GetAvailable()
	}
	return s
}

// pay has the payment made; when the money is there it takes the stock.
func (o *orderEntity) pay() func(context.Context) report {
	p, lines, h, cause, sold := o.state.PaymentRequested, o.state.Reservation.Lines, o.host, o.cause(), o.state.Sold()
	identity := domain.OrderIdentity(p.OrderID)
	return func(ctx context.Context) report {
		id := h.NewID()
		reply, _ := h.insist(ctx, KindPayment, identity, func() *messages.Command {
			return &messages.Command{Cause: cause, Body: &messages.Command_RequestPayment{RequestPayment: requestPayment(p, id)}}
		})
		if reply == nil {
			return report{}
		}
		if refusal := reply.GetRefusal(); refusal != nil {
			return report{commands: []any{order.RecordDeclined{Message: refusal.GetDetail(), At: h.now()}}}
		}
		switch state := reply.GetPayment(); {
		case paid(state):
			if !sold && !h.take(ctx, p.OrderID, cause, lines) {
				return report{}
			}
			return report{commands: []any{order.RecordPaid{At: h.now()}}}
		case state.GetFinal() || (state.GetStatus() == "failed" && p.Method != ""):
			return report{commands: []any{order.RecordDeclined{Message: failure(state), At: h.now()}}}
		case p.Method != "" && state.GetStatus() == "pending":
			return report{again: retryTask} // the provider is away
		}
		return report{again: pollPayment(h.now().Std().Sub(p.At.Std()))}
	}
}

// paid says whether the money is there. Some of it may have been given back already, before the order learned of it.
func paid(p *messages.PaymentState) bool {
	return p.GetStatus() == string(payment.StatusSucceeded) || p.GetStatus() == string(payment.StatusPartiallyRefunded)
}

// failure is why the order ends, in words for its buyer.
func failure(p *messages.PaymentState) string {
	if p.GetErrorMessage() != "" {
		return "payment failed: " + p.GetErrorMessage()
	}
	return "payment " + p.GetStatus()
}

func requestPayment(p *order.PaymentRequested, id string) *messages.RequestPayment {
	request := &messages.RequestPayment{Id: id, OrderId: p.OrderID, CustomerId: p.CustomerID, CustomerEmail: p.Email,
		Amount: p.Amount, Currency: p.Currency, Method: p.Method, Lines: make([]*messages.ReservationLine, len(p.Lines))}
	for i, line := range p.Lines {
		request.Lines[i] = &messages.ReservationLine{ProductId: line.ProductID, ProductName: line.ProductName,
			Quantity: line.Quantity, UnitPrice: line.UnitPrice}
	}
	return request
}

// take turns the order's holds into sales. It can't be refused: only the order gives its holds back.
func (h *Host) take(ctx context.Context, orderID, cause string, lines []order.Line) bool {
	for _, line := range lines {
		reply, _ := h.insist(ctx, KindProduct, line.ProductID, func() *messages.Command {
			return &messages.Command{Cause: cause, Body: &messages.Command_TakeStock{TakeStock: &messages.TakeStock{OrderId: orderID}}}
		})
		if reply == nil {
			return false
		}
		if refusal := reply.GetRefusal(); refusal != nil {
			h.Logger.Error("stock of a held line not taken", "order", orderID, "product", line.ProductID, "code", refusal.GetCode())
			return false
		}
	}
	return true
}

// confirm takes the stock because somebody confirmed the reservation by hand.
func (o *orderEntity) confirm() func(context.Context) report {
	lines, orderID, h, cause := o.state.Reservation.Lines, o.state.OrderID(), o.host, o.cause()
	return func(ctx context.Context) report {
		if !h.take(ctx, orderID, cause, lines) {
			return report{}
		}
		return report{commands: []any{order.RecordTaken{At: h.now()}}}
	}
}

// undo gives back whatever the order has: first the money's way is closed, then the stock is free for others.
func (o *orderEntity) undo() func(context.Context) report {
	s, h, cause := o.state, o.host, o.cause()
	return func(ctx context.Context) report {
		if s.PaymentRequested != nil {
			reply, _ := h.insist(ctx, KindPayment, domain.OrderIdentity(s.OrderID()), func() *messages.Command {
				return &messages.Command{Cause: cause, Body: &messages.Command_VoidPayment{VoidPayment: &messages.VoidPayment{Reason: s.UndoReason}}}
			})
			if reply == nil {
				return report{}
			}
		}
		for _, line := range s.Reservation.Lines {
			reply, _ := h.insist(ctx, KindProduct, line.ProductID, func() *messages.Command {
				return &messages.Command{Cause: cause, Body: &messages.Command_ReturnStock{ReturnStock: &messages.ReturnStock{
					OrderId: s.OrderID(), Quantity: line.Quantity, Sold: s.Sold(), Reason: s.UndoReason}}}
			})
			if reply == nil {
				return report{}
			}
		}
		return report{commands: []any{order.RecordUndone{At: h.now()}}}
	}
}

func (o *orderEntity) cause() string { return KindOrder + "/" + o.state.OrderID() }
