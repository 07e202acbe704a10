package mongo

import (
	"fmt"
	"os"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/mongo/mongotest"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

// server is shared by all tests of the package; each has databases of its own.
var server *mongotest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = mongotest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the server:", err)
		code = 1
	}
	os.Exit(code)
}

// open returns a store with the prefix; the test closes it.
func open(t *testing.T, uri, prefix string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URI: uri, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return open(t, server.URI(), server.Prefix(t)) })
}

func TestStoreIsDurable(t *testing.T) {
	prefixes := map[string]string{}
	storagetest.RunDurable(t, func(t *testing.T, dir string) storage.Store {
		if prefixes[dir] == "" {
			prefixes[dir] = server.Prefix(t)
		}
		return open(t, server.URI(), prefixes[dir])
	})
}
