package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// checkpointAt is how many bytes of the journal's log, as far as they can be told from outside, are copied into its file
// at a time. SQLite would do it inside whatever commit comes next, and all appends would wait for thousands of pages.
const checkpointAt = 12 << 20

// noteCommit counts what a commit has put into the log: its rows, and for each commit the pages that it only began. It
// says so once when that has become much.
func (w *journalWriter) noteCommit(rows int) (full bool) {
	const begun = 3 << 12
	w.logged += int64(rows + begun)
	if full = w.logged >= checkpointAt; full {
		w.logged = 0
	}
	return full
}

func (s *Store) wakeCheckpointer() {
	select {
	case s.logFull <- struct{}{}:
	default:
	}
}

// checkpointer copies the journal's log into its file. Open starts it, Close waits for it.
func (s *Store) checkpointer() {
	defer close(s.checkpointed)
	for {
		select {
		case <-s.stop:
			return
		case <-s.logFull:
		}
		if err := s.checkpoint(context.Background()); err != nil {
			s.logger.Error("journal's log not copied into its file", "err", err)
		}
	}
}

// checkpoint copies most of the log beside the appends, and in the journal's turn the little that came meanwhile: only a
// log of which nothing is left to copy is begun anew.
func (s *Store) checkpoint(ctx context.Context) error {
	if err := passive(s.checkpoints); err != nil {
		return err
	}
	w, err := s.journal.take(ctx)
	if err != nil {
		return err
	}
	defer s.journal.put(w)
	return passive(s.checkpoints)
}

func passive(conn *sqlite.Conn) error {
	if err := query(conn, `PRAGMA wal_checkpoint(PASSIVE)`, nil, nil); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}
