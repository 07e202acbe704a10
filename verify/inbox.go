package verify

import (
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
)

// inboxFold is an inbox of webhooks as its journal tells it.
type inboxFold struct {
	cursor
	waiting []digest // ids of the provider's events
	newest  domain.Time
}

func inboxOf(inboxes map[string]*inboxFold, identity string) *inboxFold {
	f, ok := inboxes[identity]
	if !ok {
		f = &inboxFold{}
		inboxes[cloned(identity)] = f
	}
	return f
}

func (f *inboxFold) endEntry(*step) {}

func (f *inboxFold) fold(s *step, event any) {
	switch e := event.(type) {
	case webhook.Parked:
		id := s.digest(e.EventID)
		s.require(e.IntentID == s.identity, G7, "intent %s is not the one of this stream", e.IntentID)
		s.require(e.EventID != "" && !slices.Contains(f.waiting, id), G7, "webhook %s waits already", e.EventID)
		f.waiting, f.newest = append(f.waiting, id), e.At
	case webhook.Settled:
		s.require(len(f.waiting) > 0, G7, "settled, but nothing waits")
		s.require(!e.GivenUp || e.At >= f.newest.Add(webhook.Keep), G7, "given up too early")
		f.waiting = nil
	default:
		s.wrong(G7, "this version can't check %s", s.stored.Type)
	}
}
