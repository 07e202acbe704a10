package inquiry_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
)

// invoker notes what it is given; it is not safe for two at once, which the race detector sees.
type invoker struct {
	seen     []string
	invoking func(message any)
	last     chan struct{} // closed with the message "last"
}

func newInvoker() *invoker { return &invoker{last: make(chan struct{})} }

func (i *invoker) InvokeSystemMessage(message any) { i.note(fmt.Sprintf("%T", message), message) }
func (i *invoker) InvokeUserMessage(message any)   { i.note(fmt.Sprint(message), message) }
func (i *invoker) EscalateFailure(reason, message any) {
	i.seen = append(i.seen, fmt.Sprint(message, " failed: ", reason))
}

func (i *invoker) note(what string, message any) {
	i.seen = append(i.seen, what)
	if i.invoking != nil {
		i.invoking(message)
	}
	if message == "last" {
		close(i.last)
	}
}

// later executes when it is told to.
type later struct{ scheduled []func() }

func (*later) Throughput() int      { return 2 }
func (l *later) Schedule(fn func()) { l.scheduled = append(l.scheduled, fn) }
func (l *later) execute() {
	for _, fn := range l.scheduled {
		fn()
	}
	l.scheduled = nil
}

// atOnce executes beside everything else, as the real dispatcher does.
type atOnce struct{}

func (atOnce) Throughput() int    { return 300 }
func (atOnce) Schedule(fn func()) { go fn() }

func mailbox(t *testing.T, i actor.MessageInvoker, d actor.Dispatcher) actor.Mailbox {
	m := inquiry.Mailbox(system(t), nil)()
	m.RegisterHandlers(i, d)
	m.Start()
	return m
}

func TestMailboxKeepsTheOrderOfEachSender(t *testing.T) {
	const senders, each = 8, 2000
	i := newInvoker()
	m := mailbox(t, i, atOnce{})
	var all sync.WaitGroup
	for s := range senders {
		all.Go(func() {
			for n := range each {
				m.PostUserMessage([2]int{s, n})
			}
		})
	}
	all.Wait()
	m.PostUserMessage("last")
	<-i.last
	require.Len(t, i.seen, senders*each+1, "each message once")
	next := [senders]int{}
	for _, seen := range i.seen[:senders*each] {
		var s, n int
		_, err := fmt.Sscanf(seen, "[%d %d]", &s, &n)
		require.NoError(t, err)
		require.Equal(t, next[s], n, "sender %d", s)
		next[s]++
	}
}

func TestMailboxHasNobodyScheduledTwice(t *testing.T) {
	i, d := newInvoker(), &later{}
	m := mailbox(t, i, d)
	for n := range 3 {
		m.PostUserMessage(n)
	}
	m.PostSystemMessage(&actor.Started{})
	require.Len(t, d.scheduled, 1)
	assert.Equal(t, 3, m.UserMessageCount())
	i.invoking = func(message any) {
		if message == 0 {
			m.PostUserMessage("posted meanwhile")
		}
	}
	d.execute()
	assert.Equal(t, []string{"*actor.Started", "0", "1", "2", "posted meanwhile"}, i.seen, "system messages go first")
	assert.Zero(t, m.UserMessageCount())
	m.PostUserMessage("last")
	require.Len(t, d.scheduled, 1, "what comes later is executed too")
	d.execute()
	assert.Equal(t, "last", i.seen[len(i.seen)-1])
}

func TestMailboxRestsWhileItIsSuspended(t *testing.T) {
	i, d := newInvoker(), &later{}
	m := mailbox(t, i, d)
	m.PostSystemMessage(&actor.SuspendMailbox{})
	m.PostUserMessage("waits")
	d.execute()
	m.PostUserMessage("waits too")
	assert.Empty(t, d.scheduled, "there is nothing to do")
	m.PostSystemMessage(&actor.Started{})
	d.execute()
	assert.Equal(t, []string{"*actor.Started"}, i.seen)
	m.PostSystemMessage(&actor.ResumeMailbox{})
	d.execute()
	assert.Equal(t, []string{"*actor.Started", "waits", "waits too"}, i.seen)
}

func TestMailboxGoesOnAfterAFault(t *testing.T) {
	i, d := newInvoker(), &later{}
	m := mailbox(t, i, d)
	i.invoking = func(message any) {
		if message == "bad" {
			panic("oh")
		}
	}
	m.PostUserMessage("bad")
	m.PostUserMessage("good")
	d.execute()
	assert.Equal(t, []string{"bad", "bad failed: oh", "good"}, i.seen)
}

// TestMailboxIsAQueue holds it against a slice, at every filling.
func TestMailboxIsAQueue(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		i, d := newInvoker(), &later{}
		m := mailbox(t, i, d)
		var want []string
		n := 0
		post := func(most int) {
			for range rapid.IntRange(0, most).Draw(r, "post") {
				m.PostUserMessage(n)
				want = append(want, fmt.Sprint(n))
				n++
			}
		}
		for range rapid.IntRange(1, 8).Draw(r, "rounds") {
			post(9)
			more := rapid.IntRange(0, 4).Draw(r, "while it executes")
			i.invoking = func(any) {
				if more--; more >= 0 {
					post(5)
				}
			}
			d.execute()
			assert.Equal(r, want, i.seen)
			assert.Zero(r, m.UserMessageCount())
		}
	})
}
