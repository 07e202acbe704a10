package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// TestAShopArchivesWhatBecameOld also while it was closed: nobody has to keep a shop open for a minute, or to call a command.
func TestAShopArchivesWhatBecameOld(t *testing.T) {
	s := open(t, func(c *Config) { c.JournalArchiveAfter = 0 })
	c := s.client(t)
	product := c.stock(1000, 1000)
	var orders []string
	for range 40 { // two blocks and more
		orders = append(orders, c.place("pm_card_visa", line(product, 1)))
	}
	for _, id := range orders {
		c.settled(id)
	}
	timeline := c.get("/orders/" + orders[0] + "/events").String()
	s.close()
	require.Zero(t, archivedBlocks(t, s.config.DataDir), "nothing is archived by a shop that was told so")

	s.config.JournalArchiveAfter = time.Nanosecond
	s.open()
	eventually(t, func() string {
		if archivedBlocks(t, s.config.DataDir) < 2 {
			return "the first orders are not in the archive"
		}
		return ""
	})
	assert.Equal(t, timeline, c.get("/orders/"+orders[0]+"/events").String())
	assert.Equal(t, "confirmed", c.settled(c.place("pm_card_visa", line(product, 1))).order.Status)
}

// archivedBlocks counts what is in archive.db, with the eyes of a stranger.
func archivedBlocks(t *testing.T, dir string) (blocks int64) {
	t.Helper()
	path := filepath.Join(dir, "archive.db")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return 0
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadOnly)
	require.NoError(t, err)
	defer conn.Close() //nolint:errcheck // only read
	conn.SetBusyTimeout(patience)
	require.NoError(t, sqlitex.ExecuteTransient(conn, `SELECT count(*) FROM blocks`, &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error { blocks = stmt.ColumnInt64(0); return nil }}))
	return blocks
}
