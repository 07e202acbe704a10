package httpapi

import (
	"net/http"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

type (
	listReservationsInput struct {
		CustomerID string `query:"customerId" maxLength:"200"`
		Status     string `query:"status" enum:"pending,confirmed,released,expired"`
		Limit      *int64 `query:"limit" minimum:"1" maximum:"100" default:"10"`
		Cursor     string `query:"cursor" doc:"opaque; from the Link of the page before"`
		Page       *int64 `query:"page" minimum:"1" doc:"from 1; for older clients"`
	}
	reservationInput struct {
		OrderID string `path:"orderId" minLength:"1" maxLength:"100" doc:"of an order here or in another system"`
	}
	releaseReservationInput struct {
		OrderID string `path:"orderId" minLength:"1" maxLength:"100"`
		Body    reasonBody
	}
	emptyBody               struct{}
	confirmReservationInput struct {
		OrderID string `path:"orderId" minLength:"1" maxLength:"100"`
		Body    emptyBody
	}
)

func (s *Server) reservationRoutes() {
	const tag, read, write = "reservations", "reservations:read", "reservations:write"
	const path = "/inventory/reservations"
	route(s, operation{id: "listReservations", method: http.MethodGet, path: path, tag: tag, scope: read, summary: "List reservations",
		description: "Newest first; filters combine.", status: http.StatusOK, answer: order.ReservationDocument{}, array: true, linked: true}, listReservations)
	route(s, operation{id: "getReservation", method: http.MethodGet, path: path + "/{orderId}", tag: tag, scope: read,
		summary: "Get an order's reservation", status: http.StatusOK, answer: order.ReservationDocument{}, refusals: []int{404}, tagged: true}, getReservation)
	route(s, operation{id: "releaseReservation", method: http.MethodPost, path: path + "/{orderId}/release", tag: tag, scope: write,
		summary: "Give a reservation back", status: http.StatusOK, answer: order.ReservationDocument{}, refusals: []int{404, 409, 412},
		keyed: true, matched: true, tagged: true, bare: true}, releaseReservation)
	route(s, operation{id: "confirmReservation", method: http.MethodPost, path: path + "/{orderId}/confirm", tag: tag, scope: write,
		summary: "Turn a reservation into a sale", status: http.StatusOK, answer: order.ReservationDocument{}, refusals: []int{404, 409, 412},
		keyed: true, matched: true, tagged: true, bare: true}, confirmReservation)
}

func readReservation(orderID string) *messages.Command {
	return &messages.Command{Body: &messages.Command_GetReservation{GetReservation: &messages.GetReservation{OrderId: orderID}}}
}

func listReservations(c *call, in *listReservationsInput) (answer, error) {
	return c.listed(storage.Filter{Collection: storage.Reservations, Status: in.Status, Customer: in.CustomerID}, in.Limit, in.Page, in.Cursor)
}

func getReservation(c *call, in *reservationInput) (answer, error) {
	return c.read(kindOrder, domain.OrderIdentity(in.OrderID), readReservation(in.OrderID))
}

func releaseReservation(c *call, in *releaseReservationInput) (answer, error) {
	return c.changeReservation(in.OrderID, &messages.Command{Body: &messages.Command_ReleaseReservation{
		ReleaseReservation: &messages.ReleaseReservation{OrderId: in.OrderID, Reason: in.Body.Reason}}})
}

func confirmReservation(c *call, in *confirmReservationInput) (answer, error) {
	return c.changeReservation(in.OrderID, &messages.Command{Body: &messages.Command_ConfirmReservation{
		ConfirmReservation: &messages.ConfirmReservation{OrderId: in.OrderID}}})
}

func (c *call) changeReservation(orderID string, cmd *messages.Command) (answer, error) {
	identity := domain.OrderIdentity(orderID)
	reply, err := c.write(kindOrder, identity, cmd, c.versionOf(kindOrder, identity, readReservation(orderID)))
	if err != nil {
		return answer{}, err
	}
	return documentOf(reply), nil
}
