package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// journalWriter is the turn to write journal.db: whoever took it is the only one.
type journalWriter struct {
	conn *sqlite.Conn // synchronous=FULL: a commit is on disk
	past *past
	mark *sqlite.Conn // synchronous=NORMAL: a commit survives the process, and the next commit of conn puts it on disk

	insert  *sqlite.Stmt
	next    int64 // number of the next row
	doubt   bool  // a commit failed, so the file may hold more than the index knows
	encoder encoder
	pending map[storage.Stream]head // as the batch being written will leave them
	staged  []staged
}

const insertRow = `INSERT INTO journal(` + rowColumns + `) VALUES(?,?,?,?,?,?,?,?,?,?)`

// Append stores the entries that continue their streams, in one transaction, in the caller's goroutine. An error that
// is no conflict stands for all entries that the transaction held.
func (s *Store) Append(ctx context.Context, entries []storage.Entry) []error {
	results := make([]error, len(entries))
	if len(entries) == 0 {
		return results
	}
	w, err := s.journal.take(ctx)
	if err != nil {
		fill(results, fmt.Errorf("append: %w", err))
		return results
	}
	defer s.journal.put(w)
	if err := s.ready(ctx, w); err != nil {
		fill(results, fmt.Errorf("append: %w", err))
		return results
	}
	accepted, err := s.fence(ctx, w, entries, results)
	if err == nil && len(accepted) > 0 {
		err = s.commit(w, entries, accepted, results)
	}
	if err != nil {
		err = fmt.Errorf("append: %w", err)
		for i := range results {
			if results[i] == nil {
				results[i] = err
			}
		}
	}
	return results
}

func fill(results []error, err error) {
	for i := range results {
		results[i] = err
	}
}

// ready proves that the files are there and that the index says what the journal says.
func (s *Store) ready(ctx context.Context, w *journalWriter) error {
	if err := s.journalFiles.check(); err != nil {
		return err
	}
	if !w.doubt {
		return nil
	}
	if err := s.replay(ctx, w); err != nil {
		return fmt.Errorf("after a failed commit: %w", err)
	}
	w.doubt = false
	return nil
}

// fence decides on every entry against the head of its stream: what may be written is accepted, in the writer's order;
// for the rest results says why not, or stays nil for a repeat.
func (s *Store) fence(ctx context.Context, w *journalWriter, entries []storage.Entry, results []error) ([]int, error) {
	heads, err := s.heads(ctx, entries)
	if err != nil {
		return nil, err
	}
	clear(w.pending)
	accepted := make([]int, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		if len(e.Events) == 0 || e.First == 0 {
			results[i] = fmt.Errorf("append %s at %d: an entry needs events and a sequence from 1", e.Stream, e.First)
			continue
		}
		if _, twice := w.pending[e.Stream]; twice {
			results[i] = fmt.Errorf("append %s at %d: the batch has two entries of this stream", e.Stream, e.First)
			continue
		}
		h := heads[i]
		if e.First == h.last+1 {
			w.pending[e.Stream] = h
			accepted = append(accepted, i)
			continue
		}
		same, err := s.stored(ctx, w, e, h)
		if err != nil {
			results[i] = fmt.Errorf("append %s at %d: %w", e.Stream, e.First, err)
		} else if !same {
			results[i] = fmt.Errorf("append %s at %d: %w", e.Stream, e.First, storage.ErrConflict)
		}
	}
	byNumber := func(a, b int) int {
		switch x, y := entries[a].Number, entries[b].Number; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(accepted, byNumber) {
		slices.SortStableFunc(accepted, byNumber)
	}
	return accepted, nil
}

// stored says whether exactly this entry is in the journal already.
func (s *Store) stored(ctx context.Context, w *journalWriter, e *storage.Entry, h head) (bool, error) {
	if e.First > h.last {
		return false, nil
	}
	writer, _ := s.index.writer(e.Writer)
	start, err := s.milestone(ctx, e.Stream, h, e.First-1)
	if err != nil {
		return false, err
	}
	src := source{conn: w.conn, past: w.past}
	for number := start.number; number > 0; {
		r, err := src.row(number)
		if err != nil {
			return false, err
		}
		if r.stream != e.Stream {
			return false, damaged(r.number, r.stream, errors.New("row of another stream"))
		}
		if r.first <= e.First {
			return r.first == e.First && max(r.writer, -r.writer) == writer.id && r.serial == e.Number, nil
		}
		number = r.prev
	}
	return false, nil
}

// commit writes the accepted entries and makes them known.
func (s *Store) commit(w *journalWriter, entries []storage.Entry, accepted []int, results []error) error {
	if err := s.introduce(w, entries, accepted); err != nil {
		return err
	}
	w.staged = w.staged[:0]
	number := w.next
	err := transact(w.conn, func() error {
		for _, i := range accepted {
			e := &entries[i]
			if err := w.write(e, s.stage(w, e.Writer), number); err != nil {
				return err
			}
			number++
		}
		return nil
	})
	if err != nil {
		w.doubt = true
		return err
	}
	s.publish(w, number)
	return nil
}

// stage returns what the batch has made of a writer so far. A batch has one writer as a rule, and never many.
func (s *Store) stage(w *journalWriter, name string) *staged {
	for i := range w.staged {
		if w.staged[i].writer.name == name {
			return &w.staged[i]
		}
	}
	state := s.index.state(name)
	w.staged = append(w.staged, staged{state, state.ends})
	return &w.staged[len(w.staged)-1]
}

// write inserts one row and leaves the stream's new head in pending.
func (w *journalWriter) write(e *storage.Entry, by *staged, number int64) error {
	old := w.pending[e.Stream]
	r := row{
		number: number, prev: old.number, stream: e.Stream, ordinal: old.ordinal + 1,
		first: e.First, last: e.Last(), writer: by.writer.id, serial: e.Number,
	}
	if by.ends.add(number, e.Number) {
		r.writer = -by.writer.id
		if err := query(w.conn, `INSERT INTO late VALUES(?,?,?)`, func(stmt *sqlite.Stmt) {
			stmt.BindInt64(1, by.writer.id)
			stmt.BindInt64(2, int64(e.Number))
			stmt.BindInt64(3, number)
		}, nil); err != nil {
			return err
		}
	}
	body := w.encoder.encode(*e)
	sealed := r.sealed(body)
	w.encoder.body = sealed
	stmt := w.insert
	stmt.BindInt64(1, r.number)
	stmt.BindInt64(2, r.prev)
	stmt.BindText(3, string(r.stream))
	stmt.BindInt64(4, int64(r.ordinal))
	stmt.BindInt64(5, int64(r.first))
	stmt.BindInt64(6, int64(r.last))
	stmt.BindInt64(7, r.writer)
	stmt.BindInt64(8, int64(r.serial))
	stmt.BindInt64(9, checksum(sealed))
	stmt.BindBytes(10, body)
	if _, err := stmt.Step(); err != nil {
		return err
	}
	w.pending[e.Stream] = head{last: r.last, number: number, ordinal: r.ordinal}
	return stmt.Reset()
}

// publish makes a committed batch known to readers and to the next batch.
func (s *Store) publish(w *journalWriter, next int64) {
	s.index.mu.Lock()
	for stream, h := range w.pending {
		s.index.add(stream, h)
	}
	for _, by := range w.staged {
		by.writer.ends = by.ends
	}
	s.index.committed = next - 1
	full := s.index.fresh.full()
	s.index.mu.Unlock()
	w.next = next
	if full {
		s.wakeFlusher()
	}
}

// introduce gives an id to writers that were never seen, in a transaction of its own: it is rare.
func (s *Store) introduce(w *journalWriter, entries []storage.Entry, accepted []int) error {
	last := ""
	for n, i := range accepted {
		name := entries[i].Writer
		if n > 0 && name == last {
			continue
		}
		last = name
		if s.index.state(name) != nil {
			continue
		}
		if _, err := s.addWriter(w, name, false); err != nil {
			return err
		}
	}
	return nil
}

// heads returns the head of each entry's stream.
func (s *Store) heads(ctx context.Context, entries []storage.Entry) ([]head, error) {
	found := make([]head, len(entries))
	var missing []int
	s.index.mu.Lock()
	moves := s.index.moves
	for i := range entries {
		h, known := s.index.findLocked(entries[i].Stream)
		if !known {
			missing = append(missing, i)
		}
		found[i] = h
	}
	s.index.mu.Unlock()
	if missing == nil {
		return found, nil
	}
	conn, err := s.readers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.readers.put(conn)
	err = atOnce(conn, func() error {
		for _, i := range missing {
			if found[i], err = storedHead(conn, entries[i].Stream); err != nil {
				return err
			}
			s.index.remember(entries[i].Stream, found[i], moves)
		}
		return nil
	})
	return found, err
}
