package verify

import (
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// cursor is how far a stream was read.
type cursor struct {
	next   uint64      // the sequence that has to come; 0: nothing was seen yet
	at     domain.Time // of the newest event
	broken bool        // what came can't be folded: the rest is only counted, and nothing is concluded from the stream
	fresh  bool        // it was written to since the run began
}

func (c *cursor) position() *cursor { return c }

// known says whether the stream was read, and can be relied on.
func (c *cursor) known() bool { return c.next > 1 && !c.broken }

// follows checks that the entry begins where the one before it ended, and moves on. False: its events were seen before.
func (a *audit) follows(c *cursor, e *storage.Entry) bool {
	s := step{audit: a, Place: Place{e.Stream, e.First}}
	switch {
	case len(e.Events) == 0:
		s.wrong(G1, "an entry without events")
		return false
	case e.First < c.next:
		s.wrong(G1, "the sequence is taken: the stream had come to %d", c.next-1)
		return false
	case e.First > c.next:
		s.wrong(G1, "%d events before this one are missing", e.First-c.next)
		c.broken = true
	}
	c.next = e.Last() + 1
	return true
}

// instants warns where an event's two instants disagree, or where time goes back from one event to the next.
func (a *audit) instants(s *step, c *cursor) {
	at := domain.At(s.stored.At)
	tolerance := domain.Time(a.opts.ClockTolerance.Milliseconds())
	if s.inside != 0 && (at-s.inside > tolerance || s.inside-at > tolerance) {
		a.warn(Violation{Guarantee: G7, Place: s.Place, Detail: "recorded at " + at.String() + ", but says that it happened at " + s.inside.String()})
	}
	if c.at-at > tolerance {
		a.warn(Violation{Guarantee: G7, Place: s.Place, Detail: "recorded at " + at.String() + ", before the event that it follows, which was at " + c.at.String()})
	}
	c.at = at
}

// stranger follows a stream of a kind that this version does not know: its sequences can be checked, nothing else.
func (a *audit) stranger(stream storage.Stream) fold {
	c, ok := a.strangers[stream]
	if !ok {
		c = &cursor{}
		a.strangers[stream] = c
		a.warn(Violation{Guarantee: G7, Place: Place{Stream: stream}, Detail: "a stream of a kind that this version does not know; its events are not checked"})
	}
	return (*unknownFold)(c)
}

type unknownFold cursor

func (u *unknownFold) position() *cursor { return (*cursor)(u) }
func (u *unknownFold) fold(*step, any)   {}
func (u *unknownFold) endEntry(*step)    {}
