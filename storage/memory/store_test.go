package memory_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func TestStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return memory.New() })
}

func TestStoreIsTheDisk(t *testing.T) {
	disks := map[string]*memory.Store{}
	storagetest.RunDurable(t, func(_ *testing.T, dir string) storage.Store {
		if disks[dir] == nil {
			disks[dir] = memory.New()
		}
		return disks[dir]
	})
}
