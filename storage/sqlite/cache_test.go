package sqlite_test

import (
	"fmt"
	"os"
	"testing"
)

// TestPagesStayCached: while much is written, hardly a page is read again. With a page cache that was full, there were 12
// reads for each order.
func TestPagesStayCached(t *testing.T) {
	s := open(t, t.TempDir())
	load := newShopLoad(t, s, 100)
	trade := func(orders int) (reads int64) {
		const batch = 20
		before := systemReads(t)
		for range orders / batch {
			load.trade(t, batch)
		}
		return systemReads(t) - before
	}
	trade(5000) // fills what is cached
	const orders, most = 500, 6
	if reads := trade(orders); reads > most*orders {
		t.Errorf("%d reads for %d orders, want at most %d for each", reads, orders, most)
	}
}

// systemReads is how often this process has read anything.
func systemReads(t *testing.T) (reads int64) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("this system does not count reads:", err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d\nwchar: %d\nsyscr: %d", new(int64), new(int64), &reads); err != nil {
		t.Fatal(err)
	}
	return reads
}
