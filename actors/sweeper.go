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
// got lost. Entities that are being looked after take no notice.
type sweeper struct {
	host   *Host
	asker  Asker
	rested map[storage.Stream]time.Time // when to wake it again, should it still be due
}

const (
	sweepEvery = time.Second
	sweepPage  = 1000
	wakeAgain  = 15 * time.Second
)

func newSweeper(h *Host, a Asker) *sweeper {
	return &sweeper{host: h, asker: a, rested: make(map[storage.Stream]time.Time)}
}

func (s *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	// What was under way when the process died is due within the patience that it had then.
	s.sweep(ctx, s.host.Clock().Add(2*longPatience))
	for {
		select {
		case <-ticker.C:
			s.sweep(ctx, s.host.Clock())
		case <-ctx.Done():
			return
		}
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
	for _, stream := range streams {
		if _, ok := s.rested[stream]; ok {
			continue
		}
		s.rested[stream] = now.Add(wakeAgain)
		s.asker.Tell(stream.Kind(), stream.Identity(), &messages.Command{Body: &messages.Command_Touch{Touch: &messages.Touch{}}})
	}
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
