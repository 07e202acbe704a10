package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// shopLoad puts on a store what a shop puts on it for its orders: the same streams, number and size of entries, and
// documents, with names in the order of time. Orders go side by side, so that one append holds a step of each.
type shopLoad struct {
	store   *sqlite.Store
	random  *rand.Rand
	number  uint64
	now     time.Time
	stock   []uint64 // last sequence of each product's stream
	touched map[int]bool
	unsaved []storage.Projection
	saved   int
	ordered int
}

const shopWriter = "local"

func newShopLoad(t testing.TB, s *sqlite.Store, products int) *shopLoad {
	t.Helper()
	last, err := s.Enlist(t.Context(), shopWriter)
	if err != nil {
		t.Fatal(err)
	}
	return &shopLoad{store: s, random: rand.New(rand.NewPCG(1, last)), number: last, now: time.UnixMilli(1741944413589 + int64(last)).UTC(),
		stock: make([]uint64, products), touched: map[int]bool{}}
}

// shopOrder is one order on its way: the ids of its documents and what is random in them.
type shopOrder struct {
	id, reservation, payment, tail, customer, number, intent string
	product                                                  int
	created                                                  time.Time
}

func (l *shopLoad) hex(digits int) string {
	return fmt.Sprintf("%016x", l.random.Uint64())[:digits]
}

func (l *shopLoad) order() shopOrder {
	l.now = l.now.Add(time.Millisecond)
	second, tail := fmt.Sprintf("%08x", l.now.Unix()), fmt.Sprintf("%08x", uint32(l.now.UnixMilli()))+l.hex(8)
	return shopOrder{
		id: second + tail, reservation: second + l.hex(16), payment: second + l.hex(16), tail: tail, customer: "bench-" + l.hex(16),
		number: "ORD-" + strings.ToUpper(l.hex(13)), intent: "pi_080" + second + tail + l.hex(16) + l.hex(16),
		product: l.random.IntN(len(l.stock)), created: l.now,
	}
}

func (o shopOrder) stream() storage.Stream        { return storage.StreamOf("order", o.tail) }
func (o shopOrder) paymentStream() storage.Stream { return storage.StreamOf("payment", o.tail) }
func shopProduct(n int) storage.Stream {
	return storage.StreamOf("product", fmt.Sprintf("bench-%04d", n))
}
func (o shopOrder) event(name string, size int) storage.Event {
	return storage.Event{Type: name, Schema: 1, At: o.created, Command: o.tail + "-" + name, Cause: "order/" + o.id,
		Data: []byte(`{"orderId":"` + o.id + `","customerId":"` + o.customer + `","pad":"` + padding[:max(0, size-90)] + `"}`)}
}

func (l *shopLoad) entry(stream storage.Stream, first uint64, events ...storage.Event) storage.Entry {
	l.number++
	return storage.Entry{Stream: stream, First: first, Events: events, Writer: shopWriter, Number: l.number,
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
}

// step appends one entry for each order.
func (l *shopLoad) step(t testing.TB, orders []shopOrder, entryOf func(shopOrder) storage.Entry) {
	t.Helper()
	batch := make([]storage.Entry, len(orders))
	for i, o := range orders {
		batch[i] = entryOf(o)
	}
	put(t, l.store, batch...)
}

// stockStep appends what the orders do to their products, one entry for each product.
func (l *shopLoad) stockStep(t testing.TB, orders []shopOrder, name string, size int) {
	t.Helper()
	events := map[int][]storage.Event{}
	for _, o := range orders {
		events[o.product] = append(events[o.product], o.event(name, size))
	}
	batch := make([]storage.Entry, 0, len(events))
	for product, list := range events {
		batch = append(batch, l.entry(shopProduct(product), l.stock[product]+1, list...))
		l.stock[product] += uint64(len(list))
		l.touched[product] = true
	}
	put(t, l.store, batch...)
}

// wantNew reads a stream that has just been given its name, as an activation does.
func (l *shopLoad) wantNew(t testing.TB, stream storage.Stream) {
	t.Helper()
	if entries, err := l.store.Read(t.Context(), stream, 0, 0); err != nil || len(entries) != 0 {
		t.Fatalf("%s: got %d entries, %v, want a new stream", stream, len(entries), err)
	}
}

// trade takes so many orders from their first command to confirmation. Read models follow in calls of saveChunk, and
// every third order is caught by one while it is still pending.
func (l *shopLoad) trade(t testing.TB, count int) {
	t.Helper()
	orders := make([]shopOrder, count)
	for i := range orders {
		orders[i] = l.order()
		l.wantNew(t, orders[i].stream())
	}
	l.step(t, orders, func(o shopOrder) storage.Entry {
		return l.entry(o.stream(), 1, o.event("order.placed", 553), o.event("order.reservation_requested", 337))
	})
	l.stockStep(t, orders, "product.held", 153)
	l.step(t, orders, func(o shopOrder) storage.Entry {
		return l.entry(o.stream(), 3, o.event("order.reserved", 285), o.event("order.payment_requested", 290))
	})
	for i, o := range orders {
		if i%3 == 0 {
			l.unsaved = append(l.unsaved, o.projection(4, "pending", "pending"))
		}
		l.wantNew(t, o.paymentStream())
	}
	l.step(t, orders, func(o shopOrder) storage.Entry {
		return l.entry(o.paymentStream(), 1, o.event("payment.requested", 322))
	})
	l.step(t, orders, func(o shopOrder) storage.Entry {
		return l.entry(o.paymentStream(), 2, o.event("payment.intent_created", 382), o.event("payment.succeeded", 289))
	})
	l.stockStep(t, orders, "product.taken", 113)
	l.step(t, orders, func(o shopOrder) storage.Entry {
		return l.entry(o.stream(), 5, o.event("order.reservation_confirmed", 246), o.event("order.confirmed", 62))
	})
	for _, o := range orders {
		l.unsaved = append(l.unsaved, o.projection(6, "confirmed", "confirmed"), o.paymentProjection())
	}
	for len(l.unsaved) >= saveChunk {
		l.save(t, saveChunk)
	}
}

const saveChunk = 256

// padding stands for all that a document or an event holds and a store never looks at.
var padding = strings.Repeat("x", 1000)

// save stores read models, and with each call those of the products that have changed, in no particular order.
func (l *shopLoad) save(t testing.TB, count int) {
	t.Helper()
	batch := l.unsaved[:count]
	for product := range l.touched {
		batch = append(batch, l.productProjection(product))
		if len(batch) >= count+count/2 {
			break
		}
	}
	for _, p := range batch[count:] {
		var n int
		_, _ = fmt.Sscanf(p.Stream.Identity(), "bench-%d", &n)
		delete(l.touched, n)
	}
	l.random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	if err := l.store.Save(t.Context(), batch, shopWriter, l.number); err != nil {
		t.Fatal(err)
	}
	l.saved += len(batch)
	l.unsaved = append([]storage.Projection(nil), l.unsaved[count:]...)
}

func body(id, status string, size int) []byte {
	return []byte(`{"_id":"` + id + `","status":"` + status + `","pad":"` + padding[:size-70] + `"}`)
}

func (o shopOrder) projection(version uint64, status, reservation string) storage.Projection {
	p := storage.Projection{Stream: o.stream(), Version: version, Documents: []storage.Document{
		{Collection: storage.Orders, ID: o.id, Created: o.created, Status: status, Customer: o.customer, Order: o.id,
			External: o.number, Body: body(o.id, status, 720)},
		{Collection: storage.Reservations, ID: o.reservation, Created: o.created, Status: reservation, Customer: o.customer,
			Order: o.id, External: "RES-" + o.tail, Body: body(o.reservation, reservation, 399)},
	}}
	if status == "pending" {
		p.Due = o.created.Add(time.Minute)
	}
	return p
}

func (o shopOrder) paymentProjection() storage.Projection {
	return storage.Projection{Stream: o.paymentStream(), Version: 3, Documents: []storage.Document{{
		Collection: storage.Payments, ID: o.payment, Created: o.created, Status: "succeeded", Customer: o.customer, Order: o.id,
		External: o.intent, Body: body(o.payment, "succeeded", 633),
	}}}
}

func (l *shopLoad) productProjection(product int) storage.Projection {
	id := fmt.Sprintf("%024x", 0x65f2c0de0000+product)
	return storage.Projection{Stream: shopProduct(product), Version: l.stock[product], Due: l.now.Add(15 * time.Minute),
		Documents: []storage.Document{{
			Collection: storage.Products, ID: id, Created: time.UnixMilli(1741944413589).UTC(), Order: fmt.Sprintf("bench-%04d", product),
			External: fmt.Sprintf("SKU-bench-%04d", product), Category: "bench", Active: true, InStock: true,
			Title: fmt.Sprint("Bench product ", product), Text: "Made for measuring", Body: body(id, "", 432),
		}}}
}
