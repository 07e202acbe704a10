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
	Writers(ctx context.Context) ([]storage.Marks, error)
}

// Options of a run; the zero value is for a journal that nobody writes to.
type Options struct {
	// Now is the instant at which the run starts, by the clock that the members' clocks follow. Entries that are later
	// are left out, so that what is looked at is one consistent state of a shop that is running. Zero: nobody writes,
	// nothing is left out, and the newest event's instant counts as now.
	Now time.Time
	// Grace is how long after its deadline a hold may still stand, because its order was just giving it back. 0: 1 min.
	Grace time.Duration
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
	marks, err := store.Writers(ctx) // before the scan: a mark must not be newer than the entries
	if err != nil {
		return a.report, fmt.Errorf("verify: read writers: %w", err)
	}
	if err := a.read(ctx, store); err != nil {
		return a.report, fmt.Errorf("verify: %w", err)
	}
	a.conclude(marks)
	return a.report, nil
}

// audit is one run. Only one goroutine folds.
type audit struct {
	opts   Options
	now    domain.Time // zero: the newest instant, which is known at the end
	newest domain.Time
	seed   maphash.Seed
	report Report

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
		opts: opts, now: domain.At(opts.Now), seed: maphash.MakeSeed(), report: newReport(),
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
	a.number(e)
	f := a.foldOf(e.Stream)
	c := f.position()
	if c.next == 0 {
		c.next = 1
		a.report.Streams[e.Stream.Kind()]++
	}
	if c.later || a.isLater(d) {
		c.later = true
		a.report.Later++
		return
	}
	if !a.follows(c, e) {
		return
	}
	s := step{audit: a, Place: Place{Stream: e.Stream}, identity: e.Stream.Identity()}
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

// isLater says whether the entry was written after the instant that the run looks at. Both the store's and the event's
// own instant have to say so: an altered one alone must not hide an entry.
func (a *audit) isLater(d *decoded) bool {
	if a.now == 0 || len(d.events) == 0 {
		return false
	}
	last := len(d.events) - 1
	return domain.At(d.entry.Events[last].At) > a.now && d.events[last].at > a.now
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
