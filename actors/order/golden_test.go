package order_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

func TestStoredEvents(t *testing.T) {
	lines := []order.Line{{ProductID: "LAMP", ProductName: "Desk lamp", Quantity: 2, UnitPrice: 1999}}
	notes := "ring twice"
	domaintest.Golden[order.Event](t, order.Codec,
		order.Placed{ID: "0000000a0011223344556677", Number: "ORD-00H248H25AXKE", Customer: customer,
			Items:    []order.Item{{ProductID: "LAMP", ProductName: "Desk lamp", Quantity: 2, UnitPrice: 1999, TotalPrice: 3998}},
			Subtotal: 3998, Tax: 400, ShippingCost: 1000, Total: 5398, Currency: "usd", ShippingAddress: address,
			PaymentMethod: "pm_card_visa", Notes: "leave at the door", At: t0},
		order.ReservationRequested{ID: "0000000a8899aabbccddeeff", ReservationID: "RES-0011223344556677",
			OrderID: "0000000a0011223344556677", CustomerID: "cust-1", Lines: lines, TimeoutMinutes: 15, ExpiresAt: t0 + 900_000, At: t0},
		order.Reserved{OrderID: "0000000a0011223344556677", ReservationID: "RES-0011223344556677", CustomerID: "cust-1",
			Lines: lines, ExpiresAt: t0 + 900_000, At: t0},
		order.ReservationFailed{OrderID: "0000000a0011223344556677", CustomerID: "cust-1",
			Shortages: []order.Shortage{{ProductID: "LAMP", ProductName: "Desk lamp", RequestedQuantity: 2, AvailableQuantity: 1}},
			Reason:    "insufficient stock", Undo: true, At: t0},
		order.PaymentRequested{OrderID: "0000000a0011223344556677", CustomerID: "cust-1", Email: "ada@example.com", Amount: 5398,
			Currency: "usd", Lines: lines, Method: "pm_card_visa", At: t0},
		order.ReservationConfirmRequested{At: t0},
		order.ReservationConfirmed{OrderID: "0000000a0011223344556677", ReservationID: "RES-0011223344556677", CustomerID: "cust-1",
			Lines: lines, At: t0},
		order.ReleaseRequested{Reason: "not needed", Expired: true, At: t0},
		order.ReservationReleased{OrderID: "0000000a0011223344556677", ReservationID: "RES-0011223344556677", CustomerID: "cust-1",
			Lines: lines, Reason: "reservation expired", Expired: true, At: t0},
		order.Confirmed{Number: "ORD-00H248H25AXKE", At: t0},
		order.StatusChanged{Number: "ORD-00H248H25AXKE", Status: order.StatusShipped, At: t0},
		order.Amended{Number: "ORD-00H248H25AXKE", Status: order.StatusPending, Notes: &notes, ShippingAddress: &address, At: t0},
		order.Cancelled{Number: "ORD-00H248H25AXKE", CustomerID: "cust-1", Reason: "changed my mind", Failure: "insufficient stock",
			Expired: true, Undo: true, At: t0},
		order.Settled{At: t0},
		order.Hidden{At: t0},
	)
}

func TestEncoders(t *testing.T) {
	domaintest.Encoders(t, order.Codec, order.Document{}, order.ReservationDocument{})
}
