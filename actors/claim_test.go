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

// TestAClaimForAWhileLapsesByTheClockOfItsOwnMember: the asker's clock, which is an hour behind here, counts only for
// members of an earlier version, which can't say for how long they want the claim.
func TestAClaimForAWhileLapsesByTheClockOfItsOwnMember(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	shop := actorstest.Open(t, actors.Config{Store: memory.New(), Gateway: actorstest.Sandbox(t),
		Clock: func() time.Time { return time.UnixMilli(now.Load()) }})
	minute := time.Minute.Milliseconds()
	acquire := func(identity string, m *messages.AcquireClaim) (refused string) {
		reply, err := shop.Ask(t.Context(), actors.KindClaim, identity, &messages.Command{Body: &messages.Command_AcquireClaim{AcquireClaim: m}})
		require.NoError(t, err)
		return reply.GetRefusal().GetCode()
	}
	for identity, m := range map[string]*messages.AcquireClaim{
		"sku/new":     {Owner: "lamp", Ttl: minute, Until: now.Load() + minute - time.Hour.Milliseconds()},
		"sku/earlier": {Owner: "lamp", Until: now.Load() + minute},
	} {
		t.Run(identity, func(t *testing.T) {
			begun := now.Load()
			defer now.Store(begun)
			assert.Empty(t, acquire(identity, m))
			now.Add(minute - 1)
			assert.Equal(t, "claimed", acquire(identity, &messages.AcquireClaim{Owner: "desk"}))
			now.Add(1)
			assert.Empty(t, acquire(identity, &messages.AcquireClaim{Owner: "desk"}))
		})
	}
}
