package faulty

import (
	"bytes"
	"context"
	"slices"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Append passes on, between the hooks.
func (s *Store) Append(ctx context.Context, entries []storage.Entry) []error {
	var results []error
	call := func() error {
		var err error
		results, err = s.append(ctx, entries)
		return err
	}
	late := cloned(entries)
	write := func() { _, _ = s.append(context.WithoutCancel(ctx), late) }
	if err := s.do(ctx, Call{Step: Append, Entries: entries}, call, write); err != nil {
		results = make([]error, len(entries))
		for i := range results {
			results[i] = err
		}
	}
	return results
}

// append returns an error instead of results when a hook has cut the store off.
func (s *Store) append(ctx context.Context, entries []storage.Entry) ([]error, error) {
	s.mu.Lock()
	before, after := s.beforeAppend, s.afterAppend
	s.mu.Unlock()
	if before != nil {
		before(entries)
	}
	if s.isCut() {
		return nil, ErrCut
	}
	results := s.inner.Append(ctx, entries)
	if after != nil {
		after(entries, results)
	}
	if s.isCut() {
		return nil, ErrCut
	}
	return results, nil
}

func cloned(entries []storage.Entry) []storage.Entry {
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].Events = slices.Clone(entries[i].Events)
		for j := range entries[i].Events {
			entries[i].Events[j].Data = bytes.Clone(entries[i].Events[j].Data)
		}
	}
	return entries
}

// ask passes a call on that has an answer.
func ask[T any](ctx context.Context, s *Store, c Call, call func(context.Context) (T, error)) (T, error) {
	var answer, none T
	err := s.do(ctx, c, func() (err error) { answer, err = call(ctx); return err }, nil)
	if err != nil {
		return none, err
	}
	return answer, nil
}

// tell passes a write on that has none.
func (s *Store) tell(ctx context.Context, c Call, call func(context.Context) error) error {
	return s.do(ctx, c, func() error { return call(ctx) }, func() { _ = call(context.WithoutCancel(ctx)) })
}

// Read passes on.
func (s *Store) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	return ask(ctx, s, Call{Step: Read, Stream: stream}, func(ctx context.Context) ([]storage.Entry, error) {
		return s.inner.Read(ctx, stream, after, limit)
	})
}

// ReadBack passes on.
func (s *Store) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	return ask(ctx, s, Call{Step: ReadBack, Stream: stream}, func(ctx context.Context) ([]storage.Entry, error) {
		return s.inner.ReadBack(ctx, stream, before, limit)
	})
}

// Committed passes on.
func (s *Store) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	return ask(ctx, s, Call{Step: Committed, Writer: writer}, func(ctx context.Context) ([]storage.Entry, error) {
		return s.inner.Committed(ctx, writer, after, limit)
	})
}

// Scan passes on.
func (s *Store) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	return s.do(ctx, Call{Step: Scan}, func() error { return s.inner.Scan(ctx, visit) }, nil)
}

// Enlist passes on.
func (s *Store) Enlist(ctx context.Context, writer string) (uint64, error) {
	return ask(ctx, s, Call{Step: Enlist, Writer: writer}, func(ctx context.Context) (uint64, error) {
		return s.inner.Enlist(ctx, writer)
	})
}

// Writers passes on.
func (s *Store) Writers(ctx context.Context) ([]storage.Marks, error) {
	return ask(ctx, s, Call{Step: Writers}, s.inner.Writers)
}

// Advance passes on.
func (s *Store) Advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	return s.tell(ctx, Call{Step: Advance, Writer: writer}, func(ctx context.Context) error {
		return s.inner.Advance(ctx, writer, mark, number)
	})
}

// Retire passes on.
func (s *Store) Retire(ctx context.Context, writer string) error {
	return s.tell(ctx, Call{Step: Retire, Writer: writer}, func(ctx context.Context) error {
		return s.inner.Retire(ctx, writer)
	})
}
