// Package domaintest proves rules: a Subject runs one entity's Decide and Evolve and checks with every step what all rules
// promise; Table runs given/when/then rows on it; Golden holds the stored form of events fixed. For tests only.
package domaintest

import (
	"encoding/json"
	"fmt"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Event is what every package's event interface has.
type Event interface{ EventType() string }

// TB is the part of *testing.T and *rapid.T that is needed here.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
}

// Rules of one package.
type Rules[S any, C any, E Event] struct {
	Decide func(*S, C) ([]E, error)
	Evolve func(*S, E)
	Codec  domain.Codec[E]
}

// Subject is one entity. Its state is folded from the events as they were decided; beside it a twin is folded from what
// the codec made of them, and the two must stay equal.
type Subject[S any, C any, E Event] struct {
	State  S
	Events []E
	rules  Rules[S, C, E]
	twin   S
}

// New returns an entity of which nothing is known yet.
func (r Rules[S, C, E]) New() *Subject[S, C, E] { return &Subject[S, C, E]{rules: r} }

// Fold makes the events part of the state.
func (s *Subject[S, C, E]) Fold(t TB, events ...E) {
	t.Helper()
	for _, e := range events {
		data, err := s.rules.Codec.Encode(e)
		if err != nil {
			t.Fatalf("encode %s: %v", e.EventType(), err)
		}
		stored, err := s.rules.Codec.Decode(e.EventType(), domain.CurrentSchema, data)
		if err != nil {
			t.Fatalf("decode %s: %v", e.EventType(), err)
		}
		s.rules.Evolve(&s.State, e)
		s.rules.Evolve(&s.twin, stored)
		s.Events = append(s.Events, e)
	}
	if own, twin := JSON(t, s.State), JSON(t, s.twin); own != twin {
		t.Fatalf("state from the stored events differs\nfrom events: %s\nfrom stored: %s", own, twin)
	}
}

// Do decides on the command and folds what happens. It fails the test when Decide changes the state, returns anything but
// a refusal as its error, or returns events beside a refusal.
func (s *Subject[S, C, E]) Do(t TB, command C) ([]E, error) {
	t.Helper()
	before := JSON(t, s.State)
	events, err := s.rules.Decide(&s.State, command)
	if after := JSON(t, s.State); after != before {
		t.Fatalf("%T changed the state while deciding\nbefore: %s\nafter:  %s", command, before, after)
	}
	if err != nil {
		if _, ok := domain.AsRefusal(err); !ok {
			t.Fatalf("%T: %v is not a refusal", command, err)
		}
		if len(events) > 0 {
			t.Fatalf("%T was refused (%v) and has events %s", command, err, Show(events))
		}
		return nil, err
	}
	s.Fold(t, events...)
	return events, nil
}

// JSON is the value as text; two values with the same text are the same to whoever reads them back.
func JSON(t TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("encode %T: %v", value, err)
	}
	return string(data)
}

// Show prints events for people.
func Show[E Event](events []E) string {
	text := ""
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			data = []byte(err.Error())
		}
		text += fmt.Sprintf("\n  %s %s", e.EventType(), data)
	}
	if text == "" {
		return " nothing"
	}
	return text
}
