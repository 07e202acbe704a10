package main

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/storage"
)

// TestBatchesKeepTheJournal: whatever streams come one after the other, batches hold every entry once, no stream twice,
// each stream in its order without a gap, and numbers that rise.
func TestBatchesKeepTheJournal(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, streams := range []int{1, 3, 50} {
		var entries []storage.Entry
		sequence := map[storage.Stream]uint64{}
		for i := range 500 {
			stream := storage.StreamOf("order", fmt.Sprint(random.IntN(streams)))
			events := make([]storage.Event, 1+random.IntN(3))
			events[0].Command = fmt.Sprint(i)
			entries = append(entries, storage.Entry{Stream: stream, First: 100 + sequence[stream], Events: events, Number: uint64(1000 + i)})
			sequence[stream] += uint64(len(events))
		}
		var want, got = map[storage.Stream][]string{}, map[storage.Stream][]string{}
		for _, e := range entries {
			want[e.Stream] = append(want[e.Stream], e.Events[0].Command)
		}
		last, number := map[storage.Stream]uint64{}, uint64(0)
		for _, batch := range batchesOf(entries, 16) {
			require.LessOrEqual(t, len(batch), 16)
			in := map[storage.Stream]bool{}
			for _, e := range batch {
				require.False(t, in[e.Stream], "one entry of a stream in a batch")
				in[e.Stream] = true
				require.Equal(t, last[e.Stream]+1, e.First)
				require.Equal(t, number+1, e.Number)
				last[e.Stream], number = e.Last(), e.Number
				got[e.Stream] = append(got[e.Stream], e.Events[0].Command)
			}
		}
		assert.Equal(t, want, got, "%d streams", streams)
	}
}
