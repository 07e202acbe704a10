package bridge

import (
	"context"
	"fmt"
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

// lookers is how many streams are looked back into at a time.
const lookers = 16

// memoryStreams is how many streams one generation of a lineage's memory holds.
const memoryStreams = 1 << 16

// lineage answers for an entry whether all that precedes it in its stream has been relayed, by whomever: entities move
// between members, and the log of the one before may lag, or have nobody who relays it now.
//
// What it rests on: a relay hands an entry out only behind its predecessors, and moves a mark only over what is confirmed
// together with all that it handed out before. So where a mark has reached an entry, everything before that entry in its
// stream has been relayed too, and looking back may end there.
type lineage struct {
	journal storage.Journal
	writers storage.Writers
	own     string
	alone   bool // nobody else has anything left to relay, and nobody will join

	// Streams that have been relayed up to a sequence: by this relay, or before it. Two generations, so that what was
	// used lately stays, and the whole stays bounded.
	room          int // of one generation
	recent, older map[storage.Stream]uint64

	marks map[string]uint64 // every enlisted writer's relayed mark, as last read
	fresh bool              // marks were read after the entries at hand had become durable

	coming map[storage.Stream]struct{}        // streams of the entries at hand
	looked map[storage.Stream][]storage.Entry // what stands right before those of them that need it
}

func newLineage(journal storage.Journal, writers storage.Writers, own string) *lineage {
	return &lineage{journal: journal, writers: writers, own: own, room: memoryStreams,
		recent: map[storage.Stream]uint64{}, older: map[storage.Stream]uint64{},
		coming: map[storage.Stream]struct{}{}, looked: map[storage.Stream][]storage.Entry{}}
}

// relayed is the sequence up to which the stream is remembered to have been relayed.
func (l *lineage) relayed(stream storage.Stream) uint64 {
	if upTo, ok := l.recent[stream]; ok {
		return upTo
	}
	return l.older[stream]
}

// note remembers an entry that was handed out behind its predecessors.
func (l *lineage) note(e *storage.Entry) {
	if l.alone || !public(e.Stream.Kind()) {
		return
	}
	upTo := max(l.relayed(e.Stream), e.Last())
	if len(l.recent) >= l.room {
		l.recent, l.older = l.older, l.recent
		clear(l.recent)
	}
	l.recent[e.Stream] = upTo
}

// known says without asking anybody that nothing before the entry is missing. An entry without messages is no
// exception: the next one looks back no further than to it.
func (l *lineage) known(e *storage.Entry) bool {
	return l.alone || e.First == 1 || !public(e.Stream.Kind()) || l.relayed(e.Stream) >= e.First-1
}

// begin takes the next entries at hand: all of them are durable now, so that marks read from here on tell of everything
// before them. It looks back for many at a time, because one after another would hold up the relay when entities come
// from elsewhere by the thousand; what fails is looked at again by missing.
func (l *lineage) begin(ctx context.Context, entries []storage.Entry, handed func(writer string, number uint64) bool) {
	l.fresh = false
	clear(l.looked)
	clear(l.coming)
	var unknown []*storage.Entry
	for i := range entries {
		e := &entries[i]
		if _, follows := l.coming[e.Stream]; !follows && !l.known(e) && !handed(e.Writer, e.Number) {
			unknown = append(unknown, e)
		}
		if !l.alone {
			l.coming[e.Stream] = struct{}{}
		}
	}
	if len(unknown) < 2 {
		return
	}
	if alone, err := l.isAlone(ctx); alone || err != nil {
		return
	}
	found := make([][]storage.Entry, len(unknown))
	for from := 0; from < len(unknown); from += lookers {
		var looking sync.WaitGroup
		for i := from; i < min(from+lookers, len(unknown)); i++ {
			looking.Go(func() {
				if before, err := l.journal.ReadBack(ctx, unknown[i].Stream, unknown[i].First, 1); err == nil {
					found[i] = before
				}
			})
		}
		looking.Wait()
	}
	for i, e := range unknown {
		l.looked[e.Stream] = found[i]
	}
}

// back returns entries of the stream that end before the sequence, newest first.
func (l *lineage) back(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	entries := l.looked[stream]
	if len(entries) == 0 || entries[0].Last() != before-1 {
		var err error
		if entries, err = l.journal.ReadBack(ctx, stream, before, limit); err != nil {
			return nil, fmt.Errorf("read back %s before %d: %w", stream, before, err)
		}
	}
	if len(entries) == 0 || entries[0].Last() != before-1 {
		return nil, fmt.Errorf("read back %s before %d: nothing ends there", stream, before)
	}
	return entries, nil
}

// missing returns the first sequence of the stream that nobody may have relayed yet: e.First when there is none before
// it. handed says what this relay handed out that the marks do not show.
func (l *lineage) missing(ctx context.Context, e *storage.Entry, handed func(writer string, number uint64) bool) (uint64, error) {
	if alone, err := l.isAlone(ctx); alone || err != nil {
		return e.First, err
	}
	from, upTo := e.First, l.relayed(e.Stream)
	for limit := 1; from > upTo+1; limit = min(16*limit, readEntries) {
		before, err := l.back(ctx, e.Stream, from, limit)
		if err != nil {
			return 0, err
		}
		for i := range before {
			p := &before[i]
			done := p.Last() <= upTo || handed(p.Writer, p.Number)
			if !done {
				if done, err = l.covered(ctx, p); err != nil {
					return 0, err
				}
			}
			if done {
				return from, nil
			}
			from = p.First
		}
	}
	return from, nil
}

// covered says whether the mark of the entry's writer has reached it.
func (l *lineage) covered(ctx context.Context, e *storage.Entry) (bool, error) {
	if mark, enlisted := l.marks[e.Writer]; enlisted && e.Number <= mark {
		return true, nil
	}
	if err := l.refresh(ctx); err != nil {
		return false, err
	}
	mark, enlisted := l.marks[e.Writer]
	return !enlisted || e.Number <= mark, nil // retired: relayed to its end
}

// isAlone says that nobody else has anything left to relay: one's own log is relayed in order, and who is enlisted no
// more has been relayed to the end.
func (l *lineage) isAlone(ctx context.Context) (bool, error) {
	others := func() bool {
		_, own := l.marks[l.own]
		return len(l.marks) > 1 || len(l.marks) == 1 && !own
	}
	if others() {
		return false, nil
	}
	err := l.refresh(ctx)
	return err == nil && !others(), err
}

// refresh reads the marks, once for the entries at hand: a mark that moves meanwhile would only spare a repeat.
func (l *lineage) refresh(ctx context.Context) error {
	if l.fresh {
		return nil
	}
	all, err := l.writers.Writers(ctx)
	if err != nil {
		return fmt.Errorf("list writers: %w", err)
	}
	l.learn(all)
	l.fresh = true
	return nil
}

func (l *lineage) learn(all []storage.Marks) {
	l.marks = make(map[string]uint64, len(all))
	for _, w := range all {
		l.marks[w.Writer] = w.Relayed
	}
}
