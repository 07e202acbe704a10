package cluster_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/messages"
)

// load asks entities through all members until it is stopped.
type load struct {
	stop    chan struct{}
	callers sync.WaitGroup
	asked   atomic.Int64
	mu      sync.Mutex
	failed  []error
	longest time.Duration
	by      map[string]int // member -> how many it has answered since count was called
}

func (s *shop) load(identities int, through ...*member) *load {
	l := &load{stop: make(chan struct{}), by: map[string]int{}}
	for c := range 8 {
		l.callers.Go(func() {
			for n := c; ; n += 7 {
				select {
				case <-l.stop:
					return
				default:
				}
				l.ask(through[n%len(through)], fmt.Sprint("order-", n%identities), fmt.Sprint(c, "/", n))
			}
		})
	}
	return l
}

func (l *load) ask(through *member, identity, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := time.Now()
	reply, err := through.Client().Ask(ctx, "entity", identity, &messages.Command{Id: id})
	took := time.Since(begun)
	l.asked.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.longest = max(l.longest, took)
	if err != nil {
		l.failed = append(l.failed, err)
		return
	}
	l.by[string(reply.GetDocument())]++
}

// answers counts anew.
func (l *load) answers() { l.mu.Lock(); defer l.mu.Unlock(); clear(l.by) }

// served waits until exactly these members have answered since answers was called.
func (l *load) served(t *testing.T, names ...string) {
	t.Helper()
	state := func() any { l.mu.Lock(); defer l.mu.Unlock(); return fmt.Sprint(l.by, l.failed) }
	until(t, fmt.Sprint("answers of ", names), func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, name := range names {
			if l.by[name] == 0 {
				return false
			}
		}
		return true
	}, state)
}

// more waits for that many questions more.
func (l *load) more(t *testing.T, count int64) {
	t.Helper()
	enough := l.asked.Load() + count
	until(t, "more questions", func() bool { return l.asked.Load() >= enough }, func() any { return l.asked.Load() })
}

// end stops the load; no question may have failed.
func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.callers.Wait()
	require.Empty(t, l.failed, "of %d", l.asked.Load())
	t.Logf("%d asked, longest %v", l.asked.Load(), l.longest)
}
