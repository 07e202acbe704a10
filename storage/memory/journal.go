package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Append stores each entry that continues its stream.
func (s *Store) Append(ctx context.Context, entries []storage.Entry) []error {
	results := make([]error, len(entries))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, e := range entries {
		if err := ctx.Err(); err != nil {
			results[i] = err
			continue
		}
		results[i] = s.append(e)
	}
	return results
}

func (s *Store) append(e storage.Entry) error {
	if len(e.Events) == 0 || e.First == 0 {
		return fmt.Errorf("append %s at %d: an entry needs events and a sequence from 1", e.Stream, e.First)
	}
	stream := s.streams[e.Stream]
	next := uint64(1)
	if len(stream) > 0 {
		next = stream[len(stream)-1].Last() + 1
	}
	if e.First != next {
		i := holding(stream, e.First)
		if i < len(stream) && stream[i].First == e.First && stream[i].Writer == e.Writer && stream[i].Number == e.Number {
			return nil
		}
		return fmt.Errorf("append %s at %d: %w", e.Stream, e.First, storage.ErrConflict)
	}
	kept := clone(e)
	s.journal = append(s.journal, kept)
	s.streams[e.Stream] = append(stream, kept)
	mine := s.numbers[e.Writer]
	place := sort.Search(len(mine), func(i int) bool { return mine[i].Number > e.Number })
	s.numbers[e.Writer] = slices.Insert(mine, place, kept)
	return nil
}

// holding is the index of the first entry that ends at or above the sequence.
func holding(stream []*storage.Entry, sequence uint64) int {
	return sort.Search(len(stream), func(i int) bool { return stream[i].Last() >= sequence })
}

func clone(e storage.Entry) *storage.Entry {
	e.Events = slices.Clone(e.Events)
	for i := range e.Events {
		e.Events[i].Data = bytes.Clone(e.Events[i].Data)
		e.Events[i].At = milliseconds(e.Events[i].At)
	}
	return &e
}

func copied(entries []*storage.Entry) []storage.Entry {
	out := make([]storage.Entry, len(entries))
	for i, e := range entries {
		out[i] = *e
	}
	return out
}

func cut(entries []*storage.Entry, limit int) []*storage.Entry {
	if limit > 0 && len(entries) > limit {
		return entries[:limit]
	}
	return entries
}

// Read returns the entries above after.
func (s *Store) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	entries := s.streams[stream]
	return copied(cut(entries[holding(entries, after+1):], limit)), nil
}

// ReadBack returns the entries below before.
func (s *Store) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	entries := s.streams[stream]
	if before > 0 {
		entries = entries[:sort.Search(len(entries), func(i int) bool { return entries[i].First >= before })]
	}
	entries = slices.Clone(entries)
	slices.Reverse(entries)
	return copied(cut(entries, limit)), nil
}

// Committed returns the writer's entries above after.
func (s *Store) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	mine := s.numbers[writer]
	mine = mine[sort.Search(len(mine), func(i int) bool { return mine[i].Number > after }):]
	return copied(mine[:min(max(limit, 0), len(mine))]), nil
}

// Scan visits every entry in the order of commit.
func (s *Store) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	s.mu.RLock()
	entries := slices.Clone(s.journal)
	s.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(*e); err != nil {
			return err
		}
	}
	return nil
}
