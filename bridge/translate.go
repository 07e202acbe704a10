package bridge

import (
	"context"
	"fmt"

	"github.com/queuecommerce/queuecommerce/storage"
)

// translate adds the entry's messages to what is handed out; all of them, or none and an error.
func (s *supply) translate(ctx context.Context, e *storage.Entry) error {
	before := len(s.messages)
	orderID := ""
	for i := range e.Events {
		origin := Origin{Stream: e.Stream, Sequence: e.First + uint64(i), OrderID: orderID, Trace: e.Trace}
		if origin.OrderID == "" && NeedsOrderID(e.Events[i].Type) {
			id, err := s.orderID(ctx, e.Stream)
			if err != nil {
				s.messages = s.messages[:before]
				return err
			}
			origin.OrderID = id
		}
		m, ok, err := Catalogue(origin, e.Events[i])
		if err != nil {
			s.messages = s.messages[:before]
			return err
		}
		if !ok {
			continue
		}
		orderID = m.CorrelationID
		s.messages = append(s.messages, outgoing{message: m, writer: s.source})
		if !s.aliases {
			continue
		}
		if alias, ok := m.Alias(); ok {
			s.messages = append(s.messages, outgoing{message: alias, writer: s.source})
		}
	}
	return nil
}

// orderID finds the id of a stream's order in its first event, which carries it. Most entries hold an event that names
// it themselves; steps by hand, such as a delivery's, need this.
func (s *supply) orderID(ctx context.Context, stream storage.Stream) (string, error) {
	first, err := s.journal.Read(ctx, stream, 0, 1)
	if err != nil {
		return "", fmt.Errorf("read start of %s: %w", stream, err)
	}
	if len(first) == 0 || len(first[0].Events) == 0 {
		return "", fmt.Errorf("read start of %s: %w", stream, ErrNoOrderID)
	}
	m, ok, err := Catalogue(Origin{Stream: stream, Sequence: first[0].First}, first[0].Events[0])
	if err != nil {
		return "", err
	}
	if !ok || m.CorrelationID == "" {
		return "", fmt.Errorf("start of %s: %w", stream, ErrNoOrderID)
	}
	return m.CorrelationID, nil
}
