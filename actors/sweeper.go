package actors

import (
	"context"
	"encoding/json"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// sweeper wakes entities whose work or deadline is due and that nobody looks after: after a crash, and when a message
// got lost. Entities that are being looked after take no notice. It also goes on with the projections of members that are
// gone.
type sweeper struct {
	host    *Host
	asker   Asker
	members Membership
	heir    *heir
	rested  map[storage.Stream]time.Time // when to look at it again, should it still be due
	hurry   time.Time                    // until then, what becomes due soon is due now
	waking  chan struct{}                // holds one for each that is being woken
}

const (
	sweepEvery = time.Second
	sweepPage  = 1000
	wakeAgain  = 15 * time.Second
	// wakeAtOnce is how many wake at one time: each reads the journal, and buyers' commands are not to queue behind a
	// thousand of those, as they did right after a start.
	wakeAtOnce = 2
	// wakeTimeout is when one that does not answer makes room for the next; it may still wake. Shorter than the time from
	// sweep to sweep, so that each of those gets on.
	wakeTimeout = sweepEvery / 2
)

func newSweeper(h *Host, a Asker, m Membership) *sweeper {
	return &sweeper{host: h, asker: a, members: m, heir: newHeir(h, m), rested: make(map[storage.Stream]time.Time),
		waking: make(chan struct{}, wakeAtOnce)}
}

func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	s.inherit(ctx)
	// What was under way when the process died is due within the patience that it had then.
	s.sweep(ctx, s.host.Clock().Add(2*longPatience))
	for {
		select {
		case <-ticker.C:
			s.inherit(ctx)
			horizon := s.host.Clock()
			if horizon.Before(s.hurry) {
				horizon = horizon.Add(patience)
			}
			s.sweep(ctx, horizon)
		case <-ctx.Done():
			return
		}
	}
}

// inherit looks for members that are gone. What such a one was doing is due only when its patience ends, and some of it
// is not projected yet: the sweeps of the next while look ahead, so that nobody waits for that long.
func (s *sweeper) inherit(ctx context.Context) {
	news, err := s.heir.look(ctx)
	if err != nil && ctx.Err() == nil {
		s.host.Logger.Warn("projections of earlier members not made", "err", err)
	}
	if news {
		s.hurry = s.host.Clock().Add(2 * patience)
		clear(s.rested)
	}
}

func (s *sweeper) sweep(ctx context.Context, until time.Time) {
	now := s.host.Clock()
	for stream, at := range s.rested {
		if now.After(at) {
			delete(s.rested, stream)
		}
	}
	streams, err := s.host.Store.Due(ctx, until, sweepPage+len(s.rested))
	if err != nil {
		if ctx.Err() == nil {
			s.host.Logger.Warn("due entities not found", "err", err)
		}
		return
	}
	s.wake(ctx, streams, now.Add(wakeAgain))
}

// wake wakes those of this member that have not been woken lately, for as long as there is until the next sweep: that one
// finds who is left.
func (s *sweeper) wake(ctx context.Context, streams []storage.Stream, again time.Time) {
	over := time.NewTimer(sweepEvery)
	defer over.Stop()
	for _, stream := range streams {
		if _, ok := s.rested[stream]; ok {
			continue
		}
		if s.members.Owns(stream.Kind(), stream.Identity()) {
			select {
			case s.waking <- struct{}{}:
			case <-over.C:
				return
			case <-ctx.Done():
				return
			}
			s.host.crew.Go(func() {
				defer func() { <-s.waking }()
				ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
				defer cancel()
				_, _ = s.asker.Ask(ctx, stream.Kind(), stream.Identity(), touch()) // due again, if this came to nothing
			})
		}
		s.rested[stream] = again
	}
}

// touch wakes an entity.
func touch() *messages.Command {
	return &messages.Command{Body: &messages.Command_Touch{Touch: &messages.Touch{}}}
}

// paymentIdentity reads the entity's identity from a payment's document.
func paymentIdentity(d storage.Document) (string, error) {
	var payment struct {
		OrderID string `json:"orderId"`
	}
	if err := json.Unmarshal(d.Body, &payment); err != nil {
		return "", err
	}
	return domain.OrderIdentity(payment.OrderID), nil
}
