package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// placements is how often a new order without a key is tried under another _id.
const placements = 3

func placeOrder(c *call, in *placeOrderInput) (answer, error) {
	lines, err := c.quoted(in.Body.Items)
	if err != nil {
		return answer{}, err
	}
	for attempt := 1; ; attempt++ {
		id, err := c.orderID()
		if err != nil {
			return answer{}, err
		}
		reply, err := c.write(kindOrder, domain.OrderIdentity(id), in.Body.command(id, lines), nil)
		var no refused
		if errors.As(err, &no) && no.GetCode() == "order_exists" && c.key == "" && attempt < placements {
			continue
		}
		if err != nil {
			return answer{}, err
		}
		return c.placed(id, reply)
	}
}

// quoted puts the catalogue's word beside each line, asking for each product once.
func (c *call) quoted(items []lineBody) ([]*messages.OrderLine, error) {
	index := make(map[string]int, len(items))
	ids := make([]string, 0, len(items))
	for _, item := range items {
		if _, ok := index[item.ProductID]; !ok {
			index[item.ProductID] = len(ids)
			ids = append(ids, item.ProductID)
		}
	}
	template := &messages.Command{Cause: c.op.cause(), Traceparent: c.visit.trace}
	if deadline, ok := c.ctx.Deadline(); ok {
		template.Deadline = deadline.UnixMilli()
	}
	quotes, err := c.quotes(c.ctx, ids, template)
	if err != nil {
		return nil, err
	}
	lines := make([]*messages.OrderLine, len(items))
	for i, item := range items {
		lines[i] = &messages.OrderLine{ProductId: item.ProductID, Quantity: item.Quantity, UnitPrice: item.UnitPrice,
			Quote: quotes[index[item.ProductID]]}
	}
	return lines, nil
}

func (b *placeOrderBody) command(id string, lines []*messages.OrderLine) *messages.Command {
	return &messages.Command{Body: &messages.Command_PlaceOrder{PlaceOrder: &messages.PlaceOrder{
		Id: id, OrderNumber: domain.OrderNumber(id),
		Customer: &messages.Customer{CustomerId: b.Customer.CustomerID, Email: b.Customer.Email,
			FirstName: b.Customer.FirstName, LastName: b.Customer.LastName, Phone: b.Customer.Phone},
		Lines: lines, ShippingAddress: b.ShippingAddress.message(), PaymentMethod: b.PaymentMethod,
		Currency: b.Currency, Notes: b.Notes,
	}}}
}

// placed answers for an order that is durable, whatever happens from here on.
func (c *call) placed(id string, reply *messages.Reply) (answer, error) {
	// A repeat in a later second asked with another _id than the one that was kept: the document knows it.
	if c.key != "" {
		if kept, ok := documentID(reply.GetDocument()); ok {
			id = kept
		}
	}
	a := documentOf(reply)
	wait := parseWait(c.fiber.Request().Header.PeekAll("Prefer"))
	if wait > 0 {
		if waited, err := c.awaitOrder(id, wait); err == nil {
			a = waited
		}
		a.header("Preference-Applied", "wait="+seconds(wait))
	}
	a.status = http.StatusCreated
	a.header("Location", c.visit.prefix+"/orders/"+id)
	return a, nil
}

// awaitOrder reads the order when it has left "pending", or as it is when the time is up.
func (c *call) awaitOrder(id string, wait time.Duration) (answer, error) {
	const slack = 5 * time.Second // for the way there and back
	ctx, cancel := context.WithTimeout(c.ctx, wait+slack)
	defer cancel()
	waiting := *c
	waiting.ctx = ctx
	cmd := readOrder(id)
	cmd.GetGetOrder().WaitUntil = c.config.Clock().Add(wait).UnixMilli()
	return waiting.read(kindOrder, domain.OrderIdentity(id), cmd)
}
