package bench

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestClosedLoopEndsAfterTheTotal(t *testing.T) {
	var visits atomic.Int64
	pace{clients: 7, total: 100}.run(t.Context(), time.Now(), func(int) visit {
		return func(time.Time) { visits.Add(1) }
	})
	assert.EqualValues(t, 100, visits.Load())
}

// TestOpenLoopDoesNotWaitForAnswers: nobody is answered before the last request has come, so a loop that waits for an
// answer never ends.
func TestOpenLoopDoesNotWaitForAnswers(t *testing.T) {
	const total = 100
	var waiting sync.WaitGroup
	waiting.Add(total)
	visitors := 0
	pace{clients: 1, total: total, rate: 10_000}.run(t.Context(), time.Now(), func(int) visit {
		visitors++
		return func(time.Time) {
			waiting.Done()
			waiting.Wait()
		}
	})
	assert.Equal(t, total, visitors)
}

func TestOpenLoopCountsFromWhenTheRequestWasDue(t *testing.T) {
	start := time.Now().Add(-time.Second) // the load is a second late from its first request on
	var mu sync.Mutex
	var due []time.Duration
	pace{clients: 1, duration: time.Second, rate: 4}.run(t.Context(), start, func(int) visit {
		return func(at time.Time) {
			mu.Lock()
			defer mu.Unlock()
			due = append(due, at.Sub(start))
		}
	})
	assert.ElementsMatch(t, []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, 750 * time.Millisecond}, due)
}
