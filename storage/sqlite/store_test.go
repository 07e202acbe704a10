package sqlite_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func open(t testing.TB, dir string, options ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, t.TempDir()) })
}

func TestStoreIsDurable(t *testing.T) {
	storagetest.RunDurable(t, func(t *testing.T, dir string) storage.Store { return open(t, dir) })
}
