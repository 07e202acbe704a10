package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
	"github.com/queuecommerce/queuecommerce/messages"
)

var (
	// ErrUnknown says that the command was sent and not answered in time: it may have been executed, or may still be.
	ErrUnknown = errors.New("no answer in time, outcome unknown")
	// ErrNotExecuted says that the command was certainly not executed, and that it could not be within the time given.
	ErrNotExecuted = errors.New("not executed")
	// errNobody says that all members are leaving, or that this one has not joined yet.
	errNobody = fmt.Errorf("%w: no member owns anything", ErrNotExecuted)
	errOver   = fmt.Errorf("%w: the time is up", ErrUnknown)
)

// Client asks entities. Safe for concurrent use.
type Client struct {
	system     *actor.ActorSystem
	self       string // this member's id
	view       *atomic.Pointer[view]
	door       *door
	desk       *inquiry.Desk
	maxWaiting int64
}

const (
	// askBudget bounds a question whose context has no deadline.
	askBudget = 10 * time.Second
	maxPause  = 100 * time.Millisecond
	// patience is how long another member may take before it is asked again, because messages between members can get
	// lost; then twice as long, and so on.
	patience = time.Second
)

// Ask sends the command to the entity's owner and returns its one reply. Without an answer it asks again until the
// context ends: an entity executes a command once, however often it comes with the same id, and reads and steps of a
// saga may be repeated. Then it returns ErrUnknown, or ErrNotExecuted if no try can have been executed; at once when all
// members are leaving, this one too. The caller must not change the command afterwards.
func (c *Client) Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	end, bounded := ctx.Deadline()
	var over <-chan time.Time
	if !bounded { // a timer is a third of the work that a context of its own would be
		timer := timers.Get().(*time.Timer)
		timer.Reset(askBudget)
		defer func() { timer.Stop(); timers.Put(timer) }()
		end, over = time.Now().Add(askBudget), timer.C
	}
	t := term{ctx, end, over}
	if command.GetDeadline() == 0 {
		command.Deadline = end.UnixMilli()
	}
	outcome := ErrNotExecuted
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		reply, err := c.try(t, key{kind, identity}, command)
		if err == nil {
			return reply, nil
		}
		if errors.Is(err, ErrUnknown) {
			outcome = ErrUnknown
		}
		if time.Until(end) <= pause || errors.Is(err, errNobody) && c.door.lookup.ends() || !c.rest(ctx, pause/2+rand.N(pause)) {
			return nil, fmt.Errorf("ask %s/%s: %w (last: %v)", kind, identity, outcome, err)
		}
	}
}

// term is how long a question may wait: as long as its asker, and until its end.
type term struct {
	context.Context
	end  time.Time
	over <-chan time.Time // tells of the end; nil: the context does
}

var timers = sync.Pool{New: func() any { return time.NewTimer(askBudget) }}

// rest waits for the pause, or until this member sees other members.
func (c *Client) rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.view.Load().superseded:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// try asks the owner of the moment.
func (c *Client) try(t term, k key, command *messages.Command) (*messages.Reply, error) {
	if t.Err() != nil {
		return nil, fmt.Errorf("%w: no time left", ErrNotExecuted)
	}
	v := c.view.Load()
	owner := v.ring.owner(k)
	switch {
	case owner == nil:
		return nil, errNobody
	case owner.id == c.self:
		return c.here(t, k, command)
	}
	if owner.waiting.Add(1) > c.maxWaiting {
		owner.waiting.Add(-1)
		return nil, fmt.Errorf("%w: too many questions wait for member %s", ErrNotExecuted, owner.id)
	}
	defer owner.waiting.Add(-1)
	return c.there(t, v, owner, k, command)
}

// here waits as long as the caller does: the command is in the entity's mailbox, or will come back.
func (c *Client) here(t term, k key, command *messages.Command) (*messages.Reply, error) {
	if reply, ok := c.door.published(k, command); ok {
		return reply, nil
	}
	q := c.desk.Open()
	defer q.Close()
	c.door.route(k, command, q.PID)
	select {
	case answer := <-q.Answer:
		return judge(answer, 1)
	case <-t.over:
		return nil, errOver
	case <-t.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnknown, t.Err())
	}
}

// there asks another member until it answers, or is none any more.
func (c *Client) there(t term, v *view, owner *peer, k key, command *messages.Command) (*messages.Reply, error) {
	q := c.desk.Open()
	defer q.Close()
	c.send(owner, k, command, t, q)
	again := time.NewTimer(patience)
	defer again.Stop()
	for sent := 1; ; {
		select {
		case answer := <-q.Answer:
			return judge(answer, sent)
		case <-again.C:
			if time.Until(t.end) <= 0 { // a process that was frozen must not ask late
				return nil, errOver
			}
			c.send(owner, k, command, t, q)
			again.Reset(patience << sent)
			sent++
		case <-v.superseded:
			if v = c.view.Load(); v.peers[owner.id] == nil {
				return nil, fmt.Errorf("%w: member %s is gone", ErrUnknown, owner.id)
			}
		case <-t.over:
			return nil, errOver
		case <-t.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnknown, t.Err())
		}
	}
}

// send takes a command to the owner's door, with the time that is left for it: clocks of members may differ.
func (c *Client) send(owner *peer, k key, command *messages.Command, t term, q inquiry.Inquiry) {
	c.system.Root.RequestWithCustomSender(owner.door, &messages.Routed{Kind: k.kind, Identity: k.identity, Command: command,
		Patience: time.Until(t.end).Milliseconds()}, q.PID)
}

// judge makes a reply or an error of an answer. A refusal is certain only if it can't be that of another try.
func judge(answer any, sent int) (*messages.Reply, error) {
	outcome := ErrNotExecuted
	if sent > 1 {
		outcome = ErrUnknown
	}
	answer, err := inquiry.Delivered(answer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", outcome, err)
	}
	reply, ok := answer.(*messages.Reply)
	if !ok {
		return nil, fmt.Errorf("%w: the answer is a %T", ErrUnknown, answer)
	}
	if refusal := reply.GetRefusal(); refusal.GetKind() == kindRetry {
		return nil, fmt.Errorf("%w: %s", outcome, refusal.GetDetail())
	}
	return reply, nil
}

// Tell sends the command without waiting; it may get lost.
func (c *Client) Tell(kind, identity string, command *messages.Command) {
	k := key{kind, identity}
	switch owner := c.view.Load().ring.owner(k); {
	case owner == nil:
	case owner.id == c.self:
		c.door.route(k, command, nil)
	default:
		c.system.Root.Send(owner.door, &messages.Routed{Kind: kind, Identity: identity, Command: command})
	}
}

// Owns says whether this member is the one that the entity belongs to, and serves it. Another member may see it
// differently for a moment.
func (c *Client) Owns(kind, identity string) bool {
	return c.door.open.Load() && c.door.current() && c.view.Load().owns(c.self, key{kind, identity})
}
