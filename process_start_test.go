package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/seed"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

func TestVersion(t *testing.T) {
	require.Equal(t, "queuecommerce dev\n", newShop(t).succeed("version"))
}

func TestConfigurationFaultsAreNamed(t *testing.T) {
	code, _, stderr := newShop(t, "TAX_RATE=ten", "CURRENCY=Dollars").run("serve")
	require.NotZero(t, code)
	require.Contains(t, stderr, "TAX_RATE")
	require.Contains(t, stderr, "CURRENCY")
}

// TestCertificatesAreMadeAsTheGuideSays runs what it says, and starts with what comes of it.
func TestCertificatesAreMadeAsTheGuideSays(t *testing.T) {
	dir := t.TempDir()
	blocks := shellBlocks(t, "docs/operations.md")
	require.Len(t, blocks, 1)
	guide := exec.Command("sh", "-ec", blocks[0])
	guide.Dir = dir
	output, err := guide.CombinedOutput()
	require.NoError(t, err, "%s", output)
	for host, want := range map[string]int{"member-1": 0, "member-2": 1} {
		code, _, stderr := newShop(t, "CLUSTER_ADDR=127.0.0.1:0", "CLUSTER_ADVERTISE="+host+":4000", "CLUSTER_TLS_CA="+dir+"/ca.pem",
			"CLUSTER_TLS_CERT="+dir+"/member-1.pem", "CLUSTER_TLS_KEY="+dir+"/member-1.key").run("version")
		require.Equal(t, want, code, "%s: %s", host, stderr)
	}
}

func TestSecondProcessOnTheSameDataIsRefused(t *testing.T) {
	s := newShop(t)
	s.start()
	second := newShop(t, "DATA_DIR="+s.dir)
	for _, command := range []string{"serve", "seed", "verify", "replay", "archive"} {
		code, stdout, stderr := second.run(command)
		require.NotZero(t, code, "%s: %s", command, stdout)
		require.Contains(t, stderr, "data directory is in use by another process: "+s.dir, command)
	}
	_, err := get[[]orderDocument](t.Context(), newClient(s.url()), "/orders")
	require.NoError(t, err, "the first one goes on")
	s.stop()
	code, _, stderr := second.run("verify")
	require.Zero(t, code, "the data is free again: %s", stderr)
}

// catalogued reads the products that the read models hold: their ids, names and stock, but not their versions, which also
// rise when a product settles its claims after it was answered. Nothing may have the store open.
func (s *shop) catalogued(t testing.TB) []string {
	t.Helper()
	store, err := sqlite.Open(t.Context(), s.dir)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	documents, err := store.List(t.Context(), storage.Filter{Collection: storage.Products}, storage.Position{}, 0, 1000)
	require.NoError(t, err)
	products := make([]string, len(documents))
	for i, d := range documents {
		product, err := decode[productDocument](reply{body: d.Body})
		require.NoError(t, err)
		products[i] = fmt.Sprintf("%s %+v", d.ID, product)
	}
	return products
}

func TestSeedTwiceAddsNothing(t *testing.T) {
	s := newShop(t)
	s.succeed("seed")
	first := s.catalogued(t)
	require.Len(t, first, len(seed.Products()))
	s.succeed("seed")
	require.Equal(t, first, s.catalogued(t))
	require.Empty(t, s.succeed("seed", "--if-empty"), "nothing is said where nothing is done")
	require.Equal(t, first, s.catalogued(t))
	s.wantVerified()
}

func TestSeedIfEmpty(t *testing.T) {
	s := newShop(t)
	s.succeed("seed", "--if-empty")
	require.Len(t, s.catalogued(t), len(seed.Products()), "an empty store is filled")

	other := newShop(t)
	other.start()
	openMarket(t, other.url())
	other.stop()
	before := other.catalogued(t)
	other.succeed("seed", "--if-empty")
	require.Equal(t, before, other.catalogued(t), "a shop that has products is left as it is")
}

// TestTerminateUnderLoad ends the shop with SIGTERM while buyers order. A request that the shop was working on is
// answered, the exit code is 0, and everything answered is there afterwards.
func TestTerminateUnderLoad(t *testing.T) {
	s := newShop(t)
	s.start()
	m := openMarket(t, s.url())
	type outcome struct {
		reply
		err error
	}
	const waiters = 8
	ctx := context.Background()
	waiting := make(chan outcome, waiters)
	for i := range waiters {
		go func() {
			r, err := m.client.do(ctx, http.MethodPost, "/orders", "", orderBody("waiter", "invoice", line(crate(i%5), 1)), "Prefer", "wait=3")
			waiting <- outcome{r, err}
		}()
	}
	// An order that can be read has been placed, and its request still waits for it to leave "pending".
	bridgetest.Eventually(t, startPatience, func() bool {
		all, err := get[[]orderDocument](ctx, m.client, "/orders?customerId=waiter")
		return err == nil && len(all) == waiters
	}, func() string { return "the waiting orders are not there" })
	var mu sync.Mutex
	answered := map[string]string{} // key -> _id
	broken := map[string]string{}   // key -> body
	var buyers sync.WaitGroup
	for n := range 8 {
		buyers.Go(func() {
			c := newClient(s.url())
			for i := 0; ; i++ {
				key := strings.Repeat("k", n+1) + "-" + time.Duration(i).String()
				body := orderBody("buyer", "pm_card_visa", line(crate(n%5), 1))
				r, err := c.do(ctx, http.MethodPost, "/orders", key, body, "Connection", "close")
				mu.Lock()
				if err != nil {
					if !errors.Is(err, syscall.ECONNREFUSED) {
						broken[key] = body // established by the system, and not accepted before the listener closed
					}
					mu.Unlock()
					return
				}
				o, failure := decode[orderDocument](r)
				if assert.NoError(t, failure) && assert.Equal(t, http.StatusCreated, r.status, "%s", r) {
					answered[key] = o.ID
				}
				mu.Unlock()
			}
		})
	}
	bridgetest.Eventually(t, startPatience, func() bool { mu.Lock(); defer mu.Unlock(); return len(answered) >= 50 },
		func() string { return "no load" })
	s.terminate()
	for range waiters {
		o := <-waiting
		require.NoError(t, o.err, "a request that was in flight")
		require.Equal(t, http.StatusCreated, o.status, "%s", o.reply)
	}
	buyers.Wait()
	require.Zero(t, s.wait(), "exit code")
	s.wantCleanLog()
	s.start()
	for _, id := range answered {
		_, err := m.client.order(ctx, id)
		require.NoError(t, err)
	}
	t.Logf("%d answered, %d broken off", len(answered), len(broken))
	for key, body := range broken {
		_, err := m.client.expect(ctx, http.StatusCreated, http.MethodPost, "/orders", key, body)
		require.NoError(t, err)
	}
	bridgetest.Eventually(t, startPatience, func() bool {
		pages, err := m.client.pages(ctx, "/orders?customerId=buyer&limit=100")
		require.NoError(t, err)
		return strings.Count(strings.Join(pages, ""), `"orderNumber"`) == len(answered)+len(broken)
	}, func() string { return "one order for each request is not what there is" })
}
