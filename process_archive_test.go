package main_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

// histories are what the shop tells from its journal: the timeline of every order, and the ledger of every product.
func (m *market) histories(t testing.TB) map[string][]string {
	t.Helper()
	var mu sync.Mutex
	told := map[string][]string{}
	read := func(ctx context.Context, path string) error {
		pages, err := m.client.pages(ctx, path)
		mu.Lock()
		defer mu.Unlock()
		told[path] = pages
		return err
	}
	m.each(func(ctx context.Context, p *purchase) error { return read(ctx, "/orders/"+p.id+"/events") })
	for product := range m.stock {
		require.NoError(t, read(t.Context(), "/products/"+product+"/stock-movements?limit=50"))
	}
	return told
}

// sell lets buyers buy until there are so many orders more, and each has come to its end.
func (m *market) sell(orders int, seed uint64) {
	m.t.Helper()
	count := func() int {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.purchases)
	}
	goal := count() + orders
	stop := m.load(8, seed)
	bridgetest.Eventually(m.t, startPatience, func() bool { return count() >= goal }, func() string { return "nobody buys" })
	stop()
	m.settle()
}

var archivedEntries = regexp.MustCompile(`^archived (\d+) entries: (\d+) bytes of journal.db are free for new ones, (\d+) were added to archive.db\n$`)

// archive runs the command, and returns how many entries it moved.
func (s *shop) archive(args ...string) int {
	s.t.Helper()
	said := archivedEntries.FindStringSubmatch(s.succeed(append([]string{"archive"}, args...)...))
	require.NotNil(s.t, said)
	entries, err := strconv.Atoi(said[1])
	require.NoError(s.t, err)
	return entries
}

// TestArchivedShopIsTheSameShop archives all that a shop has been through. Lists, timelines, ledgers and repeated requests
// are answered as before, also after the read models were made again; it is verified, and goes on.
func TestArchivedShopIsTheSameShop(t *testing.T) {
	const seed = 4
	s, m := busyShop(t, seed)
	lists, histories := m.everyList(t), m.histories(t)
	s.stop()
	before := s.succeed("verify")
	require.Zero(t, s.archive(), "all of it is younger than a week")
	moved := s.archive("--after", "0s")
	require.Greater(t, moved, 500)
	require.Zero(t, s.archive("--after", "0s"), "it has been moved")
	require.Equal(t, before, s.succeed("verify"))
	for name, remake := range map[string]func(){
		"archived":              func() {},
		"replay":                func() { s.succeed("replay") },
		"start without read.db": s.deleteViews,
	} {
		remake()
		s.start()
		for path, pages := range m.everyList(t) {
			require.Equal(t, lists[path], pages, "%s: %s", name, path)
		}
		require.Equal(t, histories, m.histories(t), name)
		m.each(m.repeated)
		s.stop()
	}
	s.start()
	m.sell(50, seed+1)
	s.stop()
	require.Positive(t, s.archive("--after", "0s"), "what has happened since")
	s.wantVerified()
	s.wantCleanLog()
}

func TestVerifyProvesTheArchive(t *testing.T) {
	s := newShop(t)
	s.start()
	m := openMarket(t, s.url())
	m.sell(50, 5)
	s.stop()
	require.Positive(t, s.archive("--after", "0s"))
	s.wantVerified()
	path := filepath.Join(s.dir, "archive.db")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, change := range map[string]struct{ text, said string }{
		"a block is altered": {`UPDATE blocks SET body = CAST(substr(body, 1, 100) || x'00' || substr(body, 102) AS BLOB) WHERE first = 1`, "numbers 1 to 128 in archive.db: checksum"},
		"a block is missing": {`DELETE FROM blocks WHERE first = 1`, "numbers 1 to 128 in archive.db: block is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
			require.NoError(t, err)
			require.NoError(t, sqlitex.ExecuteTransient(conn, change.text, nil))
			require.NoError(t, conn.Close())
			code, stdout, stderr := s.run("verify")
			require.Equal(t, 1, code, "%s%s", stdout, stderr)
			require.Contains(t, stderr, "G7")
			require.Contains(t, stderr, change.said)
			require.NoError(t, os.WriteFile(path, whole, 0o600))
		})
	}
	require.NoError(t, os.Remove(path))
	for _, command := range []string{"serve", "verify", "replay", "archive"} {
		code, stdout, stderr := s.run(command)
		require.NotZero(t, code, "%s: %s", command, stdout)
		require.Contains(t, stderr, "archive.db: file is missing", command)
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	s.wantVerified()
}

func TestArchiveSaysWhyItDoesNot(t *testing.T) {
	for env, said := range map[string]string{
		"JOURNAL_ARCHIVE_AFTER=0":                  "--after",
		"MONGODB_URI=mongodb://127.0.0.1:1/unused": "MongoDB",
	} {
		code, stdout, stderr := newShop(t, env).run("archive")
		require.Equal(t, 1, code, stdout)
		require.Contains(t, stderr, said)
	}
	code, stdout, stderr := newShop(t).run("archive", "--after=-1h")
	require.Equal(t, 1, code, stdout)
	require.Contains(t, stderr, "--after")
	s := newShop(t)
	s.succeed("seed")
	s.deleteViews()
	code, stdout, stderr = s.run("archive", "--after", "0s")
	require.Equal(t, 1, code, stdout)
	require.True(t, strings.Contains(stderr, "replay"), stderr)
}
