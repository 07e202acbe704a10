package mongo

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

func benchStore(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), Config{URI: server.URI(), Prefix: server.Prefix(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

// BenchmarkAppend counts entries, appended in batches of that size by parallel callers.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 32, 256} {
		b.Run(fmt.Sprint("batch ", batch), func(b *testing.B) {
			s := benchStore(b)
			var streams, numbers atomic.Uint64
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for more := true; more; {
					var entries []storage.Entry
					for len(entries) < batch {
						if more = pb.Next(); !more {
							break
						}
						stream := storage.StreamOf("order", fmt.Sprint(streams.Add(1)))
						entries = append(entries, entryAt(stream, 1, 1, "m1", numbers.Add(1)))
					}
					for _, err := range s.Append(b.Context(), entries) {
						if err != nil {
							b.Error(err)
						}
					}
				}
			})
		})
	}
}

// BenchmarkSave counts projections with one document each, in calls of 100, among 1,000 entities.
func BenchmarkSave(b *testing.B) {
	s := benchStore(b)
	version := uint64(0)
	for n := 0; n < b.N; {
		version++
		for from := 0; from < 1000 && n < b.N; from += 100 {
			var projections []storage.Projection
			for i := range min(100, b.N-n) {
				projections = append(projections, productAt(from+i, version, fmt.Sprint("sku-", from+i)))
			}
			if err := s.Save(b.Context(), projections, "", 0); err != nil {
				b.Fatal(err)
			}
			n += len(projections)
		}
	}
}
