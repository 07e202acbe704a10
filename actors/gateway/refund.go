package gateway

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/stripe/stripe-go/v76"
)

// metadataMax is Stripe's limit for a metadata value, in characters.
const metadataMax = 500

// Refund gives back Amount, once per key for ever: refunds carry their key as metadata and are looked up first, because
// Stripe may have forgotten the key. A charge that somebody else has refunded meanwhile (in Stripe's dashboard) is
// ErrRejected; the webhook charge.refunded tells the true sum.
func (s *Stripe) Refund(ctx context.Context, r Refund) (Refunded, error) {
	id, err := s.refundOf(ctx, r)
	if err == nil && id == "" {
		id, err = s.refund(ctx, r)
	}
	if err != nil {
		return Refunded{}, fmt.Errorf("refund intent %s: %w", r.IntentID, err)
	}
	return Refunded{ID: id}, nil
}

func (s *Stripe) refundOf(ctx context.Context, r Refund) (id string, err error) {
	err = s.line.call(ctx, func(ctx context.Context) error {
		params := &stripe.RefundListParams{PaymentIntent: stripe.String(r.IntentID)}
		params.Context = ctx
		params.Limit = stripe.Int64(100)
		list := s.refunds.List(params)
		for list.Next() {
			made := list.Refund()
			if made.Metadata[metadataKey] == r.Key && !refundFailed(made) {
				id = made.ID
				return nil
			}
		}
		return classify(list.Err())
	})
	return id, err
}

func (s *Stripe) refund(ctx context.Context, r Refund) (id string, err error) {
	err = s.line.call(ctx, func(ctx context.Context) error {
		params := &stripe.RefundParams{
			Params:        keyed(ctx, r.Key),
			PaymentIntent: stripe.String(r.IntentID),
			Amount:        stripe.Int64(r.Amount),
			Metadata:      map[string]string{metadataKey: r.Key},
		}
		if r.Reason != "" {
			params.Metadata[metadataReason] = cut(r.Reason, metadataMax)
		}
		made, err := s.refunds.New(params)
		if err != nil {
			return classify(err)
		}
		if made.ID == "" {
			return unreadable("refund without an id")
		}
		if refundFailed(made) {
			return &callError{failure: failureRejected, text: "refund " + made.ID + " " + string(made.Status)}
		}
		id = made.ID
		return nil
	})
	return id, err
}

func refundFailed(r *stripe.Refund) bool {
	return r.Status == stripe.RefundStatusFailed || r.Status == stripe.RefundStatusCanceled
}

func cut(text string, characters int) string {
	if utf8.RuneCountInString(text) <= characters {
		return text
	}
	return string([]rune(text)[:characters])
}
