package cluster

import (
	"context"
	"slices"
	"time"
)

// atOnce is how many activations end together when many have to: the others go on serving meanwhile.
const atOnce = 128

// reconsider is called when the view has changed: openings for entities that others own now are given up, former owners
// that are gone are not waited for, and what was released is decided by the view again.
func (l *lookup) reconsider() {
	v := l.view.Load()
	var dropped []delivery
	l.mu.Lock()
	clear(l.released)
	for k, a := range l.activations {
		switch {
		case a.phase != opening:
		case v.owns(l.self, k):
			a.handover.narrow(func(p *peer) bool { return v.peers[p.id] != nil })
		default:
			_, waited := l.retire(k, nil)
			dropped = append(dropped, waited...)
		}
	}
	l.mu.Unlock()
	l.refuse(dropped, refusedForeign)
}

// reclaim is called when the leases have been listed and say what they said before: what was released before they were
// asked for belongs here, and who asked for it had not seen them.
func (l *lookup) reclaim(asked time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, since := range l.released {
		if since.Before(asked) {
			delete(l.released, k)
		}
	}
}

// shed ends the activations that this member does not own any more.
func (l *lookup) shed(ctx context.Context) {
	l.endWhere(ctx, func(k key) bool { return !l.view.Load().owns(l.self, k) })
}

// close opens nothing any more and ends all activations. It returns the context's error if some have not ended by then.
func (l *lookup) close(ctx context.Context) error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.endWhere(ctx, func(key) bool { return true })
}

// ends says whether nothing is opened any more.
func (l *lookup) ends() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// endWhere ends those activations for which must says so, some at a time, and waits for them.
func (l *lookup) endWhere(ctx context.Context, must func(key) bool) error {
	for keys := range slices.Chunk(l.keys(must), atOnce) {
		ended := make(chan struct{}, len(keys))
		count := 0
		for _, k := range keys {
			l.mu.Lock()
			there, dropped := l.retire(k, func() { ended <- struct{}{} })
			l.mu.Unlock()
			l.refuse(dropped, refusedEnding)
			if there {
				count++
			}
		}
		for range count {
			select {
			case <-ended:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// keys are copied first, so that judging many of them does not stop deliveries.
func (l *lookup) keys(must func(key) bool) []key {
	l.mu.Lock()
	keys := make([]key, 0, len(l.activations))
	for k := range l.activations {
		keys = append(keys, k)
	}
	l.mu.Unlock()
	return slices.DeleteFunc(keys, func(k key) bool { return !must(k) })
}
