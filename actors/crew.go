package actors

import "sync"

// crew is a group of goroutines that can be closed while others may still want to begin: nothing begins after wait.
type crew struct {
	mu     sync.Mutex // guards closed, and begins against the end
	closed bool
	work   sync.WaitGroup
}

// Go runs f, unless the crew has been closed.
func (c *crew) Go(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.work.Go(f)
	}
}

// wait closes the crew and waits for all that has begun.
func (c *crew) wait() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.work.Wait()
}
