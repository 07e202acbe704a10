package verify

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Store is what is verified.
type Store interface {
	Scan(ctx context.Context, visit func(storage.Entry) error) error
	Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error)
	Writers(ctx context.Context) ([]storage.Marks, error)
}

// Options of a run.
type Options struct {
	// Now is the instant at which the run starts. It serves for nothing but to say which deadlines are long over, and
	// does so together with the members' clocks. Zero: the members' clocks alone say it.
	Now time.Time
	// Grace is how long after its deadline a hold may still stand, because its order was just giving it back. 0: 1 min.
	Grace time.Duration
	// Skew is how far apart the members' clocks and Now may be at most. It counts for members that show no clock, as they
	// are idle, or were at work not long ago: what such a member may still have is overdue that much later. 0: 2 h.
	Skew time.Duration
	// ClockTolerance is how far instants may be apart that should agree, or go back from one event to the next, before a
	// warning says so. 0: 1 min.
	ClockTolerance time.Duration
	// Limit bounds how many violations, and how many warnings, the report holds; all are counted. 0: 1000.
	Limit int
}

func (o Options) withDefaults() Options {
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	if o.Skew == 0 {
		o.Skew = 2 * time.Hour
	}
	if o.ClockTolerance == 0 {
		o.ClockTolerance = time.Minute
	}
	if o.Limit == 0 {
		o.Limit = 1000
	}
	return o
}

// Run verifies the whole journal. An error says that it could not be read to its end; then the report is about as much
// as was read, without what needs the whole.
func Run(ctx context.Context, store Store, opts Options) (Report, error) {
	a := newAudit(opts.withDefaults())
	horizon, marks, err := newHorizon(ctx, store)
	if err != nil {
		return a.report, fmt.Errorf("verify: %w", err)
	}
	a.horizon = horizon
	if err := a.read(ctx, store); err != nil {
		return a.report, fmt.Errorf("verify: %w", err)
	}
	if horizon.err != nil {
		return a.report, fmt.Errorf("verify: %w", horizon.err)
	}
	a.conclude(marks)
	return a.report, nil
}

// audit is one run. Only one goroutine folds.
type audit struct {
	opts    Options
	horizon *horizon
	over    domain.Time // deadlines up to here are long over; known at the end
	seed    maphash.Seed
	report  Report

	sagas      map[string]*saga // by the identity that an order and its payment share
	shelves    []*shelf
	shelfByID  map[string]uint32
	claims     map[string]*claimFold
	inboxes    map[string]*inboxFold
	strangers  map[storage.Stream]*cursor // of kinds that this version does not know
	disputes   map[digest]bool
	currencies currencies
	writers    map[string]*numbers
}

func newAudit(opts Options) *audit {
	return &audit{
		opts: opts, seed: maphash.MakeSeed(), report: newReport(),
		sagas: map[string]*saga{}, shelfByID: map[string]uint32{}, claims: map[string]*claimFold{},
		inboxes: map[string]*inboxFold{}, strangers: map[storage.Stream]*cursor{}, disputes: map[digest]bool{},
		currencies: currencies{index: map[string]uint16{}}, writers: map[string]*numbers{},
	}
}

// entry folds one entry into what is known.
func (a *audit) entry(d *decoded) {
	e := &d.entry
	a.report.Entries++
	a.report.Events += int64(len(e.Events))
	fresh := !a.horizon.holds(e)
	a.number(e, fresh)
	f := a.foldOf(e.Stream)
	c := f.position()
	if c.next == 0 {
		c.next = 1
		a.report.Streams[e.Stream.Kind()]++
	}
	c.fresh = c.fresh || fresh
	if !a.follows(c, e) {
		return
	}
	s := step{audit: a, Place: Place{Stream: e.Stream}, identity: e.Stream.Identity(), fresh: fresh}
	for i, event := range d.events {
		s.Sequence, s.stored, s.inside = e.First+uint64(i), &e.Events[i], event.at
		a.instants(&s, c)
		if event.problem != "" && !c.broken {
			s.wrong(G7, "%s", event.problem)
		}
		if event.value == nil {
			c.broken = true // what is unknown can't be folded, and everything after it rests on it
		}
		if !c.broken {
			f.fold(&s, event.value)
		}
	}
	if !c.broken {
		s.Sequence = e.Last()
		f.endEntry(&s)
	}
}

// fold is what is kept of one stream.
type fold interface {
	position() *cursor
	// fold checks the event against what is known, and makes it part of it.
	fold(s *step, event any)
	// endEntry checks what must be true whenever an entry ends: a decision is never stored in part.
	endEntry(s *step)
}

func (a *audit) foldOf(stream storage.Stream) fold {
	identity := stream.Identity()
	switch stream.Kind() {
	case kindOrder:
		return (*orderStream)(a.sagaOf(identity))
	case kindPayment:
		s := a.sagaOf(identity)
		if s.payment == nil {
			s.payment = &paymentFold{}
		}
		return s.payment
	case kindProduct:
		return a.shelfOf(identity)
	case kindClaim:
		return claimOf(a.claims, identity)
	case kindWebhook:
		return inboxOf(a.inboxes, identity)
	}
	return a.stranger(stream)
}

// Kinds of streams.
const (
	kindOrder   = "order"
	kindProduct = "product"
	kindPayment = "payment"
	kindClaim   = "claim"
	kindWebhook = "webhook"
)
