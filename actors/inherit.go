package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// KindWriter lets a writer that is gone have an owner, as entities have: its heir goes on with what it left, projections
// here and events in the relay.
const KindWriter = "writer"

const (
	// underWay is how many numbers a writer may have under way at one time: those of one batch of its committer.
	underWay = maxBatch
	// silent is how long after its last entry a writer that is gone is taken to write no more. A process that was frozen
	// may wake and have one more batch written, below numbers that are in the journal already.
	silent = 24 * time.Hour
	// lookSeldom is the longest pause between two looks at what a writer has left.
	lookSeldom = time.Minute
)

// estate is what this member knows of a writer that is gone.
type estate struct {
	projected map[uint64]bool // numbers above the mark whose entries are in the projections
	pause     time.Duration
	next      time.Time // when to look again
}

// heir keeps the projections of what gone writers have left. It belongs to one goroutine.
type heir struct {
	host    *Host
	members Membership
	estates map[string]*estate
}

func newHeir(h *Host, m Membership) *heir {
	return &heir{host: h, members: m, estates: make(map[string]*estate)}
}

// Inherit stores the projections of everything that gone writers have left by now.
func (h *Host) Inherit(ctx context.Context, m Membership) error {
	_, err := newHeir(h, m).look(ctx)
	return err
}

// look projects what is new since the last look, and says whether a writer has gone since then.
func (i *heir) look(ctx context.Context) (news bool, err error) {
	writers, err := i.host.Store.Writers(ctx)
	if err != nil {
		return false, fmt.Errorf("inherit projections: %w", err)
	}
	now := i.host.Clock()
	for _, w := range writers {
		if w.Writer == i.host.Writer || !i.members.Gone(w.Writer) {
			continue
		}
		e := i.estates[w.Writer]
		if e == nil {
			e = &estate{projected: make(map[uint64]bool), pause: sweepEvery}
			i.estates[w.Writer], news = e, true
		}
		if now.Before(e.next) || !i.members.Owns(KindWriter, w.Writer) {
			continue
		}
		if err := i.take(ctx, w, e); err != nil {
			return news, fmt.Errorf("inherit projections of writer %s: %w", w.Writer, err)
		}
		e.next, e.pause = now.Add(e.pause), min(2*e.pause, lookSeldom)
	}
	return news, nil
}

// take projects the writer's entries above its mark that have not been. The mark stays behind the newest by what may have
// been under way, until the writer is taken to be silent for good.
func (i *heir) take(ctx context.Context, w storage.Marks, e *estate) error {
	const page = 1000
	for cursor := w.Projected; ; {
		entries, err := i.host.Store.Committed(ctx, w.Writer, cursor, page)
		if err != nil || len(entries) == 0 {
			return err
		}
		newest := entries[len(entries)-1]
		mark := newest.Number - min(newest.Number, underWay)
		if len(entries) < page && i.host.Clock().Sub(newest.Events[0].At) > silent {
			mark = newest.Number
		}
		streams := make(map[storage.Stream]bool)
		for _, entry := range entries {
			if !e.projected[entry.Number] {
				streams[entry.Stream] = true
			}
		}
		if err := i.host.project(ctx, streams, w.Writer, mark); err != nil {
			return err
		}
		for _, entry := range entries {
			e.projected[entry.Number] = true
		}
		for number := range e.projected {
			if number <= mark {
				delete(e.projected, number)
			}
		}
		cursor = newest.Number
	}
}
