package actors_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/messages"
)

// doubtful is a member that may have been replaced by now.
type doubtful struct{ actors.Alone }

func (doubtful) Fresh() bool { return false }

// TestWhatMayBeOutOfDateIsNotTold: without a fresh lease neither a read nor a refusal is answered from memory; what is
// written is, because another activation's write would have refused it.
func TestWhatMayBeOutOfDateIsNotTold(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 10)
	shop.Host.SetAsker(shop, doubtful{})
	ask := func(kind, identity string, command *messages.Command) (*messages.Reply, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		return shop.Ask(ctx, kind, identity, command)
	}
	for what, command := range map[string]*messages.Command{
		"read":    {Body: &messages.Command_GetProduct{GetProduct: &messages.GetProduct{}}},
		"refusal": adjust("too-much", "f", -11),
	} {
		_, err := ask(actors.KindProduct, "lamp", command)
		assert.Error(t, err, what)
	}
	_, err := ask(actors.KindOrder, "unknown", &messages.Command{Body: &messages.Command_GetOrder{GetOrder: &messages.GetOrder{Id: "0123456789abcdef01234567"}}})
	assert.Error(t, err, "that there is none")

	reply, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count", "f", -3))
	require.NoError(t, err)
	assert.Nil(t, reply.GetRefusal())

	shop.Host.SetAsker(shop, actors.Alone{})
	assert.EqualValues(t, 7, shop.Product(t, "lamp").StockQuantity)
	reply, err = ask(actors.KindProduct, "lamp", adjust("too-much", "f", -11))
	require.NoError(t, err)
	assert.NotNil(t, reply.GetRefusal())
}
