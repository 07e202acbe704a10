package memory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Save stores what is newer, then moves the mark.
func (s *Store) Save(ctx context.Context, projections []storage.Projection, writer string, mark uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if mark != 0 && s.writers[writer] == nil {
		return unknownWriter(writer)
	}
	for _, p := range projections {
		for _, d := range p.Documents {
			if s.views[d.Collection] == nil {
				return fmt.Errorf("save %s: unknown collection %q", p.Stream, d.Collection)
			}
		}
	}
	for _, p := range projections {
		s.save(p)
	}
	if mark == 0 {
		return nil
	}
	return s.advance(writer, storage.MarkProjected, mark)
}

func (s *Store) save(p storage.Projection) {
	stored, ok := s.streamed[p.Stream]
	if ok && stored.Version >= p.Version {
		return
	}
	for _, d := range p.Documents {
		d.Body, d.Created = bytes.Clone(d.Body), milliseconds(d.Created)
		s.views[d.Collection][d.ID] = d
	}
	if len(p.Snapshot) == 0 {
		p.Snapshot = stored.Snapshot
	}
	p.Documents, p.Snapshot, p.Due = nil, bytes.Clone(p.Snapshot), milliseconds(p.Due)
	s.streamed[p.Stream] = p
}

// Snapshot returns a stream's projection.
func (s *Store) Snapshot(ctx context.Context, stream storage.Stream) (storage.Projection, error) {
	if err := ctx.Err(); err != nil {
		return storage.Projection{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.streamed[stream]
	if !ok {
		return storage.Projection{}, fmt.Errorf("snapshot %s: %w", stream, storage.ErrNotFound)
	}
	return p, nil
}

// Due returns the streams whose deadline has come.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]storage.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var due []storage.Projection
	for _, p := range s.streamed {
		if !p.Due.IsZero() && !p.Due.After(at) {
			due = append(due, p)
		}
	}
	slices.SortFunc(due, func(a, b storage.Projection) int {
		if byTime := a.Due.Compare(b.Due); byTime != 0 {
			return byTime
		}
		return strings.Compare(string(a.Stream), string(b.Stream))
	})
	streams := make([]storage.Stream, 0, min(max(limit, 0), len(due)))
	for _, p := range due[:cap(streams)] {
		streams = append(streams, p.Stream)
	}
	return streams, nil
}

// Reset deletes the projections.
func (s *Store) Reset(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearProjections()
	for _, marks := range s.writers {
		marks.Projected = 0
	}
	return nil
}
