package verify

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/queuecommerce/queuecommerce/storage"
)

// horizon is how far the journal had come when the run began, by the writers' own numbers. Every scan that begins later
// shows all of it.
type horizon struct {
	writers map[string]*written
	// joined says whether a writer that was not enlisted then is so now. Of those that were retired long ago, and of those
	// that join later, nobody keeps a list.
	joined func(writer string) (bool, error)
	err    error // the first one of joined
}

// written is what one writer had written.
type written struct {
	upTo  uint64  // decided by its marks: what it has up to here was durable
	above numbers // what else it had
}

// newHorizon reads the marks, which a later scan must not contradict, and what is above them.
func newHorizon(ctx context.Context, store Store) (*horizon, []storage.Marks, error) {
	marks, err := store.Writers(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read writers: %w", err)
	}
	h := &horizon{writers: make(map[string]*written, len(marks))}
	for _, m := range marks {
		w := &written{upTo: max(m.Relayed, m.Projected)}
		if err := w.read(ctx, store, m.Writer); err != nil {
			return nil, nil, fmt.Errorf("read what writer %s has committed: %w", m.Writer, err)
		}
		h.writers[m.Writer] = w
	}
	h.joined = func(writer string) (bool, error) {
		now, err := store.Writers(ctx)
		for _, m := range now {
			if m.Writer == writer {
				return true, nil
			}
		}
		return false, err
	}
	return h, marks, nil
}

// read notes what the writer has above its marks.
func (w *written) read(ctx context.Context, store Store, writer string) error {
	const page = 1000
	for after := w.upTo; ; {
		entries, err := store.Committed(ctx, writer, after, page)
		if err != nil {
			return err
		}
		for _, e := range entries {
			w.above.mark(e.Number, 0)
			after = e.Number
		}
		if len(entries) < page {
			return nil
		}
	}
}

// holds says whether the entry was durable when the run began.
func (h *horizon) holds(e *storage.Entry) bool {
	w, ok := h.writers[e.Writer]
	if !ok {
		w = h.unlisted(e.Writer)
		h.writers[strings.Clone(e.Writer)] = w
	}
	return e.Number <= w.upTo || w.above.has(e.Number)
}

func (h *horizon) unlisted(writer string) *written {
	joined, err := h.joined(writer)
	if err != nil && h.err == nil {
		h.err = fmt.Errorf("read writers: %w", err)
	}
	if joined {
		return &written{}
	}
	return &written{upTo: math.MaxUint64}
}
