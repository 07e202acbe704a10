package actors_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage/faulty"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

func hold() *messages.Command {
	return &messages.Command{Body: &messages.Command_HoldStock{HoldStock: &messages.HoldStock{OrderId: actorstest.NewOrderID(), Quantity: 1,
		ExpiresAt: time.Now().Add(time.Hour).UnixMilli()}}}
}

// TestTenThousandBuyersOfOneProduct wait while the store stands still. What waits is bounded: beyond it the answer is
// "busy" at once. Reads say what is durable, without waiting. When the store goes on, everybody who waited gets the stock.
func TestTenThousandBuyersOfOneProduct(t *testing.T) {
	store := faulty.New(memory.New())
	shop := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 1_000_000)
	actorstest.Eventually(t, func() string {
		if v := shop.Product(t, "lamp").Version; v < 2 {
			return fmt.Sprint("claims not settled, version ", v)
		}
		return ""
	})
	before := shop.Product(t, "lamp")
	store.Set(faulty.Every(faulty.Append, faulty.Stall))

	const buyers = 10_000
	var held, busy atomic.Int64
	var all sync.WaitGroup
	for range buyers {
		all.Go(func() {
			reply, err := shop.Ask(context.Background(), actors.KindProduct, "lamp", hold())
			switch {
			case !assert.NoError(t, err):
			case reply.GetRefusal() == nil:
				held.Add(1)
			case assert.Equal(t, "busy", reply.GetRefusal().GetCode()) && assert.EqualValues(t, domain.KindUnavailable, reply.GetRefusal().GetKind()):
				busy.Add(1)
			}
		})
	}
	actorstest.Eventually(t, func() string {
		if n := shop.Host.Stats.Commands.Load(); n < buyers {
			return fmt.Sprint(n, " buyers have asked")
		}
		return ""
	})
	assert.Zero(t, held.Load(), "nobody is answered before the store has answered")
	assert.NotZero(t, busy.Load(), "what waits is bounded")
	assert.Equal(t, before, shop.Product(t, "lamp"), "a read says what is durable, and does not wait")
	reply, ok := shop.Host.Answer(actors.KindProduct, "lamp", &messages.Command{Body: &messages.Command_GetProduct{GetProduct: &messages.GetProduct{}}})
	require.True(t, ok, "a read needs no mailbox")
	var d product.Document
	require.NoError(t, json.Unmarshal(reply.GetDocument(), &d))
	assert.Equal(t, before, d)

	store.Set(nil)
	store.Release()
	all.Wait()
	assert.EqualValues(t, buyers, held.Load()+busy.Load())
	assert.Equal(t, held.Load(), shop.Product(t, "lamp").ReservedQuantity, "everybody who waited got one, and nobody else")
}
