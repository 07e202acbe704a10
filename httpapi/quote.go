package httpapi

import (
	"context"
	"errors"
	"sync"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// parallelQuotes bounds what one request asks at once.
const parallelQuotes = 16

// quotes returns what the catalogue calls each product and what it costs, in order; nil for one that it does not know.
// The template carries what every command of the request has in common.
func (s *Server) quotes(ctx context.Context, productIDs []string, template *messages.Command) ([]*messages.Quote, error) {
	quotes := make([]*messages.Quote, len(productIDs))
	if len(productIDs) == 1 {
		quote, err := s.quote(ctx, productIDs[0], template)
		quotes[0] = quote
		return quotes, err
	}
	var wait sync.WaitGroup
	failures := make([]error, len(productIDs))
	slots := make(chan struct{}, parallelQuotes)
	for i, id := range productIDs {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			quotes[i], failures[i] = s.quote(ctx, id, template)
		})
	}
	wait.Wait()
	return quotes, errors.Join(failures...)
}

func (s *Server) quote(ctx context.Context, productID string, template *messages.Command) (*messages.Quote, error) {
	reply, err := s.config.Asker.Ask(ctx, kindProduct, productID, &messages.Command{
		Cause: template.GetCause(), Traceparent: template.GetTraceparent(), Deadline: template.GetDeadline(),
		Body: &messages.Command_QuoteProduct{QuoteProduct: &messages.QuoteProduct{}},
	})
	if err != nil {
		return nil, away{what: "quote a product", err: err}
	}
	if refusal := reply.GetRefusal(); refusal != nil {
		if no := (refused{refusal}); !no.is(domain.KindNotFound) {
			return nil, no
		}
		return nil, nil
	}
	return reply.GetQuote(), nil
}
