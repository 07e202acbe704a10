package bridge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// readEntries is how many entries are translated at a time.
const readEntries = 128

// outgoing is a message on its way, and what its confirmation means for its writer's mark.
type outgoing struct {
	message Message
	writer  string
	covers  uint64 // see slot.covers
}

// supply brings the messages in the order in which they have to leave: first what gone writers left, then this member's
// own backlog from the journal, then its live tail. Only the relay's goroutine uses it, but for adopt.
type supply struct {
	journal storage.Journal
	writers storage.Writers
	marks   *marker
	tail    *tail
	own     string
	gone    func(writer string) bool
	aliases bool

	mu    sync.Mutex
	queue []string // gone writers still to be relayed

	started bool
	source  string            // whose entries are being read
	cursors map[string]uint64 // per writer, the last entry that was read
	buffer  []storage.Entry

	messages []outgoing // translated
	handed   int        // so many of them were handed out
	// An entry without messages right at the start of what was read: it counts as relayed with what left before it.
	coveredBy string
	covered   uint64
}

func (s *supply) adopt(writer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if writer != s.own && !slices.Contains(s.queue, writer) {
		s.queue = append(s.queue, writer)
	}
}

// next hands out one message; false when read has to be called.
func (s *supply) next() (outgoing, bool) {
	if s.handed == len(s.messages) {
		return outgoing{}, false
	}
	s.handed++
	return s.messages[s.handed-1], true
}

// read looks for entries and translates them into messages. It may block on the store. When it returns no error and
// there are no messages, all there is has been read. After an error it goes on where it stopped.
func (s *supply) read(ctx context.Context) error {
	clear(s.messages)
	s.messages, s.handed, s.covered = s.messages[:0], 0, 0
	if err := s.start(ctx); err != nil {
		return err
	}
	for {
		if err := s.choose(ctx); err != nil {
			return err
		}
		entries, upTo, err := s.entries(ctx)
		if err != nil {
			return err
		}
		for i := range entries {
			if err := s.translate(ctx, &entries[i]); err != nil {
				return err
			}
			s.cursors[s.source] = entries[i].Number
		}
		s.cursors[s.source] = max(s.cursors[s.source], upTo)
		switch {
		case len(s.messages) > 0 || s.covered != 0:
			return nil
		case len(entries) > 0 || upTo != 0:
			// only entries that leave nothing behind; go on
		case s.source != s.own:
			s.finish()
		default:
			return nil
		}
	}
}

// start finds the marks, and who left something to relay.
func (s *supply) start(ctx context.Context) error {
	if s.started {
		return nil
	}
	all, err := s.writers.Writers(ctx)
	if err != nil {
		return fmt.Errorf("list writers: %w", err)
	}
	since := map[string]time.Time{}
	var left []string
	for _, w := range all {
		if w.Writer == s.own {
			s.marks.load(w.Writer, w.Relayed)
			s.cursors[w.Writer] = w.Relayed
			continue
		}
		if s.gone != nil && !s.gone(w.Writer) {
			continue
		}
		first, err := s.journal.Committed(ctx, w.Writer, w.Relayed, 1)
		if err != nil {
			return fmt.Errorf("read backlog of %s: %w", w.Writer, err)
		}
		if len(first) > 0 {
			left = append(left, w.Writer)
			since[w.Writer] = first[0].Events[0].At
		}
	}
	// One process after another wrote these; an entity's older events must leave first.
	slices.SortFunc(left, func(a, b string) int { return since[a].Compare(since[b]) })
	for _, writer := range left {
		s.adopt(writer)
	}
	s.started = true
	return nil
}

// choose puts gone writers before the own tail.
func (s *supply) choose(ctx context.Context) error {
	s.mu.Lock()
	next := s.own
	if len(s.queue) > 0 {
		next = s.queue[0]
	}
	s.mu.Unlock()
	if next == s.source {
		return nil
	}
	if next != s.own {
		all, err := s.writers.Writers(ctx)
		if err != nil {
			return fmt.Errorf("list writers: %w", err)
		}
		for _, w := range all {
			if w.Writer == next {
				s.marks.load(next, w.Relayed)
				s.cursors[next] = w.Relayed
			}
		}
	}
	s.source = next
	return nil
}

// finish is called when a gone writer has nothing left.
func (s *supply) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = s.queue[1:]
}

// entries returns what follows the source's cursor. upTo, when not 0, says that there is nothing else up to that number.
func (s *supply) entries(ctx context.Context) (entries []storage.Entry, upTo uint64, err error) {
	cursor := s.cursors[s.source]
	if s.source == s.own {
		taken, known, ok := s.tail.take(cursor, s.buffer)
		if ok {
			return taken, 0, nil
		}
		// An entry above known may be durable while one below it is still being written: it comes with the tail, in order.
		entries, err = s.journal.Committed(ctx, s.own, cursor, readEntries)
		complete := len(entries) < readEntries
		for len(entries) > 0 && entries[len(entries)-1].Number > known {
			entries, complete = entries[:len(entries)-1], true
		}
		if complete {
			upTo = known
		}
	} else {
		entries, err = s.journal.Committed(ctx, s.source, cursor, readEntries)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read journal of %s after %d: %w", s.source, cursor, err)
	}
	return entries, upTo, nil
}

func (s *supply) translate(ctx context.Context, e *storage.Entry) error {
	before := len(s.messages)
	orderID := ""
	for i := range e.Events {
		origin := Origin{Stream: e.Stream, Sequence: e.First + uint64(i), OrderID: orderID, Trace: e.Trace}
		if origin.OrderID == "" && NeedsOrderID(e.Events[i].Type) {
			id, err := s.orderID(ctx, e.Stream)
			if err != nil {
				s.messages = s.messages[:before]
				return err
			}
			origin.OrderID = id
		}
		m, ok, err := Catalogue(origin, e.Events[i])
		if err != nil {
			s.messages = s.messages[:before]
			return err
		}
		if !ok {
			continue
		}
		orderID = m.CorrelationID
		s.messages = append(s.messages, outgoing{message: m, writer: e.Writer})
		if alias, ok := m.Alias(); ok && s.aliases {
			s.messages = append(s.messages, outgoing{message: alias, writer: e.Writer})
		}
	}
	if n := len(s.messages); n > 0 {
		s.messages[n-1].covers = e.Number
	} else {
		s.coveredBy, s.covered = e.Writer, e.Number
	}
	return nil
}

// orderID finds the id of a stream's order in its first event, which carries it. Most entries hold an event that names
// it themselves; steps by hand, such as a delivery's, need this.
func (s *supply) orderID(ctx context.Context, stream storage.Stream) (string, error) {
	first, err := s.journal.Read(ctx, stream, 0, 1)
	if err != nil {
		return "", fmt.Errorf("read start of %s: %w", stream, err)
	}
	if len(first) == 0 || len(first[0].Events) == 0 {
		return "", fmt.Errorf("read start of %s: %w", stream, ErrNoOrderID)
	}
	m, ok, err := Catalogue(Origin{Stream: stream, Sequence: first[0].First}, first[0].Events[0])
	if err != nil {
		return "", err
	}
	if !ok || m.CorrelationID == "" {
		return "", fmt.Errorf("start of %s: %w", stream, ErrNoOrderID)
	}
	return m.CorrelationID, nil
}
