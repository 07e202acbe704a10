// Package claim holds the rules of a value that only one owner may have, such as a sku. A claim is an entity of its own,
// keyed by the value, so two owners who want it meet at one place, in order. An owner first claims for a while, records
// that it uses the value, and then claims for good: an owner that died in between loses nothing but the wait.
package claim

import (
	"fmt"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// State of a claim; no Owner: free.
type State struct {
	Version uint64
	Owner   string
	Value   string
	Until   domain.Time // zero: for good
}

// Holder returns the owner at that instant, and the value it left with the claim.
func (s *State) Holder(at domain.Time) (owner, value string) {
	if s.Until != 0 && at >= s.Until {
		return "", ""
	}
	return s.Owner, s.Value
}

// Event is a fact in a claim's journal.
type Event interface{ domain.Event }

// Acquired gives the claim to an owner, until an instant or for good.
type Acquired struct {
	Owner string      `json:"owner"`
	Value string      `json:"value,omitempty"`
	Until domain.Time `json:"until,omitzero"`
	At    domain.Time `json:"at"`
}

// Released makes it free.
type Released struct {
	At domain.Time `json:"at"`
}

func (Acquired) EventType() string { return "claim.acquired" }
func (Released) EventType() string { return "claim.released" }

func (e Acquired) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("owner", e.Owner)
	o.OptionalText("value", e.Value)
	o.OptionalTime("until", e.Until)
	o.Time("at", e.At)
	return o.Close()
}

func (e Released) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Time("at", e.At)
	return o.Close()
}

// Codec stores a claim's events.
var Codec = domain.NewCodec[Event](Acquired{}, Released{})

// Command asks for a change.
type Command interface{ isCommand() }

type (
	// Acquire asks for the claim; Until zero: for good.
	Acquire struct {
		Owner, Value string
		Until        domain.Time
		At           domain.Time
	}
	// Release gives it up; another owner's release changes nothing.
	Release struct {
		Owner string
		At    domain.Time
	}
)

func (Acquire) isCommand() {}
func (Release) isCommand() {}

// Decide returns what happens when the state is asked for the command, or a refusal.
func Decide(s *State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Acquire:
		owner, _ := s.Holder(c.At)
		switch {
		case owner != "" && owner != c.Owner:
			return nil, domain.Errorf(domain.KindConflict, "claimed", "this value is taken")
		case owner == c.Owner && (s.Until == 0 || (c.Until != 0 && c.Until <= s.Until)):
			return nil, nil // for longer already; a shorter claim takes nothing away
		}
		return []Event{Acquired{Owner: c.Owner, Value: c.Value, Until: c.Until, At: c.At}}, nil
	case Release:
		if owner, _ := s.Holder(c.At); owner != c.Owner {
			return nil, nil
		}
		return []Event{Released{At: c.At}}, nil
	}
	return nil, fmt.Errorf("claim: unknown command %T", command)
}

// Evolve makes the event part of the state.
func (s *State) Evolve(event Event) {
	s.Version++
	switch e := event.(type) {
	case Acquired:
		s.Owner, s.Value, s.Until = e.Owner, e.Value, e.Until
	case Released:
		s.Owner, s.Value, s.Until = "", "", 0
	}
}
