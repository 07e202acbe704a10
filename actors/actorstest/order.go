package actorstest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
)

var serial atomic.Uint64

// NewOrderID makes an id that no other test has.
func NewOrderID() string {
	var tail [8]byte
	n := serial.Add(1)
	for i := range tail {
		tail[7-i] = byte(n >> (8 * i))
	}
	return domain.NewID(domain.At(time.Now()), tail)
}

// Stock puts a product into the catalogue.
func (s *Shop) Stock(t testing.TB, productID string, quantity int64) {
	t.Helper()
	reply, err := s.Ask(t.Context(), actors.KindProduct, productID, &messages.Command{Id: "create-" + productID, Body: &messages.Command_CreateProduct{
		CreateProduct: &messages.CreateProduct{Id: NewOrderID(), ProductId: productID, Name: "The " + productID, Description: "for tests",
			Category: "tests", Price: 500, StockQuantity: quantity, Sku: "SKU-" + productID}}})
	if err != nil || reply.GetRefusal() != nil {
		t.Fatalf("create product %s: %v %v", productID, reply, err)
	}
}

// Place sends an order for one unit of each product; the command id is the order's id.
func (s *Shop) Place(ctx context.Context, orderID, method string, productIDs ...string) (*messages.Reply, error) {
	place := &messages.PlaceOrder{Id: orderID, OrderNumber: domain.OrderNumber(orderID), PaymentMethod: method,
		Customer: &messages.Customer{CustomerId: "customer-1", Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace"}}
	for _, id := range productIDs {
		place.Lines = append(place.Lines, &messages.OrderLine{ProductId: id, Quantity: 1,
			Quote: &messages.Quote{ProductId: id, Name: "The " + id, Price: 500, Currency: "usd", Active: true}})
	}
	return s.Ask(ctx, actors.KindOrder, domain.OrderIdentity(orderID), &messages.Command{Id: orderID, Cause: "test", Body: &messages.Command_PlaceOrder{PlaceOrder: place}})
}

// Order returns the order as it is now; ok is false when there is none.
func (s *Shop) Order(t testing.TB, orderID string) (d order.Document, ok bool) {
	t.Helper()
	return document[order.Document](t, s, actors.KindOrder, domain.OrderIdentity(orderID), &messages.Command{
		Body: &messages.Command_GetOrder{GetOrder: &messages.GetOrder{Id: orderID}}})
}

// Product returns the product as it is now.
func (s *Shop) Product(t testing.TB, productID string) product.Document {
	t.Helper()
	d, _ := document[product.Document](t, s, actors.KindProduct, productID, &messages.Command{
		Body: &messages.Command_GetProduct{GetProduct: &messages.GetProduct{}}})
	return d
}

// Payment returns the order's payment as it is now; ok is false when there is none.
func (s *Shop) Payment(t testing.TB, orderID string) (d payment.Document, ok bool) {
	t.Helper()
	return document[payment.Document](t, s, actors.KindPayment, domain.OrderIdentity(orderID), &messages.Command{
		Body: &messages.Command_GetPayment{GetPayment: &messages.GetPayment{}}})
}

func document[D any](t testing.TB, s *Shop, kind, identity string, command *messages.Command) (d D, ok bool) {
	t.Helper()
	reply, err := s.Ask(t.Context(), kind, identity, command)
	if err != nil {
		t.Fatalf("ask %s/%s: %v", kind, identity, err)
	}
	if reply.GetRefusal() != nil {
		return d, false
	}
	if err := json.Unmarshal(reply.GetDocument(), &d); err != nil {
		t.Fatalf("document of %s/%s: %v", kind, identity, err)
	}
	return d, true
}

// Eventually waits until the condition returns an empty text; otherwise the test fails with the last one.
func Eventually(t testing.TB, condition func() (missing string)) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		missing := condition()
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", missing)
		}
		<-ticker.C
	}
}

// Ended waits until the order has left pending and has nothing left to do, and returns it.
func (s *Shop) Ended(t testing.TB, orderID string) (d order.Document) {
	t.Helper()
	Eventually(t, func() string {
		var ok bool
		if d, ok = s.Order(t, orderID); !ok {
			return "no order " + orderID
		}
		reply, err := s.Ask(t.Context(), actors.KindOrder, domain.OrderIdentity(orderID), &messages.Command{
			Body: &messages.Command_GetReservation{GetReservation: &messages.GetReservation{OrderId: orderID}}})
		if err != nil || !reply.GetReservation().GetSettled() || d.Status == order.StatusPending {
			return fmt.Sprintf("order %s is %s (%s), settled %v, %v", orderID, d.Status, d.FailureReason, reply.GetReservation().GetSettled(), err)
		}
		return ""
	})
	return d
}
