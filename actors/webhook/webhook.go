// Package webhook holds the rules of the inbox for webhooks whose intent no payment knows yet: they are kept until a
// payment does, because the provider was told that they had arrived.
package webhook

import (
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Keep is how long a webhook waits for its payment. The provider itself gives up after three days.
const Keep = 72 * time.Hour

// Notice is what a webhook said.
type Notice struct {
	EventID        string      `json:"eventId"`
	Type           string      `json:"type"`
	IntentID       string      `json:"intentId"`
	RefundID       string      `json:"refundId,omitempty"`
	DisputeID      string      `json:"disputeId,omitempty"`
	Message        string      `json:"message,omitempty"`
	Method         string      `json:"method,omitempty"`
	AmountRefunded int64       `json:"amountRefunded,omitempty"`
	At             domain.Time `json:"at"`
}

// State of one intent's inbox.
type State struct {
	Version uint64
	Waiting []Notice
}

// Event is a fact in an inbox's journal.
type Event interface{ domain.Event }

// Parked keeps a notice.
type Parked struct{ Notice }

// Settled says that all that waited was delivered, or was given up.
type Settled struct {
	GivenUp bool        `json:"givenUp,omitempty"`
	At      domain.Time `json:"at"`
}

func (Parked) EventType() string  { return "webhook.parked" }
func (Settled) EventType() string { return "webhook.settled" }

// AppendJSON is Parked's too.
func (n Notice) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("eventId", n.EventID)
	o.Text("type", n.Type)
	o.Text("intentId", n.IntentID)
	o.OptionalText("refundId", n.RefundID)
	o.OptionalText("disputeId", n.DisputeID)
	o.OptionalText("message", n.Message)
	o.OptionalText("method", n.Method)
	o.OptionalInt("amountRefunded", n.AmountRefunded)
	o.Time("at", n.At)
	return o.Close()
}

func (e Settled) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.OptionalTrue("givenUp", e.GivenUp)
	o.Time("at", e.At)
	return o.Close()
}

// Codec stores an inbox's events.
var Codec = domain.NewCodec[Event](Parked{}, Settled{})

// Command asks for a change.
type Command interface{ isCommand() }

type (
	// Park keeps a notice; one that waits already is not kept twice.
	Park struct{ Notice Notice }
	// RecordDelivered reports that the first Count notices have reached their payment. Version is the state's when they
	// were read: without it, a report that comes late could settle as many that came since.
	RecordDelivered struct {
		Count   int
		Version uint64
		At      domain.Time
	}
	// Tick reports that time has passed.
	Tick struct{ At domain.Time }
)

func (Park) isCommand()            {}
func (RecordDelivered) isCommand() {}
func (Tick) isCommand()            {}

// Decide returns what happens when the state is asked for the command.
func Decide(s *State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Park:
		for _, n := range s.Waiting {
			if n.EventID == c.Notice.EventID {
				return nil, nil
			}
		}
		return []Event{Parked{c.Notice}}, nil
	case RecordDelivered:
		if len(s.Waiting) == 0 || c.Count != len(s.Waiting) || (c.Version != 0 && c.Version != s.Version) {
			return nil, nil // another one came meanwhile: all are delivered again, which harms nobody
		}
		return []Event{Settled{At: c.At}}, nil
	case Tick:
		if deadline := s.Deadline(); deadline == 0 || c.At < deadline {
			return nil, nil
		}
		return []Event{Settled{GivenUp: true, At: c.At}}, nil
	}
	return nil, fmt.Errorf("webhook: unknown command %T", command)
}

// Evolve makes the event part of the state.
func (s *State) Evolve(event Event) {
	s.Version++
	switch e := event.(type) {
	case Parked:
		s.Waiting = append(s.Waiting, e.Notice)
	case Settled:
		s.Waiting = nil
	}
}

// Deadline is when the newest notice is given up; zero: nothing waits.
func (s *State) Deadline() domain.Time {
	if len(s.Waiting) == 0 {
		return 0
	}
	return s.Waiting[len(s.Waiting)-1].At.Add(Keep)
}
