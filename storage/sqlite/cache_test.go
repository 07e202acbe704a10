package sqlite_test

import (
	"fmt"
	"os"
	"testing"
)

// TestPagesStayCached: while much is written, hardly a page is read again. With a page cache that was full, there were 15
// reads for each order.
func TestPagesStayCached(t *testing.T) {
	s := open(t, t.TempDir())
	load := newShopLoad(t, s, 100)
	const orders, batch, most = 4000, 20, 6
	trade := func() (reads int64) {
		before := systemReads(t)
		for range orders / batch {
			load.trade(t, batch)
		}
		return systemReads(t) - before
	}
	trade() // fills what is cached
	if reads := trade(); reads > most*orders {
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
