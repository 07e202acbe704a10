package faulty

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Save passes on.
func (s *Store) Save(ctx context.Context, projections []storage.Projection, writer string, mark uint64) error {
	late := slices.Clone(projections)
	for i := range late {
		late[i].Snapshot = bytes.Clone(late[i].Snapshot)
		late[i].Documents = slices.Clone(late[i].Documents)
		for j := range late[i].Documents {
			late[i].Documents[j].Body = bytes.Clone(late[i].Documents[j].Body)
		}
	}
	return s.tell(ctx, Call{Step: Save, Writer: writer, Projections: projections}, func(ctx context.Context) error {
		return s.inner.Save(ctx, late, writer, mark)
	})
}

// Snapshot passes on.
func (s *Store) Snapshot(ctx context.Context, stream storage.Stream) (storage.Projection, error) {
	return ask(ctx, s, Call{Step: Snapshot, Stream: stream}, func(ctx context.Context) (storage.Projection, error) {
		return s.inner.Snapshot(ctx, stream)
	})
}

// Due passes on.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]storage.Stream, error) {
	return ask(ctx, s, Call{Step: Due}, func(ctx context.Context) ([]storage.Stream, error) {
		return s.inner.Due(ctx, at, limit)
	})
}

// Get passes on.
func (s *Store) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	return ask(ctx, s, Call{Step: Get}, func(ctx context.Context) (storage.Document, error) {
		return s.inner.Get(ctx, c, id)
	})
}

// List passes on.
func (s *Store) List(ctx context.Context, f storage.Filter, after storage.Position, skip, limit int) ([]storage.Document, error) {
	return ask(ctx, s, Call{Step: List}, func(ctx context.Context) ([]storage.Document, error) {
		return s.inner.List(ctx, f, after, skip, limit)
	})
}

// Count passes on.
func (s *Store) Count(ctx context.Context, f storage.Filter) (int64, error) {
	return ask(ctx, s, Call{Step: Count}, func(ctx context.Context) (int64, error) { return s.inner.Count(ctx, f) })
}

// Search passes on.
func (s *Store) Search(ctx context.Context, text string, limit int) ([]storage.Document, error) {
	return ask(ctx, s, Call{Step: Search}, func(ctx context.Context) ([]storage.Document, error) {
		return s.inner.Search(ctx, text, limit)
	})
}

// Reset passes on.
func (s *Store) Reset(ctx context.Context) error {
	return s.tell(ctx, Call{Step: Reset}, s.inner.Reset)
}

// Secret passes on.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	return ask(ctx, s, Call{Step: Secret}, func(ctx context.Context) ([]byte, error) { return s.inner.Secret(ctx, name) })
}

// Ping passes on.
func (s *Store) Ping(ctx context.Context) error {
	return s.do(ctx, Call{Step: Ping}, func() error { return s.inner.Ping(ctx) }, nil)
}
