package sqlite

import (
	"context"
	"time"
)

// archiving is how entries are archived while the store is open; without a clock they are not.
type archiving struct {
	after time.Duration
	clock func() time.Time
	ticks <-chan time.Time
}

// WithArchive moves entries to archive.db by and by, when they are older than after.
func WithArchive(after time.Duration, clock func() time.Time) Option {
	return func(s *settings) { s.archiving.after, s.archiving.clock = after, clock }
}

// archiveEvery is how often the archiver looks whether entries have become old enough.
const archiveEvery = time.Minute

// archiver moves entries when they have become old, also while nobody had the store open. Open starts it, Close waits for it.
func (s *Store) archiver(a archiving) {
	defer close(s.archived)
	if a.clock == nil {
		return
	}
	if a.ticks == nil {
		ticker := time.NewTicker(archiveEvery)
		defer ticker.Stop()
		a.ticks = ticker.C
	}
	trouble := ""
	for {
		err := s.archiveRound(context.Background(), a)
		switch {
		case err == nil:
			trouble = ""
		case err.Error() != trouble: // the same again each minute helps nobody
			trouble = err.Error()
			s.logger.Error("old entries not archived", "err", err)
		}
		select {
		case <-s.stop:
			return
		case <-a.ticks:
		}
	}
}

// archiveRound moves all that is old, in steps, and gives way to those who append in between.
func (s *Store) archiveRound(ctx context.Context, a archiving) error {
	defer s.archive.rest()
	for {
		start, last := time.Now(), s.index.last()
		moved, err := s.archiveStep(ctx, a.clock(), a.after)
		if err != nil || moved.Entries == 0 {
			return err
		}
		took := time.Since(start)
		select {
		case <-s.stop:
			return nil
		case <-time.After(pause(took, s.index.last()-last)):
		}
	}
}

// pause is how long the archiver waits after a step, in which so many entries were appended: as long as the step took if there
// were none, up to twenty times as long if there were many. So it takes half a core from a shop that has nothing to do and a
// twentieth from a busy one. That may fall behind in a busy hour, and nothing but disk space depends on it.
func pause(took time.Duration, appended int64) time.Duration {
	return took * time.Duration(min(1+appended, 20))
}
