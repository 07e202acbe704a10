package actors

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestACrewWaitsForItsTasksAndBeginsNoneAfterwards(t *testing.T) {
	var c crew
	var done atomic.Int64
	const tasks = 1000
	for range tasks {
		c.Go(func() { done.Add(1) })
	}
	c.wait()
	assert.EqualValues(t, tasks, done.Load())

	c.Go(func() { done.Add(1) })
	c.wait()
	assert.EqualValues(t, tasks, done.Load(), "a closed crew begins nothing")
	assert.Empty(t, c.resting, "nobody rests in a closed crew")
}

func TestAClosedCrewStillRunsWhatIsScheduled(t *testing.T) {
	var c crew
	c.wait()
	var ran sync.WaitGroup
	ran.Add(1)
	c.Schedule(ran.Done) // else this deadlocks
	ran.Wait()
}

func TestWorkersAreUsedAgainAndNotTooManyRest(t *testing.T) {
	var c crew
	defer c.wait()
	begun, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	for range 2 * maxResting {
		all.Add(1)
		c.Schedule(func() { defer all.Done(); begun <- struct{}{}; <-release })
	}
	for range 2 * maxResting {
		<-begun // all at the same time: none waits for another
	}
	close(release)
	all.Wait()
	assert.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.resting) == maxResting
	}, 10*time.Second, time.Millisecond)
}
