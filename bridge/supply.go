package bridge

import (
	"context"
	"fmt"
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// readEntries is how many entries are read and translated at a time.
const readEntries = 512

// outgoing is a message on its way, and what its confirmation means for the mark of the writer whose log it came with.
type outgoing struct {
	message Message
	writer  string
	covers  uint64 // see slot.covers
}

// supply brings the messages in the order in which they have to leave: first what gone writers left, then this member's
// own backlog from the journal, then its live tail. An entry whose predecessors in the stream may not have been relayed
// yet comes behind those, whoever wrote them; that moves no mark but, behind it, the one of the log that is being read.
// Only the relay's goroutine uses it, but for adopt and forget.
type supply struct {
	journal  storage.Journal
	writers  storage.Writers
	marks    *marker
	tail     *tail
	lineage  *lineage
	adoption *adoption
	own      string
	aliases  bool
	page     int    // entries to read at a time
	underWay uint64 // see RelayConfig.UnderWay

	mu      sync.Mutex
	queue   []inheritance // still to be relayed
	retired []string

	started bool
	source  string // whose entries are being read
	cursor  uint64 // the last own entry that was read
	estates map[string]*estate
	buffer  []storage.Entry
	pending []storage.Entry // read from source, and not yet handed out
	upTo    uint64          // there is nothing else up to here, when pending is done
	missing uint64          // of the first pending entry's stream: handed out up to before here; 0: not looked at

	messages []outgoing // translated
	handed   int        // so many of them were handed out
	// An entry without messages right at the start of what was read: it counts as relayed with what left before it.
	coveredBy string
	covered   uint64
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
	for len(s.messages) == 0 && s.covered == 0 {
		if len(s.pending) == 0 && s.upTo == 0 {
			if more, err := s.fetch(ctx); err != nil || !more {
				return err
			}
			s.lineage.begin(ctx, s.pending, s.has)
		}
		if err := s.process(ctx); err != nil {
			if s.source != s.own && ctx.Err() == nil && s.adoption.looksAgain() {
				// What one writer left must not hold up everything else; the next look finds it again.
				s.pending, s.missing = nil, 0
				s.finish()
			}
			return err
		}
	}
	return nil
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
	left, _, err := s.adoption.examine(ctx, all, true)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.Writer == s.own {
			s.marks.load(w.Writer, w.Relayed)
			s.cursor = w.Relayed
		}
	}
	s.lineage.learn(all)
	s.lineage.alone = !s.adoption.looksAgain() && len(left) == 0
	for _, in := range left {
		s.adopt(in)
	}
	s.started = true
	return nil
}

// fetch reads entries; false when all there is has been read.
func (s *supply) fetch(ctx context.Context) (bool, error) {
	for {
		if err := s.choose(ctx); err != nil {
			return false, err
		}
		if s.source == s.own {
			return s.fetchOwn(ctx)
		}
		e := s.estates[s.source]
		after := e.next(s.underWay)
		entries, err := s.journal.Committed(ctx, s.source, after, s.page)
		if err != nil {
			err = fmt.Errorf("read journal of %s after %d: %w", s.source, after, err)
			if s.adoption.looksAgain() {
				s.finish()
			}
			return false, err
		}
		if len(entries) > 0 {
			e.reached(entries[len(entries)-1].Number)
			s.pending = entries
			return true, nil
		}
		s.finish()
	}
}

// fetchOwn reads from the tail, or from the journal what the tail has let go.
func (s *supply) fetchOwn(ctx context.Context) (bool, error) {
	taken, known, ok := s.tail.take(s.cursor, s.buffer)
	if ok {
		s.pending = taken
		return len(taken) > 0, nil
	}
	// An entry above known may be durable while one below it is still being written: it comes with the tail, in order.
	entries, err := s.journal.Committed(ctx, s.own, s.cursor, s.page)
	if err != nil {
		return false, fmt.Errorf("read journal of %s after %d: %w", s.own, s.cursor, err)
	}
	complete := len(entries) < s.page
	for len(entries) > 0 && entries[len(entries)-1].Number > known {
		entries, complete = entries[:len(entries)-1], true
	}
	if complete {
		s.upTo = known
	}
	s.pending = entries
	return true, nil
}

// process translates the pending entries, each behind its predecessors.
func (s *supply) process(ctx context.Context) error {
	for len(s.pending) > 0 {
		e := &s.pending[0]
		if s.source == s.own || !s.estates[s.source].handed(e.Number) {
			complete, err := s.precede(ctx, e)
			if err != nil || !complete {
				return err
			}
			if err := s.translate(ctx, e); err != nil {
				return err
			}
			s.lineage.note(e)
		}
		s.missing = 0
		s.pass(e.Number)
		s.pending = s.pending[1:]
	}
	if s.source == s.own {
		s.cursor = max(s.cursor, s.upTo)
	}
	s.upTo = 0
	return nil
}

// pass notes that the source's next entry was handed out, and lets its mark follow.
func (s *supply) pass(number uint64) {
	if s.source == s.own {
		s.cursor = number
	} else if number = s.estates[s.source].pass(number); number == 0 {
		return
	}
	if n := len(s.messages); n > 0 {
		s.messages[n-1].covers = number
	} else {
		s.coveredBy, s.covered = s.source, number
	}
}
