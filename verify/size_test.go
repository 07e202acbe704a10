package verify_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

var orderCount = flag.Int("orders", 60_000, "how many orders the journal of the size tests has")

// crowd is a journal of very many paid orders that is made while it is scanned, so that only the run's own memory counts.
type crowd struct {
	orders   int
	atTheEnd func()
	number   uint64
	balance  product.Balance
	sequence uint64 // of the product
}

func (c *crowd) Writers(context.Context) ([]storage.Marks, error) { return nil, nil }

func (c *crowd) Committed(context.Context, string, uint64, int) ([]storage.Entry, error) {
	return nil, nil
}

func (c *crowd) Scan(_ context.Context, visit func(storage.Entry) error) error {
	c.number, c.sequence, c.balance = 0, 1, product.Balance{Stock: 2*int64(c.orders) + 1}
	err := c.append(visit, "product/anvil", 1, opening, "", product.Created{ID: crowdID(opening, 1), ProductID: "anvil", Name: "Anvil",
		Description: "Something heavy.", Category: "tools", Price: 1000, Currency: "usd", Stock: c.balance.Stock, SKU: "ANV", Active: true, At: opening})
	for i := 0; i < c.orders && err == nil; i++ {
		err = c.life(i, opening.Add(time.Duration(i)*time.Millisecond), visit)
	}
	c.atTheEnd()
	return err
}

func crowdID(at domain.Time, i int) string {
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], uint64(i)*0x9E3779B97F4A7C15) // spread as random ids are
	return domain.NewID(at, tail)
}

// append visits an entry of the stream that begins at first.
func (c *crowd) append(visit func(storage.Entry) error, stream storage.Stream, first uint64, at domain.Time, cause string, events ...event) error {
	c.number++
	e := storage.Entry{Stream: stream, First: first, Writer: "member-1", Number: c.number}
	for _, event := range events {
		data, err := json.Marshal(event)
		if err != nil {
			return err
		}
		e.Events = append(e.Events, storage.Event{Type: event.EventType(), Schema: domain.CurrentSchema, At: at.Std(), Cause: cause, Data: data})
	}
	return visit(e)
}

// life is one order with one line, paid at once: eleven events in seven entries.
func (c *crowd) life(i int, at domain.Time, visit func(storage.Entry) error) error {
	id := crowdID(at, i+2)
	identity, number, customer := domain.OrderIdentity(id), domain.OrderNumber(id), fmt.Sprintf("customer-%d", i%1000)
	lines := []order.Line{{ProductID: "anvil", ProductName: "Anvil", Quantity: 2, UnitPrice: 1000}}
	expires, reservation, paymentID := at.Add(15*time.Minute), "RES-"+identity, domain.PaymentIntentID(id)
	var err error
	write := func(kind string, first uint64, events ...event) {
		stream := storage.StreamOf(kind, identity)
		if kind == "product" {
			stream, first = "product/anvil", c.sequence+1
			c.sequence += uint64(len(events))
		}
		if err == nil {
			err = c.append(visit, stream, first, at, "order/"+id, events...)
		}
	}
	write("order", 1, order.Placed{ID: id, Number: number, Customer: order.Customer{CustomerID: customer, Email: "a@example.com", FirstName: "A", LastName: "B"},
		Items:    []order.Item{{ProductID: "anvil", ProductName: "Anvil", Quantity: 2, UnitPrice: 1000, TotalPrice: 2000}},
		Subtotal: 2000, Tax: 200, ShippingCost: 1000, Total: 3200, Currency: "usd", PaymentMethod: "pm_card_visa", At: at},
		order.ReservationRequested{ID: crowdID(at, -i), ReservationID: reservation, OrderID: id, CustomerID: customer, Lines: lines, TimeoutMinutes: 15, ExpiresAt: expires, At: at})
	c.balance.Reserved += 2
	write("product", 0, product.Held{OrderID: id, Quantity: 2, ExpiresAt: expires, At: at, Balance: c.balance})
	write("order", 3, order.Reserved{OrderID: id, ReservationID: reservation, CustomerID: customer, Lines: lines, ExpiresAt: expires, At: at},
		order.PaymentRequested{OrderID: id, CustomerID: customer, Email: "a@example.com", Amount: 3200, Currency: "usd", Lines: lines, Method: "pm_card_visa", At: at})
	write("payment", 1, payment.Requested{ID: crowdID(at, -2*i), OrderID: id, CustomerID: customer, Email: "a@example.com", Amount: 3200, Currency: "usd",
		Items: []payment.Item{payment.Item(lines[0])}, Method: "pm_card_visa", At: at})
	write("payment", 2, payment.IntentCreated{PaymentIntentID: paymentID, OrderID: id, CustomerID: customer, Amount: 3200, Currency: "usd", IntentID: "pi", ClientSecret: "s", At: at},
		payment.Succeeded{PaymentIntentID: paymentID, OrderID: id, CustomerID: customer, Amount: 3200, Currency: "usd", IntentID: "pi", Method: "pm_card_visa", At: at})
	c.balance = product.Balance{Stock: c.balance.Stock - 2, Reserved: c.balance.Reserved - 2}
	write("product", 0, product.Taken{OrderID: id, Quantity: 2, At: at, Balance: c.balance})
	write("order", 5, order.ReservationConfirmed{OrderID: id, ReservationID: reservation, CustomerID: customer, Lines: lines, At: at}, order.Confirmed{Number: number, At: at})
	return err
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestMemoryPerOrder holds the run to a bound: the journal of a large shop must not need a large machine.
func TestMemoryPerOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("a figure per order needs a journal of some size")
	}
	var grown uint64
	before := heap()
	c := &crowd{orders: *orderCount, atTheEnd: func() { grown = heap() - before }} // with what is on its way to the fold
	began := time.Now()
	report := clean(t, c, verify.Options{})
	took := time.Since(began)
	if report.Orders["confirmed"] != int64(c.orders) {
		t.Fatalf("%d orders confirmed, want %d", report.Orders["confirmed"], c.orders)
	}
	perOrder := grown / uint64(c.orders)
	t.Logf("%d orders, %d events: %d bytes per order, %s in all, of which most is making the journal", c.orders, report.Events, perOrder, took.Round(time.Millisecond))
	if perOrder > 600 {
		t.Errorf("%d bytes per order, want at most 600", perOrder)
	}
}

// BenchmarkRun is the rate over a journal that is at hand.
func BenchmarkRun(b *testing.B) {
	c := &crowd{orders: *orderCount, atTheEnd: func() {}}
	var tape tape
	if err := c.Scan(b.Context(), func(e storage.Entry) error { tape.entries = append(tape.entries, e); return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var events int64
	for b.Loop() {
		events += clean(b, tape, verify.Options{}).Events
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
