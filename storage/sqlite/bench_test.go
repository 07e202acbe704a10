//go:build unix

package sqlite_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

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

// reportWritten adds the bytes that the process handed to the system, where the system counts them.
func reportWritten(b *testing.B) func() {
	b.Helper()
	written := func() (n float64) {
		text, err := os.ReadFile("/proc/self/io")
		if err == nil {
			_, err = fmt.Sscanf(string(text), "rchar: %f\nwchar: %f", new(float64), &n)
		}
		if err != nil {
			b.Logf("bytes written are not known: %v", err)
		}
		return n
	}
	start := written()
	return func() { b.ReportMetric((written()-start)/float64(b.N), "written-B/op") }
}

// BenchmarkOrder: one operation is all that one order of one line costs a store, from its first command to the read
// models of its end; orders go in groups of 16.
func BenchmarkOrder(b *testing.B) {
	s := open(b, b.TempDir())
	defer s.Close()
	load := newShopLoad(b, s, 1000)
	const group = 16
	defer reportWritten(b)()
	defer reportCPU(b)()
	for n := 0; n < b.N; n += group {
		load.trade(b, group)
	}
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
