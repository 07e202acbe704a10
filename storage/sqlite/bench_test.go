//go:build unix

package sqlite_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
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

// reportCPU adds the processor time of the whole process, the share of the other columns that does not wait for the disk.
func reportCPU(b *testing.B) func() {
	b.Helper()
	used := func() time.Duration {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := used()
	return func() { b.ReportMetric(float64(used()-start)/float64(b.N), "cpu-ns/op") }
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

// BenchmarkAppend: one operation is one entry of one event; a commit with its fsync holds a whole batch.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := open(b, b.TempDir())
			defer s.Close()
			entries := newBenchEntries(size)
			defer reportCPU(b)()
			for n := 0; n < b.N; n += size {
				for _, err := range s.Append(b.Context(), entries.next()) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

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

// BenchmarkSave: one operation is one order's projection, 300 per call: new, then with another status.
func BenchmarkSave(b *testing.B) {
	const size = 300
	for _, status := range []string{"new", "changed"} {
		b.Run(status, func(b *testing.B) {
			s := open(b, b.TempDir())
			defer s.Close()
			save := func(from int, version uint64, status string) {
				if err := s.Save(b.Context(), benchProjections(from, size, version, status), "", 0); err != nil {
					b.Fatal(err)
				}
			}
			if status == "changed" {
				for n := 0; n < b.N; n += size {
					save(n, 1, "pending")
				}
			}
			defer reportCPU(b)()
			for n := 0; n < b.N; n += size {
				save(n, 2, "confirmed")
			}
		})
	}
}

// BenchmarkRead: one operation reads a stream of 6 entries among many.
func BenchmarkRead(b *testing.B) {
	s := open(b, b.TempDir())
	defer s.Close()
	entries := newBenchEntries(256)
	var streams []storage.Stream
	for range 240 {
		for i, err := range s.Append(b.Context(), entries.next()) {
			if err != nil {
				b.Fatal(err)
			}
			if entries.life%6 == 0 {
				streams = append(streams, entries.batch[i].Stream)
			}
		}
	}
	defer reportCPU(b)()
	for n := range b.N {
		got, err := s.Read(b.Context(), streams[n%len(streams)], 0, 0)
		if err != nil || len(got) != 6 {
			b.Fatalf("got %d entries, %v", len(got), err)
		}
	}
}
