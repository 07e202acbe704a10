package actors_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

const lamp = storage.Stream("product/lamp")

// sell has so many lamps bought, one after the other, and returns the orders.
func sell(t *testing.T, shop *actorstest.Shop, n int) (ids []string) {
	t.Helper()
	for range n {
		id := actorstest.NewOrderID()
		_, err := shop.Place(t.Context(), id, "pm_card_visa", "lamp")
		require.NoError(t, err)
		require.Equal(t, order.StatusConfirmed, shop.Ended(t, id).Status)
		ids = append(ids, id)
	}
	return ids
}

// projected waits until the product's projection is as new as the product, and returns it.
func projected(t *testing.T, shop *actorstest.Shop, store storage.Store) (p storage.Projection) {
	t.Helper()
	version := shop.Product(t, "lamp").Version
	actorstest.Eventually(t, func() string {
		var err error
		if p, err = store.Snapshot(t.Context(), lamp); err != nil || p.Version < version {
			return fmt.Sprintf("version %d projected, want %d, %v", p.Version, version, err)
		}
		return ""
	})
	return p
}

// TestAProductIsWokenForHoldsOnly: what it has sold it only remembers. A shop that was busy would wake all that it sold,
// and those all their buyers' orders.
func TestAProductIsWokenForHoldsOnly(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	shop := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 10)
	sell(t, shop, 1)
	require.Zero(t, projected(t, shop, store).Due)

	open := actorstest.NewOrderID()
	_, err = shop.Place(t.Context(), open, "", "lamp")
	require.NoError(t, err)
	actorstest.Eventually(t, func() string {
		if d := shop.Product(t, "lamp"); d.ReservedQuantity != 1 {
			return fmt.Sprintf("reserved %d", d.ReservedQuantity)
		}
		return ""
	})
	held := projected(t, shop, store).Due
	require.WithinRange(t, held, time.Now().Add(actorstest.Policy.ReservationTTL), time.Now().Add(actorstest.Policy.ReservationTTL+time.Minute))
}

// TestSoldOrdersAreForgottenWithoutWakingThem: a product that had gone before it could forget its orders does so when it
// is needed again.
func TestSoldOrdersAreForgottenWithoutWakingThem(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	var ahead atomic.Int64
	config := actors.Config{Store: store, Gateway: actorstest.Sandbox(t), Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	shop := actorstest.Open(t, config)
	shop.Stock(t, "lamp", 100)
	const few, more = 15, 5
	sold := sell(t, shop, few)
	projected(t, shop, store)
	shop.Stop()

	ahead.Add(int64(3 * time.Minute))
	shop = actorstest.Open(t, config)
	version := shop.Product(t, "lamp").Version
	sell(t, shop, more)
	require.Equal(t, version+2*more, shop.Product(t, "lamp").Version, "so few are not worth it")
	projected(t, shop, store)
	shop.Stop()

	ahead.Add(int64(3 * time.Minute))
	shop = actorstest.Open(t, config)
	shop.Product(t, "lamp")
	written(t, store, lamp, "product.forgotten")
	require.EqualValues(t, 1, shop.Host.Stats.Activations.Load(), "only the product's")
	require.EqualValues(t, 80, shop.Product(t, "lamp").StockQuantity)

	// A sale that was forgotten can still be undone.
	undone := sold[0]
	reply, err := shop.Ask(t.Context(), actors.KindOrder, domain.OrderIdentity(undone), &messages.Command{Id: "cancel", Body: &messages.Command_CancelOrder{
		CancelOrder: &messages.CancelOrder{Id: undone, Reason: "changed my mind"}}})
	require.NoError(t, err)
	require.Nil(t, reply.GetRefusal())
	require.Equal(t, order.StatusCancelled, shop.Ended(t, undone).Status)
	require.EqualValues(t, 81, shop.Product(t, "lamp").StockQuantity)
}
