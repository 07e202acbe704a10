package actors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// TestALargeCatalogueDoesNotStayInMemory: products linger because they may be wanted again soon, but not all of a
// hundred thousand that an import has touched.
func TestALargeCatalogueDoesNotStayInMemory(t *testing.T) {
	const crowd = 20
	shop := actorstest.Open(t, actors.Config{Store: memory.New(), Gateway: actorstest.Sandbox(t), Crowd: crowd})
	stock := func(from, to int) {
		for i := from; i < to; i++ {
			shop.Stock(t, fmt.Sprint("lamp-", i), 10)
		}
	}
	live := func() int64 { return shop.Host.Stats.Live.Load() }
	stock(0, 2*crowd)
	require.Eventually(t, func() bool { return live() <= crowd }, 20*time.Second, 20*time.Millisecond, "idle ones go")
	assert.Positive(t, live(), "as long as there are too many")
	assert.EqualValues(t, 10, shop.Product(t, "lamp-0").StockQuantity, "and come back")
}
