package memory_test

import (
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func TestLeases(t *testing.T) {
	storagetest.RunLeases(t, func(*testing.T) storage.Leases {
		now := time.Date(2025, time.March, 14, 9, 26, 53, 589_000_000, time.Local)
		return memory.NewLeases(func() time.Time { // called under the membership's lock
			now = now.Add(300 * time.Microsecond)
			return now
		})
	})
}
