package actors

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/storage"
)

// maxBatch is how many entities share one durable write; measured best between latency and throughput. Who goes on with
// what this writer leaves counts on it: heirs (underWay), and relays (bridge.RelayConfig.UnderWay).
const maxBatch = 256

// appendTimeout is when an append that does not answer counts as unknown, and is repeated.
const appendTimeout = 10 * time.Second

// batch is what one entity wants to have written in one append, and who waits for it.
type batch struct {
	entry    storage.Entry
	replies  []waiting
	frozen   frozen
	agenda   agenda
	due      time.Time
	snapshot []byte // to be stored with it; nil: none

	err  error         // valid when done is closed
	done chan struct{} // closed by the committer
	from *actor.PID    // who is sent the batch after done
	root *actor.RootContext
}

// committer is the member's one writer: it gathers the batches of all entities into one durable write. Nobody waits on a
// timer: while one write is under way the next one gathers.
type committer struct {
	host    *Host
	queue   chan *batch
	number  uint64
	closing sync.Once
	ctx     context.Context
	cancel  context.CancelFunc
}

func newCommitter(h *Host) *committer {
	c := &committer{host: h, queue: make(chan *batch, 4096)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// submit hands a batch over; the committer owns it until done is closed.
func (c *committer) submit(b *batch) {
	b.done = make(chan struct{})
	select {
	case c.queue <- b:
	case <-c.ctx.Done():
		c.finish(b, c.ctx.Err())
	}
}

// wait returns the batch's outcome; it does not wait for a committer that has ended.
func (c *committer) wait(b *batch) error {
	select {
	case <-b.done:
		return b.err
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// close commits what was submitted and ends run. Nobody may submit afterwards.
func (c *committer) close() { c.closing.Do(func() { close(c.queue) }) }

// abort ends run as a crash would.
func (c *committer) abort() { c.cancel() }

func (c *committer) run() {
	defer c.cancel()
	for {
		var first *batch
		var ok bool
		select {
		case first, ok = <-c.queue:
			if !ok {
				return
			}
		case <-c.ctx.Done():
			return
		}
		c.host.projector.brake(c.ctx)
		c.giveWay()
		c.commit(c.gather(first))
	}
}

// giveWay lets whoever is ready to submit do so before a write begins, as long as somebody does. On a busy machine a
// write then carries several times as much; on an idle one this returns at once.
func (c *committer) giveWay() {
	for before := -1; before < len(c.queue) && len(c.queue) < maxBatch; {
		before = len(c.queue)
		runtime.Gosched()
	}
}

func (c *committer) gather(first *batch) []*batch {
	batches := append(make([]*batch, 0, 64), first)
	for len(batches) < maxBatch {
		select {
		case b, ok := <-c.queue:
			if !ok {
				return batches
			}
			batches = append(batches, b)
		default:
			return batches
		}
	}
	return batches
}

// commit appends, and repeats what has an unknown outcome until it is known: the append of an equal entry is the same
// append. Numbers follow the order of submission, so one that is not known yet holds back the ones behind it.
func (c *committer) commit(batches []*batch) {
	for _, b := range batches {
		c.number++
		b.entry.Writer, b.entry.Number = c.host.Writer, c.number
	}
	open := batches
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, time.Second) {
		entries := make([]storage.Entry, len(open))
		for i, b := range open {
			entries[i] = b.entry
		}
		ctx, cancel := context.WithTimeout(c.ctx, appendTimeout)
		unknown := c.settle(open, c.host.Store.Append(ctx, entries))
		cancel()
		if len(unknown) == 0 {
			break
		}
		c.host.Logger.Warn("append has an unknown outcome, repeating", "batches", len(unknown), "err", unknown[0].err)
		open = unknown
		select {
		case <-time.After(delay):
		case <-c.ctx.Done():
			for _, b := range open {
				c.finish(b, c.ctx.Err())
			}
			return
		}
	}
	c.publish(batches)
}

// settle notes what is known and returns what is not.
func (c *committer) settle(batches []*batch, results []error) (unknown []*batch) {
	for i, b := range batches {
		b.err = results[i]
		if b.err != nil && !errors.Is(b.err, storage.ErrConflict) {
			unknown = append(unknown, b)
		}
	}
	return unknown
}

// publish hands what is durable to the projector and the relay, and only then to those who wait for it.
func (c *committer) publish(batches []*batch) {
	committed := make([]storage.Entry, 0, len(batches))
	for _, b := range batches {
		if b.err == nil {
			committed = append(committed, b.entry)
			c.host.Stats.Events.Add(int64(len(b.entry.Events)))
		} else {
			c.host.Stats.Conflicts.Add(1)
		}
	}
	c.host.Stats.Appends.Add(int64(len(committed)))
	c.host.Stats.Commits.Add(1)
	c.host.projector.committed(batches)
	if c.host.Committed != nil && len(committed) > 0 {
		c.host.Committed(committed)
	}
	for _, b := range batches {
		c.finish(b, b.err)
	}
}

func (c *committer) finish(b *batch, err error) {
	b.err = err
	close(b.done)
	b.root.Send(b.from, b)
}
