package order_test

import (
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

const (
	t0       = domain.Time(1_700_000_000_000)
	deadline = t0 + 900_000
	orderID  = "0000000a0011223344556677"
	number   = "ORD-00H248H25AXKE"
)

var (
	customer = order.Customer{CustomerID: "cust-1", Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", Phone: "+441234567890"}
	address  = order.Address{Street: "12 St James's Square", City: "London", State: "London", PostalCode: "SW1Y 4JH", Country: "GB"}
	rules    = domaintest.Rules[order.State, order.Command, order.Event]{
		Decide: order.Decide, Evolve: (*order.State).Evolve, Codec: order.Codec,
	}
)

type row = domaintest.Row[order.Command, order.Event]

func policy() order.Policy {
	return order.Policy{TaxPPM: 100_000, ShippingFlat: 1000, Currency: "usd", ReservationTTL: 15 * time.Minute}
}

func demand(productID string, quantity, price int64) order.Demand {
	return order.Demand{ProductID: productID, Quantity: quantity, Known: true, Name: "the " + productID, Price: price, Currency: "usd", Active: true}
}

// place asks for 2 lamps at 1999 and a desk at 25000, the desk first.
func place(changes ...func(*order.Place)) order.Place {
	p := order.Place{ID: orderID, Number: number, ReservationDocID: "0000000a8899aabbccddeeff", ReservationID: "RES-0011223344556677",
		Customer: customer, Demands: []order.Demand{demand("LAMP", 2, 1999), demand("DESK", 1, 25_000)}, ShippingAddress: address,
		PaymentMethod: "card", Notes: "leave at the door", Policy: policy(), At: t0}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func lines() []order.Line {
	return []order.Line{{ProductID: "DESK", ProductName: "the DESK", Quantity: 1, UnitPrice: 25_000},
		{ProductID: "LAMP", ProductName: "the LAMP", Quantity: 2, UnitPrice: 1999}}
}

func reserve(changes ...func(*order.Reserve)) order.Reserve {
	r := order.Reserve{OrderID: "their-7", CustomerID: "cust-1", ReservationDocID: "0000000a8899aabbccddeeff", ReservationID: "RES-x:their-7",
		Lines: lines(), TTL: 15 * time.Minute, At: t0}
	for _, change := range changes {
		change(&r)
	}
	return r
}

// after returns what happens when the commands are executed one after another; each must make something happen.
func after(t *testing.T, commands ...order.Command) []order.Event {
	t.Helper()
	return subject(t, commands...).Events
}

func subject(t *testing.T, commands ...order.Command) *domaintest.Subject[order.State, order.Command, order.Event] {
	t.Helper()
	s := rules.New()
	for _, c := range commands {
		events, err := s.Do(t, c)
		if err != nil || len(events) == 0 {
			t.Fatalf("%T: %v, %d events, in phase %q", c, err, len(events), s.State.Phase)
		}
	}
	return s
}

func status(s order.Status) order.Amend {
	text := string(s)
	return order.Amend{ID: orderID, Status: &text, At: t0 + 9}
}

// Histories up to a point in an order's life.
func reserving() []order.Command { return []order.Command{place()} }
func paying() []order.Command    { return append(reserving(), order.RecordReserved{At: t0 + 1}) }
func confirmed() []order.Command { return append(paying(), order.RecordPaid{At: t0 + 2}) }
func processing() []order.Command {
	return append(confirmed(), status(order.StatusProcessing))
}
func shipped() []order.Command   { return append(processing(), status(order.StatusShipped)) }
func delivered() []order.Command { return append(shipped(), status(order.StatusDelivered)) }
func undoing() []order.Command {
	return append(paying(), order.Cancel{ID: orderID, Reason: "changed my mind", At: t0 + 3})
}
func cancelled() []order.Command { return append(undoing(), order.RecordUndone{At: t0 + 4}) }
func hidden() []order.Command    { return append(cancelled(), order.Hide{ID: orderID, At: t0 + 5}) }

func asked() []order.Command   { return []order.Command{reserve()} }
func holding() []order.Command { return append(asked(), order.RecordReserved{At: t0 + 1}) }
