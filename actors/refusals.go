package actors

import (
	"time"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
)

const (
	// refusedFor is how long a refusal is remembered: longer than a repeat of the command can be under way, which is as long
	// as a message of a saga can.
	refusedFor = product.ForgetGrace * time.Millisecond
	// refusedAtMost is how many an activation remembers.
	refusedAtMost = 1024
)

// refusals is an activation's memory of the commands that it has refused. A refusal writes nothing, so the inbox does not
// know of it; and a client that was refused must not learn later that another try of the same command, which was under way
// for longer, has been carried out. What it holds ends with the activation (decision 12).
type refusals struct {
	replies map[string]refusal
	order   []string  // the oldest first
	until   time.Time // when there is nothing left to remember; zero: nothing ever was
}

type refusal struct {
	fingerprint string
	reply       *messages.Reply
	until       time.Time
}

// add remembers what a command with an id was refused with, unless that says itself that it may be tried again.
func (r *refusals) add(m *messages.Command, reply *messages.Reply, now time.Time) {
	if m.GetId() == "" || unavailable(reply) {
		return
	}
	if r.replies == nil {
		r.replies = make(map[string]refusal)
	}
	if _, again := r.replies[m.GetId()]; !again {
		r.order = append(r.order, m.GetId())
	}
	r.until = now.Add(refusedFor)
	r.replies[m.GetId()] = refusal{m.GetFingerprint(), reply, r.until}
	r.forget(now)
}

// of returns what the same command was refused with; nil: nothing.
func (r *refusals) of(m *messages.Command, now time.Time) *messages.Reply {
	known, ok := r.replies[m.GetId()]
	if !ok || known.fingerprint != m.GetFingerprint() || !now.Before(known.until) {
		return nil
	}
	return known.reply
}

func (r *refusals) forget(now time.Time) {
	for len(r.order) > 0 && (len(r.order) > refusedAtMost || !now.Before(r.replies[r.order[0]].until)) {
		delete(r.replies, r.order[0])
		r.order = r.order[1:]
	}
}
