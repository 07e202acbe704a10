package actors_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

func openShop(t *testing.T) *actorstest.Shop {
	return actorstest.Open(t, actors.Config{Store: memory.New(), Gateway: actorstest.Sandbox(t)})
}

func TestPaidOrderIsConfirmed(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 5)
	shop.Stock(t, "desk", 5)
	id := actorstest.NewOrderID()
	reply, err := shop.Place(t.Context(), id, "pm_card_visa", "lamp", "desk")
	require.NoError(t, err)
	require.Nil(t, reply.GetRefusal())
	d := shop.Ended(t, id)
	assert.Equal(t, order.StatusConfirmed, d.Status)
	assert.EqualValues(t, 4, shop.Product(t, "lamp").StockQuantity)
	assert.EqualValues(t, 0, shop.Product(t, "lamp").ReservedQuantity)
	p, ok := shop.Payment(t, id)
	require.True(t, ok)
	assert.EqualValues(t, d.Total, p.Amount)
	assert.EqualValues(t, "succeeded", p.Status)
}

func TestDeclinedOrderGivesEverythingBack(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 5)
	id := actorstest.NewOrderID()
	_, err := shop.Place(t.Context(), id, "pm_card_visa_chargeDeclined", "lamp")
	require.NoError(t, err)
	d := shop.Ended(t, id)
	assert.Equal(t, order.StatusCancelled, d.Status)
	assert.Contains(t, d.FailureReason, "declined")
	assert.EqualValues(t, 5, shop.Product(t, "lamp").AvailableQuantity)
}

func TestThreeHundredBuyersOfHundredUnits(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "hot", 100)
	ids := placeAll(t, shop, 300, func(int) []string { return []string{"hot"} })
	confirmed := countConfirmed(t, shop, ids)
	assert.Equal(t, 100, confirmed)
	p := shop.Product(t, "hot")
	assert.EqualValues(t, 0, p.StockQuantity)
	assert.EqualValues(t, 0, p.ReservedQuantity)
}

func TestCrossedOrdersNeverRefuseEachOtherInACircle(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "left", 30)
	shop.Stock(t, "right", 30)
	ids := placeAll(t, shop, 100, func(i int) []string {
		if i%2 == 0 {
			return []string{"left", "right"}
		}
		return []string{"right", "left"}
	})
	assert.Equal(t, 30, countConfirmed(t, shop, ids))
	for _, id := range []string{"left", "right"} {
		p := shop.Product(t, id)
		assert.EqualValues(t, 0, p.StockQuantity, id)
		assert.EqualValues(t, 0, p.ReservedQuantity, id)
	}
}

func placeAll(t *testing.T, shop *actorstest.Shop, n int, products func(int) []string) []string {
	t.Helper()
	ids := make([]string, n)
	errs := make([]error, n)
	var buyers sync.WaitGroup
	for i := range n {
		ids[i] = actorstest.NewOrderID()
		buyers.Go(func() {
			reply, err := shop.Place(context.Background(), ids[i], "pm_card_visa", products(i)...)
			if err == nil && reply.GetRefusal() != nil {
				err = fmt.Errorf("refused: %s", reply.GetRefusal())
			}
			errs[i] = err
		})
	}
	buyers.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return ids
}

func countConfirmed(t *testing.T, shop *actorstest.Shop, ids []string) (confirmed int) {
	t.Helper()
	for _, id := range ids {
		switch d := shop.Ended(t, id); d.Status {
		case order.StatusConfirmed:
			confirmed++
		default:
			assert.Equal(t, order.StatusCancelled, d.Status)
			assert.NotEmpty(t, d.FailureReason)
		}
	}
	return confirmed
}
