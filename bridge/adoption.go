package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// slowestLook is how long a writer that went long ago is left alone between two looks.
const slowestLook = time.Minute

// patience is the part of RelayConfig.RetireAfter for which this process itself must have seen a writer gone.
const patience = 24

// adoption finds what gone writers left, again and again: one that was frozen may write once more when it wakes. It
// retires them in the end. Safe for concurrent use.
type adoption struct {
	journal     storage.Journal
	writers     storage.Writers
	logger      *slog.Logger
	own         string
	gone        func(writer string) bool // nil: all others, for good
	mine        func(writer string) bool // nil: all
	interval    time.Duration
	retireAfter time.Duration
	clock       func() time.Time
	nudged      chan struct{}

	mu   sync.Mutex
	seen map[string]*departure
}

// departure is a writer that was found gone. Where that is known from is this process's memory alone: a name tells when
// a process began, nothing tells when it ended, and being late with retiring costs a look a minute.
type departure struct {
	since time.Time // first seen gone
	due   time.Time // to be looked at again
	left  bool      // something was found, and logged
}

func (a *adoption) looksAgain() bool { return a.gone != nil }

// run looks until ctx ends, at every interval and when nudged.
func (a *adoption) run(ctx context.Context, found func(left []inheritance, retired []string)) {
	if !a.looksAgain() {
		return
	}
	ticker := time.NewTicker(a.interval)
	defer ticker.Stop()
	failing := false
	for {
		everyone := false
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-a.nudged:
			everyone = true
		}
		left, retired, err := a.look(ctx, everyone)
		found(left, retired)
		if err != nil && ctx.Err() == nil && !failing {
			a.logger.WarnContext(ctx, "gone writers not looked at, will be tried again", "err", err)
		}
		failing = err != nil
	}
}

// nudge lets run look at once, at every gone writer.
func (a *adoption) nudge() {
	select {
	case a.nudged <- struct{}{}:
	default:
	}
}

func (a *adoption) look(ctx context.Context, everyone bool) (left []inheritance, retired []string, err error) {
	all, err := a.writers.Writers(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list writers: %w", err)
	}
	return a.examine(ctx, all, everyone)
}

// examine looks at the gone writers among all that are this member's to adopt, and due, or at every one of them. It
// returns what they left, oldest first, and who is enlisted no more; what it could not look at is in the error.
func (a *adoption) examine(ctx context.Context, all []storage.Marks, everyone bool) (left []inheritance, retired []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock()
	enlisted := map[string]bool{}
	var failures []error
	for _, w := range all {
		enlisted[w.Writer] = true
		if w.Writer == a.own {
			continue
		}
		if a.gone != nil && !a.gone(w.Writer) {
			delete(a.seen, w.Writer) // it may have come back
			continue
		}
		d := a.seen[w.Writer]
		if d == nil {
			d = &departure{since: now}
			a.seen[w.Writer] = d
		}
		if !everyone && now.Before(d.due) || a.mine != nil && !a.mine(w.Writer) {
			continue
		}
		in, err := a.inspect(ctx, w, d, now)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if in != nil {
			left = append(left, *in)
		}
		// The longer it is gone, the less likely it is that it will be heard of again.
		d.due = now.Add(min(max(now.Sub(d.since)/10, a.interval/2), slowestLook))
	}
	for writer := range a.seen {
		if !enlisted[writer] {
			delete(a.seen, writer)
			retired = append(retired, writer)
		}
	}
	// Where one process after another wrote, what is older leaves first.
	slices.SortStableFunc(left, func(x, y inheritance) int { return x.since.Compare(y.since) })
	return left, retired, errors.Join(failures...)
}

// inspect returns what the writer left above its relayed mark; nil: nothing. It retires one that has been gone for long.
func (a *adoption) inspect(ctx context.Context, w storage.Marks, d *departure, now time.Time) (*inheritance, error) {
	first, err := a.journal.Committed(ctx, w.Writer, w.Relayed, 1)
	if err != nil {
		return nil, fmt.Errorf("read backlog of %s: %w", w.Writer, err)
	}
	final := a.gone == nil
	if !final {
		if final, err = a.silent(ctx, w, d, now); err != nil {
			return nil, err
		}
	}
	if len(first) > 0 {
		if !d.left {
			d.left = true
			a.logger.InfoContext(ctx, "relaying what a gone writer left", "writer", w.Writer, "mark", w.Relayed)
		}
		return &inheritance{writer: w.Writer, final: final, since: first[0].Events[0].At}, nil
	}
	if !final || a.gone == nil || w.Projected < w.Relayed {
		return nil, nil
	}
	if err := a.writers.Retire(ctx, w.Writer); err != nil {
		return nil, fmt.Errorf("retire %s: %w", w.Writer, err)
	}
	a.logger.InfoContext(ctx, "gone writer retired", "writer", w.Writer, "relayed", w.Relayed)
	return nil, nil
}

// silent says that the writer will not be heard of again: it has written nothing for as long as RetireAfter, and was seen
// gone for a good part of that. The first is in the journal, so that a fleet that restarts every day still retires.
func (a *adoption) silent(ctx context.Context, w storage.Marks, d *departure, now time.Time) (bool, error) {
	if now.Sub(d.since) < a.retireAfter/patience {
		return false, nil
	}
	for after := max(w.Relayed, 1) - 1; ; {
		entries, err := a.journal.Committed(ctx, w.Writer, after, readEntries)
		if err != nil {
			return false, fmt.Errorf("read end of %s: %w", w.Writer, err)
		}
		for i := range entries {
			after = entries[i].Number
			for _, event := range entries[i].Events {
				if now.Sub(event.At) < a.retireAfter {
					return false, nil
				}
			}
		}
		if len(entries) < readEntries {
			return true, nil
		}
	}
}
