//go:build unix

package sqlite_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// ordersWindow is what comes together between two flushes of the read models at 4,000 orders a second.
const ordersWindow = 800

// saveWindow stores the read models of so many new orders and their payments in calls as large as the projector's, in the
// order of time or in that of the streams, which is none.
func (l *shopLoad) saveWindow(b *testing.B, byTime bool) {
	b.Helper()
	orders := make([]shopOrder, ordersWindow)
	for i := range orders {
		orders[i] = l.order()
		// Four in a millisecond; order and payment are made a little apart.
		orders[i].created = time.UnixMilli(1741944413589 + int64(l.ordered/4)).UTC()
		orders[i].customer = fmt.Sprint("customer-", l.random.IntN(100_000))
		l.ordered++
	}
	if !byTime {
		slices.SortFunc(orders, func(a, b shopOrder) int { return cmp.Compare(a.tail, b.tail) })
	}
	var projections []storage.Projection
	for _, o := range orders {
		projection := o.projection(6, "confirmed", "confirmed")
		projection.Documents[1].Created = o.created.Add(time.Duration(1+l.random.IntN(3)) * time.Millisecond)
		payment := o.paymentProjection()
		payment.Documents[0].Created = o.created.Add(time.Duration(3+l.random.IntN(20)) * time.Millisecond)
		projections = append(projections, projection, payment)
	}
	for chunk := range slices.Chunk(projections, 128) {
		if err := l.store.Save(b.Context(), chunk, "", 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSaveOrders: one operation is the read models of one order and its payment, among 30,000 others.
func BenchmarkSaveOrders(b *testing.B) {
	for _, c := range []struct {
		name   string
		byTime bool
	}{{"by stream", false}, {"by time", true}} {
		b.Run(c.name, func(b *testing.B) {
			s := open(b, b.TempDir())
			defer closeStore(b, s)
			load := newShopLoad(b, s, 1)
			for load.ordered < 30_000 {
				load.saveWindow(b, c.byTime)
			}
			defer reportWritten(b)()
			defer reportCPU(b)()
			for n := 0; n < b.N; n += ordersWindow {
				load.saveWindow(b, c.byTime)
			}
		})
	}
}

// BenchmarkListOrders: one operation is a page of 50 orders, anywhere among 100,000, or as far down as numbers of pages go.
func BenchmarkListOrders(b *testing.B) {
	s := open(b, b.TempDir())
	defer closeStore(b, s)
	load := newShopLoad(b, s, 1)
	for load.ordered < 100_000 {
		load.saveWindow(b, true)
	}
	for _, c := range []struct {
		name   string
		filter storage.Filter
		skip   int
	}{{"all", storage.Filter{}, 0}, {"status", storage.Filter{Status: "confirmed"}, 0}, {"customer", storage.Filter{Customer: "any"}, 0},
		{"all/page=200", storage.Filter{}, 9_950}, {"status/page=200", storage.Filter{Status: "confirmed"}, 9_950}} {
		b.Run(c.name, func(b *testing.B) {
			random := rand.New(rand.NewPCG(1, 2))
			defer reportCPU(b)()
			for range b.N {
				f, after := c.filter, storage.Position{Created: time.UnixMilli(1741944413589 + random.Int64N(25_000)), ID: "f"}
				f.Collection = storage.Orders
				if f.Customer != "" {
					f.Customer = fmt.Sprint("customer-", random.IntN(100_000))
				}
				if f.Customer != "" || c.skip > 0 {
					after = storage.Position{}
				}
				if _, err := s.List(b.Context(), f, after, c.skip, 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
