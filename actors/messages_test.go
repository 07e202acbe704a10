package actors_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// TestMessagesOfAnOrder: each message costs as much as a small write. An order is placed, holds its line, has its payment
// made, takes the stock and says that it can be forgotten; nobody is told what they were answered anyway.
func TestMessagesOfAnOrder(t *testing.T) {
	store := memory.New()
	shop := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 5)
	written(t, store, storage.StreamOf(actors.KindProduct, "lamp"), "product.claims_settled")
	id := actorstest.NewOrderID()
	before := shop.Host.Stats.Commands.Load()
	_, err := shop.Place(t.Context(), id, "pm_card_visa", "lamp")
	require.NoError(t, err)
	written(t, store, storage.StreamOf(actors.KindOrder, domain.OrderIdentity(id)), "order.confirmed")
	shop.Stop() // whatever is under way arrives
	require.EqualValues(t, 5, shop.Host.Stats.Commands.Load()-before)
}

// written waits until the last entry of a stream has such an event.
func written(t *testing.T, store storage.Store, stream storage.Stream, event string) {
	t.Helper()
	actorstest.Eventually(t, func() string {
		entries, err := store.ReadBack(t.Context(), stream, 0, 1)
		require.NoError(t, err)
		if len(entries) > 0 && slices.ContainsFunc(entries[0].Events, func(e storage.Event) bool { return e.Type == event }) {
			return ""
		}
		return fmt.Sprintf("%s ends without %s: %+v", stream, event, entries)
	})
}
