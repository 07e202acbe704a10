package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// marker writes relayed marks behind the relay's back, so that a slow store does not slow publishing.
type marker struct {
	writers storage.Writers
	logger  *slog.Logger

	mu      sync.Mutex
	reached map[string]uint64 // per writer
	written map[string]uint64
}

func newMarker(writers storage.Writers, logger *slog.Logger) *marker {
	return &marker{writers: writers, logger: logger, reached: map[string]uint64{}, written: map[string]uint64{}}
}

// reach says that everything of the writer up to the number is confirmed.
func (m *marker) reach(writer string, number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reached[writer] = max(m.reached[writer], number)
}

// load starts a writer from a mark that was read from the store.
func (m *marker) load(writer string, number uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reached[writer] = max(m.reached[writer], number)
	m.written[writer] = max(m.written[writer], number)
}

// forget lets go of a writer that is retired: its mark is no more.
func (m *marker) forget(writer string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.reached, writer)
	delete(m.written, writer)
}

func (m *marker) at(writer string) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reached[writer]
}

// flush writes every mark that has moved; one that can't be written does not hold up the others.
func (m *marker) flush(ctx context.Context) error {
	m.mu.Lock()
	moved := map[string]uint64{}
	for writer, number := range m.reached {
		if number > m.written[writer] {
			moved[writer] = number
		}
	}
	m.mu.Unlock()
	var failures []error
	for writer, number := range moved {
		if err := m.writers.Advance(ctx, writer, storage.MarkRelayed, number); err != nil {
			failures = append(failures, fmt.Errorf("advance relayed mark of %s to %d: %w", writer, number, err))
			continue
		}
		m.mu.Lock()
		m.written[writer] = max(m.written[writer], number)
		m.mu.Unlock()
	}
	return errors.Join(failures...)
}

// run flushes at every interval until ctx ends.
func (m *marker) run(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := m.flush(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			m.logger.WarnContext(ctx, "relayed mark not written, will be tried again", "err", err)
		}
		failing = err != nil
	}
}
