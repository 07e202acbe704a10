package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
)

// ended is a store's read models in which all orders ended at an instant, unless they are due.
type ended struct {
	at  string
	due time.Time
}

func (e ended) Newest(_ context.Context, stream storage.Stream, _ storage.Collection, id string) (storage.Document, storage.Projection, error) {
	return storage.Document{ID: id, Body: []byte(`{"updatedAt":"` + e.at + `"}`)}, storage.Projection{Stream: stream, Version: 3, Due: e.due}, nil
}

// TestManyOldOrdersAreForgottenSoon: a product that comes back from a restart has lost what its orders told it. It need not
// take hours to forget tens of thousands of them, nor wake them.
func TestManyOldOrdersAreForgottenSoon(t *testing.T) {
	for orders, again := range map[int]time.Duration{forgetAtMost: time.Minute, forgetAtMost + 1: retryTask} {
		now := time.UnixMilli(1_700_000_200_000)
		p := soldOften(orders).entity.(*productEntity)
		p.host = NewHost(Config{Clock: func() time.Time { return now }})
		p.host.newest = ended{at: "2023-11-14T22:13:20Z"}
		holding, remembered := p.state.Unattended(p.host.now())
		require.Empty(t, holding)
		require.Len(t, remembered, orders)

		r := p.checkOrders(remembered)(t.Context())
		require.Equal(t, again, r.again)
		require.Len(t, r.commands, 1)
		require.Len(t, r.commands[0].(product.Forget).Sold, forgetAtMost)
	}
}

// TestEnded: the read models are believed about an order that has nothing to do, and had not for as long as a message of it
// could be under way.
func TestEnded(t *testing.T) {
	now := time.UnixMilli(1_700_000_030_000)
	h := NewHost(Config{Clock: func() time.Time { return now }})
	require.False(t, h.ended(t.Context(), "0000000a0011223344556677"), "the store does not offer it")
	for _, c := range []struct {
		ended
		want bool
	}{
		{ended{at: "2023-11-14T22:13:20Z"}, true},
		{ended{at: "2023-11-14T22:13:20.001Z"}, false},
		{ended{at: "2023-11-14T22:13:20Z", due: now.Add(time.Hour)}, false},
		{ended{at: "yesterday"}, false},
	} {
		h.newest = c.ended
		require.Equal(t, c.want, h.ended(t.Context(), "0000000a0011223344556677"), "%+v", c.ended)
	}
}
