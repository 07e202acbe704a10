package sqlite_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// benchEvent is about 300 bytes with everything around its data.
func benchEvent() storage.Event {
	return storage.Event{
		Type: "order.placed", Schema: 1, At: time.UnixMilli(1741944413589).UTC(),
		Command: "01hq3v7d9k2m4n6p8r0s", Cause: "POST /orders",
		Data: []byte(`{"orderId":"65f2c0de4b1c9d2e8f3a5b6c","total":25990,"pad":"` + strings.Repeat("x", 160) + `"}`),
	}
}

// benchEntries makes batches in which every stream grows by one event per batch; 6 entries make up a stream.
type benchEntries struct {
	events []storage.Event
	number uint64
	batch  []storage.Entry
	life   int
}

func newBenchEntries(batch int) *benchEntries {
	return &benchEntries{events: []storage.Event{benchEvent()}, batch: make([]storage.Entry, batch)}
}

func (b *benchEntries) next() []storage.Entry {
	for i := range b.batch {
		b.number++
		if b.life%6 == 0 {
			b.batch[i].Stream = storage.Stream(fmt.Sprintf("order/%016x", b.number*0x9e3779b97f4a7c15))
		}
		b.batch[i] = storage.Entry{
			Stream: b.batch[i].Stream, First: uint64(b.life%6 + 1), Events: b.events, Writer: "member-1", Number: b.number,
			Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		}
	}
	b.life++
	return b.batch
}

// benchProjections makes projections of orders, of the size that real ones have.
func benchProjections(from, count int, version uint64, status string) []storage.Projection {
	projections := make([]storage.Projection, count)
	for i := range projections {
		id := fmt.Sprintf("%024x", 0x65f2c0de0000+from+i)
		body := []byte(fmt.Sprintf(`{"_id":%q,"status":%q,"pad":%q}`, id, status, strings.Repeat("x", 900)))
		projections[i] = storage.Projection{
			Stream: storage.StreamOf("order", id[8:]), Version: version, Snapshot: body,
			Due: time.UnixMilli(int64(1741944413589 + i)).UTC(),
			Documents: []storage.Document{{
				Collection: storage.Orders, ID: id, Created: time.UnixMilli(int64(1741944413589 + from + i)).UTC(), Status: status,
				Customer: fmt.Sprint("customer-", (from+i)%1000), External: "ORD-" + id[8:], Body: body,
			}},
		}
	}
	return projections
}
