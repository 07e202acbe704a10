package main

import (
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/storage"
)

// journal is every integration event that subscribers have to hear, in the order in which it was committed.
func (c client) journal() (list []bridge.Message) {
	c.t.Helper()
	entries, err := c.app.store.Committed(c.t.Context(), c.app.writer, 0, 1_000_000)
	require.NoError(c.t, err)
	orderIDs := map[storage.Stream]string{}
	for _, entry := range entries {
		for i, stored := range entry.Events {
			if entry.Stream.Kind() == "order" {
				event, err := order.Codec.Decode(stored.Type, stored.Schema, stored.Data)
				require.NoError(c.t, err)
				if placed, ok := event.(order.Placed); ok {
					orderIDs[entry.Stream] = placed.ID
				}
			}
			origin := bridge.Origin{Stream: entry.Stream, Sequence: entry.First + uint64(i), OrderID: orderIDs[entry.Stream], Trace: entry.Trace}
			message, public, err := bridge.Catalogue(origin, stored)
			require.NoError(c.t, err)
			if public {
				list = append(list, message)
			}
		}
	}
	return list
}

// published counts the integration events of one order by their pattern.
func (c client) published(orderID string) map[string]int {
	c.t.Helper()
	n := map[string]int{}
	for _, message := range c.journal() {
		if message.CorrelationID == orderID {
			n[message.Pattern]++
		}
	}
	return n
}
