package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// maxResting is how many workers of a crew wait for work at most.
const maxResting = 256

// crew runs functions on goroutines that it keeps: a new goroutine would have to grow its stack each time, which was
// measured to be a twentieth of all work. It is also the dispatcher of the entities' mailboxes.
type crew struct {
	mu      sync.Mutex    // guards what follows, and begins against the end
	resting []chan func() // of the workers that wait, the one that worked last at the end: its stack is as large as needed
	closed  bool
	tasks   sync.WaitGroup
}

var _ actor.Dispatcher = (*crew)(nil)

// throughput is how many messages an entity executes before others get a turn, as Proto.Actor has it by default.
const throughput = 300

// Throughput is part of actor.Dispatcher.
func (c *crew) Throughput() int { return throughput }

// Schedule runs f, also when the crew has been closed: an entity has to be able to end. Nobody waits for it.
func (c *crew) Schedule(f func()) {
	c.mu.Lock()
	if last := len(c.resting) - 1; last >= 0 {
		work := c.resting[last]
		c.resting = c.resting[:last]
		c.mu.Unlock()
		work <- f
		return
	}
	c.mu.Unlock()
	go c.work(f)
}

// work is the life of a worker. It ends when enough others rest, or the crew has been closed.
func (c *crew) work(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		if !c.rest(next) {
			return
		}
		f = <-next
	}
}

func (c *crew) rest(next chan func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.resting) >= maxResting {
		return false
	}
	c.resting = append(c.resting, next)
	return true
}

// Go runs a task, unless the crew has been closed.
func (c *crew) Go(f func()) {
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.tasks.Add(1)
	}
	c.mu.Unlock()
	if closed {
		return
	}
	c.Schedule(func() {
		defer c.tasks.Done()
		f()
	})
}

// wait closes the crew, sends those home who rest, and waits for the tasks that have begun.
func (c *crew) wait() {
	c.mu.Lock()
	c.closed = true
	for _, work := range c.resting {
		close(work)
	}
	c.resting = nil
	c.mu.Unlock()
	c.tasks.Wait()
}
