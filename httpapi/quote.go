package httpapi

import (
	"context"
	"errors"
	"sync"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// Quoter says what the catalogue calls products and what they cost.
type Quoter interface {
	// Quote returns the quote of each product, in order; nil for one that the catalogue does not know. The template
	// carries what every command of the request has in common.
	Quote(ctx context.Context, productIDs []string, template *messages.Command) ([]*messages.Quote, error)
}

// askQuoter asks each product whose last durable quote this member has not published.
type askQuoter struct {
	asker     Asker
	published func(productID string) (*messages.Quote, bool)
}

var _ Quoter = askQuoter{}

// parallelQuotes bounds what one request asks at once.
const parallelQuotes = 16

func (q askQuoter) Quote(ctx context.Context, productIDs []string, template *messages.Command) ([]*messages.Quote, error) {
	quotes := make([]*messages.Quote, len(productIDs))
	if len(productIDs) == 1 {
		quote, err := q.one(ctx, productIDs[0], template)
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
			quotes[i], failures[i] = q.one(ctx, id, template)
		})
	}
	wait.Wait()
	return quotes, errors.Join(failures...)
}

func (q askQuoter) one(ctx context.Context, productID string, template *messages.Command) (*messages.Quote, error) {
	if q.published != nil {
		if quote, ok := q.published(productID); ok {
			return quote, nil
		}
	}
	reply, err := q.asker.Ask(ctx, kindProduct, productID, &messages.Command{
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
