package main_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// everyList is every list that the front end answers from read models, in the pages that it gives.
func (m *market) everyList(t testing.TB) map[string][]string {
	t.Helper()
	lists := map[string][]string{}
	for _, path := range []string{"/orders?limit=100", "/orders?status=cancelled&limit=7", "/products?limit=2", "/products?inStock=true&category=crates",
		"/products/search?q=crate-3", "/payments?limit=100", "/payments?status=succeeded&limit=13", "/inventory/reservations?limit=100"} {
		pages, err := m.client.pages(t.Context(), path)
		require.NoError(t, err)
		require.Greater(t, len(pages[0]), len("[]"), "%s is empty", path)
		lists[path] = pages
	}
	return lists
}

// busyShop is a shop after load and crashes, started once more; nobody writes any longer.
func busyShop(t *testing.T, seed uint64) (*shop, *market) {
	t.Helper()
	s := newShop(t)
	s.start()
	m := openMarket(t, s.url())
	stop := m.load(8, seed)
	s.crash(2, rand.New(rand.NewPCG(seed, seed)))
	stop()
	m.settle()
	s.stop()
	s.start()
	return s, m
}

// TestReplayMakesTheSameViews compares every list before and after the read models were made again from the journal, by
// the command and, when their file is gone, by the next start.
func TestReplayMakesTheSameViews(t *testing.T) {
	s, m := busyShop(t, 3)
	before := m.everyList(t)
	for name, remake := range map[string]func(){
		"replay": func() { s.succeed("replay") },
		"replay without read.db": func() {
			s.deleteViews()
			s.succeed("replay")
		},
		"start without read.db": s.deleteViews,
	} {
		s.kill()
		remake()
		s.start()
		after := m.everyList(t)
		for path, pages := range before {
			require.Equal(t, pages, after[path], "%s: %s", name, path)
		}
	}
	s.stop()
	s.wantCleanLog()
}

func (s *shop) deleteViews() {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "read.db*"))
	require.NoError(s.t, err)
	require.NotEmpty(s.t, files)
	for _, file := range files {
		require.NoError(s.t, os.Remove(file))
	}
}
