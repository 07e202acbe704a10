package actors

import (
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// orderEntity connects an order's rules to messages, products and payment.
type orderEntity struct {
	rules[order.State, order.Command, order.Event]
	host     *Host
	identity string
	planned  planned
	fresh    bool // began its life in this activation: nothing of it can be under way elsewhere
	finished bool // the last batch finished the saga
}

func newOrder(h *Host, identity string) *orderEntity {
	o := &orderEntity{host: h, identity: identity}
	o.rules = rules[order.State, order.Command, order.Event]{decide: order.Decide, evolve: o.evolve, codec: order.Codec}
	return o
}

func (o *orderEntity) evolve(s *order.State, e order.Event) {
	s.Evolve(e)
	switch e.(type) {
	case order.Confirmed, order.Settled:
		o.finished = true
	case order.ReservationConfirmed:
		o.finished = s.Phase == order.PhaseNone
	}
}

func (o *orderEntity) replay(stored storage.Event) error {
	err := o.rules.replay(stored)
	o.finished, o.fresh = false, false
	return err
}

func (o *orderEntity) translate(m *messages.Command, st stamp) (any, error) {
	switch b := m.GetBody().(type) {
	case *messages.Command_PlaceOrder:
		o.fresh = !o.state.Exists()
		return o.place(b.PlaceOrder, st), nil
	case *messages.Command_AmendOrder:
		p := b.AmendOrder
		amend := order.Amend{ID: p.GetId(), Status: p.Status, Notes: p.Notes, At: st.at}
		if p.GetShippingAddress() != nil {
			address := addressOf(p.GetShippingAddress())
			amend.ShippingAddress = &address
		}
		return amend, nil
	case *messages.Command_CancelOrder:
		return order.Cancel{ID: b.CancelOrder.GetId(), Reason: b.CancelOrder.GetReason(), At: st.at}, nil
	case *messages.Command_HideOrder:
		return order.Hide{ID: b.HideOrder.GetId(), At: st.at}, nil
	case *messages.Command_RequestReservation:
		o.fresh = !o.state.Exists()
		return o.reserveFor(b.RequestReservation, st), nil
	case *messages.Command_ReleaseReservation:
		return order.Release{OrderID: b.ReleaseReservation.GetOrderId(), Reason: b.ReleaseReservation.GetReason(), At: st.at}, nil
	case *messages.Command_ConfirmReservation:
		return order.ConfirmReservation{OrderID: b.ConfirmReservation.GetOrderId(), At: st.at}, nil
	case *messages.Command_GetOrder:
		return nil, o.state.Visible(b.GetOrder.GetId())
	case *messages.Command_GetReservation, *messages.Command_ReportPayment, *messages.Command_Touch:
		return nil, nil
	}
	return nil, domain.Errorf(domain.KindInvalid, "unknown_command", "an order does not understand %T", m.GetBody())
}

func (o *orderEntity) place(p *messages.PlaceOrder, st stamp) order.Place {
	c := p.GetCustomer()
	place := order.Place{
		ID: p.GetId(), Number: p.GetOrderNumber(), ReservationDocID: st.newID(), ReservationID: reservationID(o.identity),
		Customer: order.Customer{CustomerID: c.GetCustomerId(), Email: c.GetEmail(), FirstName: c.GetFirstName(),
			LastName: c.GetLastName(), Phone: c.GetPhone()},
		ShippingAddress: addressOf(p.GetShippingAddress()), PaymentMethod: p.GetPaymentMethod(), Currency: p.GetCurrency(),
		Notes: p.GetNotes(), Policy: o.host.Policy, At: st.at, Demands: make([]order.Demand, len(p.GetLines())),
	}
	for i, line := range p.GetLines() {
		d := order.Demand{ProductID: line.GetProductId(), Quantity: line.GetQuantity(), Offered: line.UnitPrice}
		if q := line.GetQuote(); q != nil {
			d.Known, d.Name, d.Price, d.Currency, d.Active = true, q.GetName(), q.GetPrice(), q.GetCurrency(), q.GetActive()
		}
		place.Demands[i] = d
	}
	return place
}

// reservationID is as unique as the order's identity.
func reservationID(identity string) string { return "RES-" + identity }

func (o *orderEntity) reserveFor(r *messages.RequestReservation, st stamp) order.Reserve {
	ttl := o.host.Policy.ReservationTTL
	if r.GetTimeoutMinutes() > 0 {
		ttl = time.Duration(r.GetTimeoutMinutes()) * time.Minute
	}
	reserve := order.Reserve{OrderID: r.GetOrderId(), CustomerID: r.GetCustomerId(), ReservationDocID: st.newID(),
		ReservationID: reservationID(o.identity), TTL: ttl, At: st.at}
	for _, line := range r.GetLines() {
		reserve.Lines = append(reserve.Lines, order.Line{ProductID: line.GetProductId(), ProductName: line.GetProductName(),
			Quantity: line.GetQuantity(), UnitPrice: line.GetUnitPrice()})
	}
	return reserve
}

func addressOf(a *messages.Address) order.Address {
	return order.Address{Street: a.GetStreet(), City: a.GetCity(), State: a.GetState(), PostalCode: a.GetPostalCode(), Country: a.GetCountry()}
}

func (o *orderEntity) answer(m *messages.Command, _ uint64, forced bool) (*messages.Reply, bool) {
	s := &o.state
	settling := s.Phase == order.PhaseUndoing || s.Phase == order.PhaseConfirming
	switch b := m.GetBody().(type) {
	case *messages.Command_GetOrder:
		if b.GetOrder.GetWaitUntil() != 0 && s.Status == order.StatusPending && !forced {
			return nil, false
		}
		return o.document(), true
	case *messages.Command_CancelOrder:
		if settling && !forced {
			return nil, false
		}
		return o.document(), true
	case *messages.Command_AmendOrder:
		if b.AmendOrder.GetStatus() == string(order.StatusCancelled) && settling && !forced {
			return nil, false
		}
		return o.document(), true
	case *messages.Command_PlaceOrder:
		return o.document(), true
	case *messages.Command_HideOrder, *messages.Command_ReportPayment, *messages.Command_Touch:
		return &messages.Reply{Version: s.Version}, true
	case *messages.Command_RequestReservation:
		if s.Phase == order.PhaseReserving && !forced {
			return nil, false
		}
		// Carried out, whatever came of it: that there is not enough stock is a result, which leaves as an event.
		return &messages.Reply{Version: s.Version}, true
	case *messages.Command_GetReservation:
		return o.reservation(b.GetReservation.GetOrderId()), true
	case *messages.Command_ReleaseReservation:
		if settling && !forced {
			return nil, false
		}
		return o.reservation(b.ReleaseReservation.GetOrderId()), true
	case *messages.Command_ConfirmReservation:
		if settling && !forced {
			return nil, false
		}
		return o.reservation(b.ConfirmReservation.GetOrderId()), true
	}
	return nil, true
}

func (o *orderEntity) document() *messages.Reply {
	return documentReply(o.state.Document(), o.state.Version)
}

func (o *orderEntity) reservation(orderID string) *messages.Reply {
	reply := &messages.Reply{}
	if err := o.state.Reserved(orderID); err != nil {
		refusal, _ := domain.AsRefusal(err)
		reply = refused(refusal)
	} else {
		reply = documentReply(o.state.ReservationDocument(), o.state.Version)
	}
	reply.Detail = &messages.Reply_Reservation{Reservation: &messages.ReservationState{
		Holds: o.state.HoldsAt(o.host.now()), Settled: !o.state.Holds()}}
	return reply
}

// documentReply carries an answer document as JSON.
func documentReply[D domain.Appender](document D, version uint64) *messages.Reply {
	return &messages.Reply{Version: version, Document: domain.JSON(document)}
}

func (o *orderEntity) agenda() agenda { return o.planned.at(o.state.Version, o.plan) }

func (o *orderEntity) plan() agenda {
	due := o.state.Due()
	a := agenda{task: string(due.Phase), wake: due.Deadline, tick: func(at domain.Time) any { return order.Tick{At: at} }}
	switch due.Phase {
	case order.PhaseReserving:
		a.run = o.reserve()
	case order.PhasePaying:
		a.run = o.pay()
		if o.state.PaymentRequested.Method == "" {
			a.patience = longPatience
		}
	case order.PhaseConfirming:
		a.run = o.confirm()
	case order.PhaseUndoing:
		a.run = o.undo()
	case order.PhaseHolding:
		a.task = "" // waits for others
	}
	return a
}

// aside tells the products that the order will never ask again, so that they need not remember it.
func (o *orderEntity) aside() []aside {
	if !o.finished {
		return nil
	}
	o.finished = false
	asides := make([]aside, len(o.state.Reservation.Lines))
	for i, line := range o.state.Reservation.Lines {
		asides[i] = aside{KindProduct, line.ProductID, &messages.Command{Body: &messages.Command_ForgetOrder{
			ForgetOrder: &messages.ForgetOrder{OrderId: o.state.OrderID(), Sold: o.state.Sold() && o.state.Status != order.StatusCancelled}}}}
	}
	return asides
}

// frozenOrder is a copy of an order's state; the rules never change what a copy shares with it.
type frozenOrder struct{ state order.State }

func (o *orderEntity) freeze() frozen { return &frozenOrder{o.state} }

func (f *frozenOrder) documents() ([]storage.Document, error) {
	s := &f.state
	documents := make([]storage.Document, 0, 2)
	if s.Status != "" {
		d := s.Document()
		documents = append(documents, storage.Document{Collection: storage.Orders, ID: d.ID, Created: d.CreatedAt.Std(),
			Status: string(d.Status), Customer: d.Customer.CustomerID, Order: d.ID, External: d.OrderNumber, Hidden: s.Hidden, Body: domain.JSON(d)})
	}
	if s.ReservationStatus != order.ReservationNone {
		d := s.ReservationDocument()
		documents = append(documents, storage.Document{Collection: storage.Reservations, ID: d.ID, Created: d.CreatedAt.Std(),
			Status: string(d.Status), Customer: d.CustomerID, Order: d.OrderID, External: d.ReservationID, Body: domain.JSON(d)})
	}
	return documents, nil
}
