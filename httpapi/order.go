package httpapi

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

type (
	customerBody struct {
		CustomerID string `json:"customerId" minLength:"3" maxLength:"50" example:"cust-1001"`
		Email      string `json:"email" format:"email" maxLength:"254" example:"ada@example.com"`
		FirstName  string `json:"firstName" minLength:"1" maxLength:"50" example:"Ada"`
		LastName   string `json:"lastName" minLength:"1" maxLength:"50" example:"Lovelace"`
		Phone      string `json:"phone,omitempty" minLength:"10" maxLength:"20" example:"+15551234567"`
	}
	addressBody struct {
		Street     string `json:"street" minLength:"5" maxLength:"200" example:"12 Analytical Row"`
		City       string `json:"city" minLength:"2" maxLength:"50" example:"London"`
		State      string `json:"state" minLength:"2" maxLength:"50" example:"Greater London"`
		PostalCode string `json:"postalCode" minLength:"3" maxLength:"20" example:"SW1A 1AA"`
		Country    string `json:"country" minLength:"2" maxLength:"50" example:"GB"`
	}
	lineBody struct {
		ProductID   string `json:"productId" minLength:"1" maxLength:"100" example:"prod-001"`
		ProductName string `json:"productName,omitempty" maxLength:"200" doc:"ignored: the catalogue decides"`
		Quantity    int64  `json:"quantity" minimum:"1" maximum:"1000000" example:"2"`
		UnitPrice   *int64 `json:"unitPrice,omitempty" minimum:"0" maximum:"1000000000000" doc:"price that the buyer saw; refused when it is not the current one"`
	}
	placeOrderBody struct {
		Customer        customerBody `json:"customer"`
		Items           []lineBody   `json:"items" minItems:"1" maxItems:"500" doc:"lines of one product are one demand"`
		ShippingAddress addressBody  `json:"shippingAddress"`
		PaymentMethod   string       `json:"paymentMethod" minLength:"3" maxLength:"50" doc:"a Stripe payment method (pm_...) is charged as soon as stock is reserved" example:"pm_card_visa"`
		Currency        string       `json:"currency,omitempty" pattern:"^[a-z]{3}$" patternDescription:"a lower case ISO 4217 code" example:"usd"`
		Notes           string       `json:"notes,omitempty" maxLength:"500"`
	}
	amendOrderBody struct {
		Status          *string      `json:"status,omitempty" enum:"pending,confirmed,processing,shipped,delivered,cancelled"`
		Notes           *string      `json:"notes,omitempty" maxLength:"500"`
		ShippingAddress *addressBody `json:"shippingAddress,omitempty"`
	}
	reasonBody struct {
		Reason string `json:"reason,omitempty" maxLength:"500" example:"ordered by mistake"`
	}

	placeOrderInput struct{ Body placeOrderBody }
	orderInput      struct {
		ID string `path:"id" doc:"the order's _id" example:"652f1c7a9b3d4e5f60718293"`
	}
	getOrderInput struct {
		ID string `path:"id" doc:"the order's _id" example:"652f1c7a9b3d4e5f60718293"`
		At string `query:"at" doc:"answer the order as it was: a sequence of its timeline, or an instant (RFC 3339)"`
	}
	orderNumberInput struct {
		Number string `path:"orderNumber" example:"ORD-0123456789ABC"`
	}
	amendOrderInput struct {
		ID   string `path:"id"`
		Body amendOrderBody
	}
	cancelOrderInput struct {
		ID   string `path:"id"`
		Body reasonBody
	}
	listOrdersInput struct {
		Status     string `query:"status" enum:"pending,confirmed,processing,shipped,delivered,cancelled"`
		CustomerID string `query:"customerId" maxLength:"200"`
		Limit      *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor     string `query:"cursor" doc:"opaque; from the Link of the page before"`
		Page       *int64 `query:"page" minimum:"1" doc:"from 1; for older clients"`
	}
)

// TransformSchema says that an empty change is refused.
func (amendOrderBody) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return notEmpty(s)
}

func (s *Server) orderRoutes() {
	const tag, read, write = "orders", "orders:read", "orders:write"
	route(s, operation{id: "placeOrder", method: http.MethodPost, path: "/orders", tag: tag, scope: write,
		summary: "Place an order", description: "The catalogue decides names and prices. The order is durable when this answers; stock and payment follow.",
		status: http.StatusCreated, answer: order.Document{}, refusals: []int{409}, keyed: true, tagged: true, located: true, prefers: true}, placeOrder)
	route(s, operation{id: "listOrders", method: http.MethodGet, path: "/orders", tag: tag, scope: read,
		summary: "List orders", description: "Newest first; filters combine.", status: http.StatusOK, answer: order.Document{}, array: true, linked: true}, listOrders)
	route(s, operation{id: "getOrderByNumber", method: http.MethodGet, path: "/orders/number/{orderNumber}", tag: tag, scope: read,
		summary: "Get an order by its number", status: http.StatusOK, answer: order.Document{}, refusals: []int{404}, tagged: true}, getOrderByNumber)
	route(s, operation{id: "getOrder", method: http.MethodGet, path: "/orders/{id}", tag: tag, scope: read,
		summary: "Get an order", description: "As it is now or, with at, as it was.", status: http.StatusOK, answer: order.Document{}, refusals: []int{404}, tagged: true}, getOrder)
	route(s, operation{id: "amendOrder", method: http.MethodPatch, path: "/orders/{id}", tag: tag, scope: write,
		summary: "Change status, notes or address", status: http.StatusOK, answer: order.Document{}, refusals: []int{404, 409, 412}, keyed: true, matched: true, tagged: true}, amendOrder)
	route(s, operation{id: "cancelOrder", method: http.MethodPost, path: "/orders/{id}/cancel", tag: tag, scope: write,
		summary: "Cancel an order", description: "Stock is given back and money refunded. Repeating it changes nothing.",
		status: http.StatusOK, answer: order.Document{}, refusals: []int{404, 409, 412}, keyed: true, matched: true, tagged: true, bare: true}, cancelOrder)
	route(s, operation{id: "deleteOrder", method: http.MethodDelete, path: "/orders/{id}", tag: tag, scope: write,
		summary: "Hide a cancelled order", status: http.StatusNoContent, refusals: []int{404, 409, 412}, matched: true}, deleteOrder)
	route(s, operation{id: "listOrderEvents", method: http.MethodGet, path: "/orders/{id}/events", tag: tag, scope: read,
		summary: "The order's timeline", description: "Every event, oldest first.", status: http.StatusOK, answer: TimelineEvent{}, array: true, refusals: []int{404}, linked: true}, listOrderEvents)
}

// orderIdentity is the entity behind an _id; a malformed one names nothing.
func orderIdentity(id string) (string, error) {
	if !domain.IsID(id) {
		return "", notFound("order_not_found", "there is no such order")
	}
	return domain.OrderIdentity(id), nil
}

func readOrder(id string) *messages.Command {
	return &messages.Command{Body: &messages.Command_GetOrder{GetOrder: &messages.GetOrder{Id: id}}}
}

func listOrders(c *call, in *listOrdersInput) (answer, error) {
	return c.listed(storage.Filter{Collection: storage.Orders, Status: in.Status, Customer: in.CustomerID}, in.Limit, in.Page, in.Cursor)
}

func getOrderByNumber(c *call, in *orderNumberInput) (answer, error) {
	identity, ok := domain.OrderIdentityOfNumber(in.Number)
	if !ok {
		return answer{}, notFound("order_not_found", "there is no such order")
	}
	// The number says which entity, its journal which _id.
	entries, err := c.config.History.Read(c.ctx, storage.StreamOf(kindOrder, identity), 0, 1)
	if err != nil {
		return answer{}, away{what: "read the journal of order/" + identity, err: err}
	}
	id, ok := placedID(entries)
	if !ok {
		return answer{}, notFound("order_not_found", "there is no such order")
	}
	return c.read(kindOrder, identity, readOrder(id))
}

func getOrder(c *call, in *getOrderInput) (answer, error) {
	identity, err := orderIdentity(in.ID)
	if err != nil {
		return answer{}, err
	}
	if in.At != "" {
		return c.pastOrder(identity, in.ID, in.At)
	}
	if a, ok := c.newest(kindOrder, identity, storage.Orders, in.ID); ok {
		return a, nil
	}
	return c.read(kindOrder, identity, readOrder(in.ID))
}

func amendOrder(c *call, in *amendOrderInput) (answer, error) {
	body := &messages.AmendOrder{Id: in.ID, Status: in.Body.Status, Notes: in.Body.Notes}
	if in.Body.ShippingAddress != nil {
		body.ShippingAddress = in.Body.ShippingAddress.message()
	}
	return c.changeOrder(in.ID, &messages.Command{Body: &messages.Command_AmendOrder{AmendOrder: body}})
}

func cancelOrder(c *call, in *cancelOrderInput) (answer, error) {
	return c.changeOrder(in.ID, &messages.Command{Body: &messages.Command_CancelOrder{
		CancelOrder: &messages.CancelOrder{Id: in.ID, Reason: in.Body.Reason}}})
}

func deleteOrder(c *call, in *orderInput) (answer, error) {
	_, err := c.changeOrder(in.ID, &messages.Command{Body: &messages.Command_HideOrder{HideOrder: &messages.HideOrder{Id: in.ID}}})
	return answer{}, err
}

func (c *call) changeOrder(id string, cmd *messages.Command) (answer, error) {
	identity, err := orderIdentity(id)
	if err != nil {
		return answer{}, err
	}
	reply, err := c.write(kindOrder, identity, cmd, c.versionOf(kindOrder, identity, readOrder(id)))
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}

func (a *addressBody) message() *messages.Address {
	return &messages.Address{Street: a.Street, City: a.City, State: a.State, PostalCode: a.PostalCode, Country: a.Country}
}
