package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// RelayConfig says what to relay, and where to. Zero values of the optional fields give the defaults.
type RelayConfig struct {
	URL    string // amqp:// or amqps://; empty: nothing is published, everything is kept in the journal
	Writer string // this member's name in the journal
	// Last is what Enlist returned before this process's first append: what the journal holds of this writer so far.
	Last uint64
	// Gone says of another enlisted writer that its member is no longer in the membership, so that what it left has to be
	// relayed by another. It may still write once more, when it was frozen or cut off. Safe for concurrent use, fast.
	// nil: all others are gone for good, and nobody will join, as for a store that only one process may open.
	Gone func(writer string) bool
	// Mine says whether this member is the one to adopt a gone writer. Two that adopt the same one do no harm; somebody
	// must. Safe for concurrent use, fast. nil: this member adopts all.
	Mine func(writer string) bool

	Aliases bool // also publish under the names that older consumers know
	Queues  bool // also declare the durable queues of older consumers

	Window         int           // messages without a confirm at one time; 256
	TailEntries    int           // entries kept in memory for the relay; 4096
	TailBytes      int           // of their data; 32 MiB
	ConfirmTimeout time.Duration // a broker that is silent for longer is given up and dialled again; 10 s
	MarkInterval   time.Duration // 100 ms
	MaxBackoff     time.Duration // between two attempts to connect; 5 s
	DrainTimeout   time.Duration // how long Run waits for open confirms when it has to stop; 2 s
	LookInterval   time.Duration // between two looks for gone writers; 2 s, growing to a minute for one that went long ago
	// RetireAfter is how long a gone writer has to be silent before it is retired; 24 h. It is the longest that a frozen
	// process may sleep and still have what it writes on waking relayed by others. Only with Gone.
	RetireAfter time.Duration
	// UnderWay is how many numbers a writer may have under way: it gives number n only after it knows the outcome of all
	// up to n-UnderWay. The same for all members; 256.
	UnderWay int

	Clock func() time.Time // time.Now
}

func (c RelayConfig) withDefaults() RelayConfig {
	orDefault(&c.Window, 256)
	orDefault(&c.TailEntries, 4096)
	orDefault(&c.TailBytes, 32<<20)
	orDefault(&c.ConfirmTimeout, 10*time.Second)
	orDefault(&c.MarkInterval, 100*time.Millisecond)
	orDefault(&c.MaxBackoff, 5*time.Second)
	orDefault(&c.DrainTimeout, 2*time.Second)
	orDefault(&c.LookInterval, 2*time.Second)
	orDefault(&c.RetireAfter, 24*time.Hour)
	orDefault(&c.UnderWay, 256)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return c
}

// Status is the relay's state for health checks and metrics.
type Status struct {
	Connected bool
	Blocked   bool   // the broker takes nothing for now: it is short of memory or disk
	Behind    uint64 // how far the newest committed entry is from the mark; numbers have gaps, so at most so many entries
	Published uint64 // messages sent, repeats included
	Confirmed uint64
	Sessions  uint64 // connections made so far
	Err       error  // why it is not connected, or does not get on; nil when all is well
}

// Relay publishes this member's catalogue events, in the order in which they were committed, each until the broker has
// confirmed it, and what gone writers left. It needs no broker to exist: what could not be published stays in the journal,
// above the relayed mark.
type Relay struct {
	config RelayConfig
	logger *slog.Logger
	tail   *tail
	marks  *marker
	supply *supply
	window *window

	adoption *adoption

	connected, blocked             atomic.Bool
	published, confirmed, sessions atomic.Uint64

	mu  sync.Mutex
	err error
}

// NewRelay makes a relay that does nothing before Run.
func NewRelay(config RelayConfig, journal storage.Journal, writers storage.Writers, logger *slog.Logger) *Relay {
	config = config.withDefaults()
	r := &Relay{config: config, logger: logger, marks: newMarker(writers, logger), window: newWindow(config.Window)}
	r.tail = newTail(config.TailEntries, config.TailBytes, config.Last)
	r.adoption = &adoption{journal: journal, writers: writers, logger: logger, own: config.Writer, gone: config.Gone,
		mine: config.Mine, interval: config.LookInterval, retireAfter: config.RetireAfter, clock: config.Clock,
		nudged: make(chan struct{}, 1), seen: map[string]*departure{}}
	r.supply = &supply{journal: journal, writers: writers, marks: r.marks, tail: r.tail, adoption: r.adoption,
		lineage: newLineage(journal, writers, config.Writer), own: config.Writer, aliases: config.Aliases, page: readEntries,
		underWay: uint64(config.UnderWay), estates: map[string]*estate{}, buffer: make([]storage.Entry, 0, readEntries)}
	return r
}

// Committed takes entries that have become durable. The committer calls it after each batch, in commit order: once an
// entry was passed, none with a lower number of this writer may become durable any more. It never blocks.
func (r *Relay) Committed(entries []storage.Entry) {
	if r.config.URL == "" || len(entries) == 0 {
		return
	}
	r.tail.append(entries)
}

// Adopt lets the relay publish what another writer has left above its relayed mark, before it goes on with its own, as
// if Gone and Mine had said so. The writer's mark moves.
func (r *Relay) Adopt(writer string) {
	r.inherit([]inheritance{{writer: writer, final: !r.adoption.looksAgain()}}, nil)
}

// Look lets the relay look for gone writers at once, as after a change of the membership. It never blocks.
func (r *Relay) Look() { r.adoption.nudge() }

func (r *Relay) inherit(left []inheritance, retired []string) {
	r.supply.forget(retired)
	for _, in := range left {
		r.supply.adopt(in)
	}
	if len(left) > 0 {
		r.tail.nudge()
	}
}

// Connected says whether there is a working connection to the broker.
func (r *Relay) Connected() bool { return r.connected.Load() }

// Behind is how far the newest committed entry is from the newest that the broker confirmed.
// Without a broker address it is 0.
func (r *Relay) Behind() uint64 {
	if r.config.URL == "" {
		return 0
	}
	newest, reached := r.tail.newest(), r.marks.at(r.config.Writer)
	if newest <= reached {
		return 0
	}
	return newest - reached
}

// Status returns the state for health checks and metrics.
func (r *Relay) Status() Status {
	r.mu.Lock()
	err := r.err
	r.mu.Unlock()
	return Status{Connected: r.connected.Load(), Blocked: r.blocked.Load(), Behind: r.Behind(), Published: r.published.Load(),
		Confirmed: r.confirmed.Load(), Sessions: r.sessions.Load(), Err: err}
}

func (r *Relay) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Flush returns when everything committed so far is confirmed, or with the context's error. Run must be running.
func (r *Relay) Flush(ctx context.Context) error {
	target := r.tail.newest()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for r.marks.at(r.config.Writer) < target {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("flush relay, %d entries behind: %w", r.Behind(), ctx.Err())
		}
	}
	return nil
}

// severity of a lost broker: somebody has to mend a topology; that it is still away needs no line each time.
func severity(err error, first bool) slog.Level {
	switch {
	case errors.Is(err, ErrTopology):
		return slog.LevelError
	case first:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// Run relays until ctx ends, then waits a moment for open confirms, writes the marks and returns nil. A broker that is
// away is no error.
func (r *Relay) Run(ctx context.Context) error {
	if r.config.URL == "" {
		<-ctx.Done()
		return nil
	}
	if err := r.supply.start(ctx); err != nil && ctx.Err() == nil {
		r.note(err)
		r.logger.WarnContext(ctx, "relayed marks not readable, will be tried again", "err", err)
	}
	var beside sync.WaitGroup
	beside.Go(func() { r.marks.run(ctx, r.config.MarkInterval) })
	beside.Go(func() { r.adoption.run(ctx, r.inherit) })
	wait := backoff{min: 100 * time.Millisecond, max: r.config.MaxBackoff}
	first := true
	for ctx.Err() == nil {
		confirmed := r.confirmed.Load()
		err := r.session(ctx)
		r.connected.Store(false)
		r.blocked.Store(false)
		if ctx.Err() != nil {
			break
		}
		r.note(err)
		r.logger.Log(ctx, severity(err, first), "relay has no broker, will connect again", "behind", r.Behind(), "err", err)
		first = false
		if r.confirmed.Load() > confirmed {
			first = true
			wait.reset()
		}
		if !wait.pause(ctx) {
			break
		}
	}
	beside.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := r.marks.flush(last); err != nil {
		// Not fatal: the same messages go again, with the same ids.
		r.logger.WarnContext(ctx, "relayed mark not written at stop", "err", err)
	}
	return nil
}
