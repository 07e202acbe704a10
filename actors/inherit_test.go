package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// stocked returns the stock that the read model shows; -1: it has no such product yet.
func stocked(t *testing.T, store storage.Projections, id string) int64 {
	t.Helper()
	d, err := store.Get(t.Context(), storage.Products, id)
	if errors.Is(err, storage.ErrNotFound) {
		return -1
	}
	require.NoError(t, err)
	var shown product.Document
	require.NoError(t, json.Unmarshal(d.Body, &shown))
	return shown.StockQuantity
}

// write appends an adjustment of one unit behind the product's last entry.
func write(t *testing.T, store storage.Journal, stream storage.Stream, writer string, number uint64) {
	t.Helper()
	entries, err := store.Read(t.Context(), stream, 0, 0)
	require.NoError(t, err)
	event := product.Adjusted{ID: actorstest.NewOrderID(), Delta: 1, Reason: "found one", At: domain.At(time.Now()), Balance: product.Balance{Stock: 11}}
	data, err := product.Codec.Encode(event)
	require.NoError(t, err)
	entry := storage.Entry{Stream: stream, First: entries[len(entries)-1].Last() + 1, Writer: writer, Number: number,
		Events: []storage.Event{{Type: event.EventType(), Schema: domain.CurrentSchema, At: time.Now().UTC().Truncate(time.Millisecond), Data: data}}}
	require.NoError(t, store.Append(context.Background(), []storage.Entry{entry})[0])
}

// TestWhatAFrozenMemberWritesOnWakingIsProjected: its last batch may become durable in parts, the higher numbers first.
func TestWhatAFrozenMemberWritesOnWakingIsProjected(t *testing.T) {
	store := memory.New()
	first := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t), Writer: "frozen"})
	ids := map[string]string{}
	for _, name := range []string{"lamp", "vase"} {
		first.Stock(t, name, 10)
		ids[name] = first.Product(t, name).ID
		actorstest.Eventually(t, func() string {
			if v := first.Product(t, name).Version; v < 2 {
				return fmt.Sprint("claims of ", name, " not settled, version ", v)
			}
			return ""
		})
	}
	first.Kill()
	actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t), Writer: "heir"})
	shows := func(name string, want int64) {
		t.Helper()
		actorstest.Eventually(t, func() string {
			if got := stocked(t, store, ids[name]); got != want {
				return fmt.Sprint("the read model of ", name, " shows a stock of ", got)
			}
			return ""
		})
	}
	write(t, store, storage.StreamOf(actors.KindProduct, "lamp"), "frozen", 1000)
	shows("lamp", 11)
	write(t, store, storage.StreamOf(actors.KindProduct, "vase"), "frozen", 990)
	shows("vase", 11)
}
