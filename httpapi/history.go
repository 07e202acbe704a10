package httpapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/storage"
)

// TimelineEvent is one event of an order as its timeline shows it.
type TimelineEvent struct {
	Sequence  uint64          `json:"sequence" example:"1"`
	Time      domain.Time     `json:"time"`
	Type      string          `json:"type" example:"order.placed"`
	Data      json.RawMessage `json:"data"`
	Cause     string          `json:"cause" doc:"who caused it" example:"POST /orders"`
	CommandID string          `json:"commandId,omitempty"`
}

type orderEventsInput struct {
	ID    string `path:"id"`
	After *int64 `query:"after" minimum:"0" doc:"only events with a higher sequence"`
	Limit *int64 `query:"limit" minimum:"1" maximum:"100" default:"100"`
}

// timelineLimit is more than an order's life has events, so that its whole story is one answer.
const timelineLimit = 100

func listOrderEvents(c *call, in *orderEventsInput) (answer, error) {
	identity, err := orderIdentity(in.ID)
	if err != nil {
		return answer{}, err
	}
	entries, err := c.orderEntries(identity, in.ID)
	if err != nil {
		return answer{}, err
	}
	limit, after := timelineLimit, uint64(0)
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if in.After != nil {
		after = uint64(*in.After)
	}
	timeline := make([]TimelineEvent, 0, 16)
	for _, entry := range entries {
		for i, event := range entry.Events {
			if sequence := entry.First + uint64(i); sequence > after {
				commandID, _, _ := strings.Cut(event.Command, ".") // what follows is the fingerprint
				timeline = append(timeline, TimelineEvent{Sequence: sequence, Time: domain.At(event.At), Type: event.Type,
					Data: event.Data, Cause: event.Cause, CommandID: commandID})
			}
		}
	}
	var a answer
	if len(timeline) > limit {
		timeline = timeline[:limit]
		c.link(&a, map[string]string{"after": strconv.FormatUint(timeline[limit-1].Sequence, 10)})
	}
	if a.body, err = json.Marshal(timeline); err != nil {
		return answer{}, fmt.Errorf("encode the timeline of order/%s: %w", identity, err)
	}
	return a, nil
}

// orderEntries reads all of an order's journal; one that is hidden, or was never placed here, is not found.
func (c *call) orderEntries(identity, id string) ([]storage.Entry, error) {
	entries, err := c.config.History.Read(c.ctx, storage.StreamOf(kindOrder, identity), 0, 0)
	if err != nil {
		return nil, away{what: "read the journal of order/" + identity, err: err}
	}
	var now order.State
	for _, entry := range entries {
		for _, event := range entry.Events {
			if err := evolve(&now, event); err != nil {
				return nil, fmt.Errorf("order/%s: %w", identity, err)
			}
		}
	}
	if err := now.Visible(id); err != nil {
		return nil, notFound("order_not_found", "there is no order %s", id)
	}
	return entries, nil
}

// placedID returns the _id of the order that the entries place; ok is false when they place none.
func placedID(entries []storage.Entry) (id string, ok bool) {
	for _, entry := range entries {
		for _, event := range entry.Events {
			decoded, err := order.Codec.Decode(event.Type, event.Schema, event.Data)
			if placed, is := decoded.(order.Placed); err == nil && is {
				return placed.ID, true
			}
		}
	}
	return "", false
}

func evolve(s *order.State, stored storage.Event) error {
	event, err := order.Codec.Decode(stored.Type, stored.Schema, stored.Data)
	if err != nil {
		return err
	}
	s.Evolve(event)
	return nil
}

// pastOrder answers an order as it was at a sequence or at an instant.
func (c *call) pastOrder(identity, id, at string) (answer, error) {
	then, err := parseMoment(at)
	if err != nil {
		return answer{}, err
	}
	entries, err := c.orderEntries(identity, id)
	if err != nil {
		return answer{}, err
	}
	var past order.State
	for _, entry := range entries {
		for i, event := range entry.Events {
			if !then.includes(entry.First+uint64(i), event.At) {
				continue
			}
			if err := evolve(&past, event); err != nil {
				return answer{}, fmt.Errorf("order/%s: %w", identity, err)
			}
		}
	}
	if past.Status == "" {
		return answer{}, notFound("order_not_found", "there was no order %s yet", id)
	}
	body, err := json.Marshal(past.Document())
	if err != nil {
		return answer{}, fmt.Errorf("encode the past of order/%s: %w", identity, err)
	}
	return answer{body: body}, nil
}

// moment in an order's life: a sequence or, where that is 0 and the instant is set, an instant.
type moment struct {
	sequence uint64
	instant  time.Time
}

func (m moment) includes(sequence uint64, at time.Time) bool {
	if m.instant.IsZero() {
		return sequence <= m.sequence
	}
	return !at.After(m.instant)
}

func parseMoment(text string) (moment, error) {
	if sequence, err := strconv.ParseUint(text, 10, 64); err == nil {
		return moment{sequence: sequence}, nil
	}
	// A "+" that was not escaped has become a space.
	instant, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+"))
	if err != nil || instant.IsZero() {
		return moment{}, invalid("at must be a sequence or an instant such as 2026-01-31T12:00:00Z")
	}
	return moment{instant: instant}, nil
}
