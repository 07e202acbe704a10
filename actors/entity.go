package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// entity is one kind's behaviour as the host sees it. All methods but those of the task that agenda returns run on the
// entity's own actor, one at a time, and do no I/O.
type entity interface {
	// execute decides on a rule command and makes its events part of the state; the events come back ready to be stored.
	execute(command any) ([]storage.Event, error)
	// replay makes a stored event part of the state.
	replay(storage.Event) error
	// translate turns a message into a rule command. A nil command asks for nothing but the answer.
	translate(*messages.Command, stamp) (any, error)
	// answer replies to a message from the state. since is the version that the command led to, now or when it was first
	// executed. Not ready means: ask again when the state has changed, or, with forced set, at the latest moment.
	answer(m *messages.Command, since uint64, forced bool) (reply *messages.Reply, ready bool)
	// agenda says what is still to be done.
	agenda() agenda
	// freeze returns the state as the read models see it; it does not change when the entity goes on.
	freeze() frozen
	// aside returns messages for other entities that the last batch gives reason for. They may get lost.
	aside() []aside
}

// An entity may also have these.
type (
	// reader answers from what is durable, at once, without waiting for what is being written.
	reader interface {
		read(*messages.Command) (reply *messages.Reply, ok bool)
		settled(frozen)
		gone() // the activation has ended
	}
	// snapshotter can be stored and recovered whole; without it an entity is folded from its first event.
	snapshotter interface {
		snapshot() domain.Appender
		restore([]byte) error
	}
	// explainer adds detail to a refusal.
	explainer interface {
		explain(*messages.Command, *messages.Reply)
	}
	// companion has a command of its own to add whenever something is written anyway; nil: none.
	companion interface{ companion(at domain.Time) any }
)

// stamp is what rules must not make up themselves.
type stamp struct {
	at    domain.Time
	newID func() string
}

// agenda is what an entity still has to do.
type agenda struct {
	task     string // names the task of the moment; empty: none
	run      func(context.Context) report
	wake     domain.Time   // when to execute tick; zero: never
	leisure  domain.Time   // when to execute tick if the entity is awake: nobody wakes it for that; zero: never
	patience time.Duration // how long the task may take before the sweeper looks after it; 0: the usual
	tick     func(at domain.Time) any
}

// first is the earlier of two instants, of which zero is none.
func first(a, b domain.Time) domain.Time {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}

// reached says whether there is such an instant and it has come.
func reached(at, now domain.Time) bool { return at != 0 && now >= at }

// planned keeps the agenda of one version of a state: it is asked for several times, and nothing else changes it.
type planned struct {
	agenda  agenda
	version uint64
}

func (p *planned) at(version uint64, plan func() agenda) agenda {
	if p.version != version {
		p.agenda, p.version = plan(), version
	}
	return p.agenda
}

// report is what a task has come to: commands to execute, and when to run it again if it is still due then.
type report struct {
	commands []any
	again    time.Duration
}

// frozen is a state that can be projected at any time.
type frozen interface {
	documents() ([]storage.Document, error)
}

// aside is a message that is worth sending, but that nobody depends on.
type aside struct {
	kind, identity string
	message        *messages.Command
}

// rules adapts one kind's pure functions to the host.
type rules[S any, C any, E interface{ EventType() string }] struct {
	state  S
	decide func(*S, C) ([]E, error)
	evolve func(*S, E)
	codec  domain.Codec[E]
}

func (r *rules[S, C, E]) execute(command any) ([]storage.Event, error) {
	c, ok := command.(C)
	if !ok {
		return nil, fmt.Errorf("command %T is of another kind", command)
	}
	events, err := r.decide(&r.state, c)
	if err != nil {
		return nil, err
	}
	stored := make([]storage.Event, len(events))
	for i, e := range events {
		data, err := r.codec.Encode(e)
		if err != nil {
			return nil, err
		}
		stored[i] = storage.Event{Type: e.EventType(), Schema: domain.CurrentSchema, Data: data}
	}
	for _, e := range events {
		r.evolve(&r.state, e)
	}
	return stored, nil
}

func (r *rules[S, C, E]) replay(stored storage.Event) error {
	e, err := r.codec.Decode(stored.Type, stored.Schema, stored.Data)
	if err != nil {
		return err
	}
	r.evolve(&r.state, e)
	return nil
}

func refused(err *domain.Error) *messages.Reply {
	return &messages.Reply{Refusal: &messages.Refusal{Kind: int32(err.Kind), Code: err.Code, Detail: err.Detail}}
}

// kindRetry is the refusal that says: not executed, nothing looked at, ask again.
const kindRetry = 7

func retry(detail string) *messages.Reply {
	return &messages.Reply{Refusal: &messages.Refusal{Kind: kindRetry, Code: "retry", Detail: detail}}
}
