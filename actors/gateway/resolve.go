package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// Resolve learns what became of a Create, whatever its age, and charges nothing.
//
// It sends the call again under its key but without the method. If Stripe has never executed the key, this makes an
// intent that is not charged, and takes the key, so that a first call that is still under way somewhere can't charge any
// more. If it has, it answers that the parameters differ; then, and only then, the original call is repeated, which
// replays the stored answer. A key that Stripe has forgotten looks like one it never saw, so what the first step made is
// compared with what a search for the key finds. Search lags by a minute, keys live for a day: one of the two knows.
//
// Where Stripe broke inside a call it replays its own 500. Then search has to tell; when it finds nothing for a call that
// may have charged, the outcome stays unknown (ErrUnavailable) until it does, or until the key is forgotten.
func (s *Stripe) Resolve(ctx context.Context, c Create) (Intent, error) {
	intent, err := s.resolve(ctx, c)
	if err != nil {
		return Intent{}, fmt.Errorf("resolve intent for %s: %w", c.PaymentID, err)
	}
	return intent, nil
}

func (s *Stripe) resolve(ctx context.Context, c Create) (Intent, error) {
	bare := c
	bare.Method = ""
	intent, err := s.create(ctx, bare)
	switch {
	case failureOf(err) == failureReused && c.Method != "":
		intent, err = s.create(ctx, c)
		if brokeInside(err) {
			if found, ok, searchErr := s.search(ctx, c.Key, ""); searchErr == nil && ok {
				return found, nil
			}
		}
		return intent, err
	case brokeInside(err):
		if found, ok, err := s.search(ctx, c.Key, ""); err != nil || ok {
			return found, err
		}
		// The harmless call holds the key, so the other can't have charged under it: a second harmless one does no harm.
		return s.createAs(ctx, bare, c.Key+"/resolve")
	case err != nil:
		return Intent{}, err
	case c.Method == "":
		return intent, nil // an older one, if there is any, was never charged either
	}
	found, ok, err := s.search(ctx, c.Key, intent.ID)
	switch {
	case errors.Is(err, ErrRejected):
		s.logger.WarnContext(ctx, "payment provider offers no search, relying on its idempotency keys", "err", err)
	case err != nil:
		return Intent{}, err
	case ok:
		return found, nil
	}
	return intent, nil
}

// search finds the intent that was made under a key, other than the one named, the furthest first.
func (s *Stripe) search(ctx context.Context, key, other string) (best Intent, found bool, err error) {
	err = s.line.call(ctx, func(ctx context.Context) error {
		best, found = Intent{}, false
		params := &stripe.PaymentIntentSearchParams{SearchParams: stripe.SearchParams{
			Context: ctx,
			Query:   "metadata['" + metadataKey + "']:'" + searchEscaper.Replace(key) + "'",
			Limit:   stripe.Int64(100),
			Single:  true,
		}}
		page := s.intents.Search(params)
		for page.Next() {
			pi := page.PaymentIntent()
			if pi.ID == other || pi.Metadata[metadataKey] != key {
				continue
			}
			intent, err := intentOf(pi)
			if err != nil {
				return err
			}
			if !found || progress(intent.Status) > progress(best.Status) {
				best, found = intent, true
			}
		}
		return classify(page.Err())
	})
	return best, found, err
}

var searchEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`)

func progress(status Status) int {
	switch status {
	case StatusSucceeded:
		return 4
	case StatusProcessing:
		return 3
	case StatusRequiresAction:
		return 2
	case StatusRequiresMethod:
		return 1
	}
	return 0
}
