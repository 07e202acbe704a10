package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// answer is the broker's to one message, when it comes.
type answer struct {
	done  chan struct{}
	acked bool
}

func (a *answer) Done() <-chan struct{} { return a.done }
func (a *answer) Acked() bool           { return a.acked }

// packet is a message between a member and the broker. It may arrive however late, also after its sender died.
type packet struct {
	message Message
	answer  *answer
	taken   bool // by the broker; the answer is on its way
}

// member is a process with a committer that may have one write under way, and a relay with a connection to the broker.
// The relay is the product's own, down to the window; only the AMQP session is played.
type member struct {
	name    string
	relay   *Relay
	wire    []*packet // oldest first
	online  bool
	frozen  bool
	dead    bool
	evicted bool
	knows   map[storage.Stream]uint64 // versions, as it believes
	number  uint64
	batch   []storage.Entry // under way
	results []error         // nil: not known yet
}

const orderOfAll = "68b1f2a04b1c7d2e9f001122"

var errUnknown = errors.New("outcome unknown")

// world is a cluster in one thread: every step is one that a real one could take, in an order that the seed decides.
type world struct {
	t       *testing.T
	random  *rand.Rand
	store   *memory.Store
	now     time.Time
	members []*member
	owner   map[storage.Stream]*member
	streams []storage.Stream
	births  int
	ending  bool // nothing fails any more

	made   map[string][]string // ids of messages, by writer and number
	seen   map[string]string   // first-seen body by id
	last   map[string]uint64   // newest sequence seen, by aggregate
	trace  []string            // of what happened
	counts struct{ repeats, moves, late int }
}

func newWorld(t *testing.T, seed uint64, members, streams int) *world {
	w := &world{t: t, random: rand.New(rand.NewPCG(seed, 7)), store: memory.New(), now: at.Std(), owner: map[storage.Stream]*member{},
		made: map[string][]string{}, seen: map[string]string{}, last: map[string]uint64{}}
	for n := range streams {
		w.streams = append(w.streams, storage.StreamOf([]string{"product", "order"}[n%2], fmt.Sprintf("e-%d", n)))
	}
	for range members {
		w.born()
	}
	return w
}

func (w *world) note(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	for _, line := range w.trace[max(0, len(w.trace)-120):] {
		w.t.Log(line)
	}
	w.t.Fatalf(format, args...)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.fail("%v", err)
	}
}

// may lets a question to the store fail that is asked again.
func (w *world) may(err error) {
	w.t.Helper()
	if err != nil && !errors.Is(err, errAway) {
		w.fail("%v", err)
	}
}

// born starts a process.
func (w *world) born() *member {
	w.births++
	m := &member{name: fmt.Sprintf("m%d", w.births), online: true, knows: map[storage.Stream]uint64{}}
	_, err := w.store.Enlist(w.t.Context(), m.name)
	w.must(err)
	config := RelayConfig{URL: "amqp://x", Writer: m.name, Window: 1 + w.random.IntN(6), TailEntries: 1 << w.random.IntN(5), UnderWay: 4,
		LookInterval: time.Second, RetireAfter: 1000 * time.Hour, Clock: func() time.Time { return w.now },
		Gone: w.gone}
	switch w.random.IntN(3) {
	case 0: // adopts whatever it sees
	case 1:
		config.Mine = func(writer string) bool { return w.heir(writer) == m }
	case 2: // a view of the ring that is out of date now and then
		config.Mine = func(writer string) bool { return w.random.IntN(3) == 0 || w.heir(writer) == m }
	}
	m.relay = NewRelay(config, moody{w.store, w}, moody{w.store, w}, slog.New(slog.DiscardHandler))
	m.relay.supply.page = 1 + w.random.IntN(5)
	m.relay.supply.lineage.room = 1 + w.random.IntN(6)
	w.members = append(w.members, m)
	w.note("%s is born", m.name)
	return m
}

func (w *world) gone(writer string) bool {
	for _, m := range w.members {
		if m.name == writer {
			return m.evicted
		}
	}
	return true
}

// heir is the one who has to adopt a writer: the first member that runs.
func (w *world) heir(writer string) *member {
	for _, m := range w.members {
		if m.acts() && !m.evicted {
			return m
		}
	}
	return nil
}

func (m *member) acts() bool { return !m.frozen && !m.dead }

func (w *world) pick(fit func(*member) bool) *member {
	var fits []*member
	for _, m := range w.members {
		if fit(m) {
			fits = append(fits, m)
		}
	}
	if len(fits) == 0 {
		return nil
	}
	return fits[w.random.IntN(len(fits))]
}

func (w *world) head(stream storage.Stream) uint64 {
	entries, err := w.store.ReadBack(w.t.Context(), stream, 0, 1)
	w.must(err)
	if len(entries) == 0 {
		return 0
	}
	return entries[0].Last()
}

// decide lets a member begin to write for some of the entities that it believes to own.
func (w *world) decide(m *member) {
	if len(m.batch) > 0 {
		return
	}
	for _, n := range w.random.Perm(len(w.streams))[:1+w.random.IntN(min(4, len(w.streams)))] {
		stream := w.streams[n]
		if owner := w.owner[stream]; owner == nil || owner.evicted || owner.dead {
			w.owner[stream] = m
		}
		version, believes := m.knows[stream]
		if w.owner[stream] != m && !believes {
			continue
		}
		if !believes {
			version = w.head(stream)
		}
		m.number++
		e := storage.Entry{Stream: stream, First: version + 1, Writer: m.name, Number: m.number}
		for i := range 1 + w.random.IntN(2) {
			e.Events = append(e.Events, w.event(stream, e.First+uint64(i)))
		}
		m.batch, m.results = append(m.batch, e), append(m.results, errUnknown)
	}
}

// event has a message two times out of three; its body tells who decided on it.
func (w *world) event(stream storage.Stream, sequence uint64) storage.Event {
	var event storage.Event
	number := fmt.Sprintf("%d-%d", sequence, w.random.IntN(1000))
	switch silent := w.random.IntN(3) == 0; {
	case stream.Kind() == "order" && sequence == 1:
		event = stored(w.t, order.Placed{ID: orderOfAll, Number: number, At: at})
	case stream.Kind() == "order" && silent:
		event = stored(w.t, order.Hidden{})
	case stream.Kind() == "order": // does not say which order's it is
		event = stored(w.t, order.StatusChanged{Number: number, Status: order.StatusShipped, At: at})
	case silent:
		event = stored(w.t, product.Held{OrderID: "o-1", Quantity: 2})
	default:
		event = stored(w.t, product.LowStock{ProductID: stream.Identity(), ProductName: number, At: at})
	}
	event.At = w.now
	return event
}

// write makes one entry of what is under way durable, or finds it fenced; the member may learn of it, or not yet.
func (w *world) write(m *member) {
	if len(m.batch) == 0 {
		return
	}
	i := w.random.IntN(len(m.batch))
	if m.evicted && m.results[i] == errUnknown {
		w.counts.late++
	}
	m.results[i] = w.store.Append(w.t.Context(), m.batch[i:i+1])[0]
	w.note("%s writes %s@%d as %d: %v", m.name, m.batch[i].Stream, m.batch[i].First, m.batch[i].Number, m.results[i])
	if m.frozen || slices.Contains(m.results, errUnknown) {
		return
	}
	var durable []storage.Entry
	for i, e := range m.batch {
		if m.results[i] == nil {
			durable = append(durable, e)
			m.knows[e.Stream] = e.Last()
		} else {
			delete(m.knows, e.Stream)
		}
	}
	m.batch, m.results = nil, nil
	m.relay.Committed(durable)
}

func (w *world) looks(m *member) {
	if !m.relay.supply.started {
		return
	}
	left, retired, err := m.relay.adoption.look(w.t.Context(), w.random.IntN(2) == 0)
	w.may(err)
	m.relay.inherit(left, retired)
	for _, in := range left {
		w.note("%s adopts %s", m.name, in.writer)
	}
}

func (w *world) moves() {
	stream := w.streams[w.random.IntN(len(w.streams))]
	m := w.pick(func(m *member) bool { return m.acts() && !m.evicted })
	if m != nil && w.owner[stream] != m {
		w.counts.moves++
		w.owner[stream] = m // the one before may not know yet
		delete(m.knows, stream)
	}
}

// trouble freezes, wakes, evicts, kills or cuts off somebody.
func (w *world) trouble() {
	m := w.members[w.random.IntN(len(w.members))]
	switch n := w.random.IntN(7); {
	case m.dead:
		m.evicted = true
	case n == 0:
		m.frozen = true
		w.note("%s freezes", m.name)
	case n == 1 && m.frozen && m.evicted && w.random.IntN(2) == 0, n == 2 && w.random.IntN(3) == 0, n == 3 && m.evicted && !m.frozen:
		m.dead = true
		w.note("%s dies", m.name)
		w.born()
	case n <= 3:
		m.frozen = false
		w.note("%s wakes", m.name)
	case n == 4 && m.frozen, n == 4 && len(m.batch) > 0:
		m.frozen = true
		m.evicted = true
		w.note("%s is evicted", m.name)
	case n == 5 && m.acts() && m.online:
		w.disconnects(m)
	case m.acts() && !m.online:
		w.reconnects(m)
	}
}
