package actors_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// TestARefusedCommandIsNotExecutedByALateRepeat: one try of a command is under way for seconds, another one is refused, and
// then it could be carried out. The client has been told that it was not.
func TestARefusedCommandIsNotExecutedByALateRepeat(t *testing.T) {
	var ahead atomic.Int64
	shop := actorstest.Open(t, actors.Config{Store: memory.New(), Gateway: actorstest.Sandbox(t),
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	shop.Stock(t, "lamp", 2)
	ask := func(command *messages.Command) *messages.Reply {
		reply, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", command)
		require.NoError(t, err)
		return reply
	}
	first := ask(adjust("count-1", "f", -5))
	require.NotNil(t, first.GetRefusal(), "there are only 2")
	require.Nil(t, ask(adjust("count-2", "f", 10)).GetRefusal())

	late := ask(adjust("count-1", "f", -5))
	assert.Equal(t, first.GetRefusal().GetDetail(), late.GetRefusal().GetDetail(), "the same answer")
	assert.EqualValues(t, 12, shop.Product(t, "lamp").StockQuantity)

	assert.Nil(t, ask(adjust("count-1", "g", -4)).GetRefusal(), "another command under a name of which nothing came")
	assert.EqualValues(t, 8, shop.Product(t, "lamp").StockQuantity)

	require.NotNil(t, ask(adjust("count-3", "f", -9)).GetRefusal())
	ahead.Store(int64(time.Minute))
	require.Nil(t, ask(adjust("count-4", "f", 9)).GetRefusal())
	assert.Nil(t, ask(adjust("count-3", "f", -9)).GetRefusal(), "nothing is under way for that long: it is a new try")
	assert.EqualValues(t, 8, shop.Product(t, "lamp").StockQuantity)
}
