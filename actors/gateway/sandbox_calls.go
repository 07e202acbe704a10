package gateway

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/queuecommerce/queuecommerce/actors/gateway/internal/testcard"
)

// Confirm charges. An intent that is already paid is returned as it is.
func (s *Sandbox) Confirm(ctx context.Context, c Confirm) (Intent, error) {
	if err := ctx.Err(); err != nil {
		return Intent{}, err
	}
	card, err := cardOf(c.Method)
	if err != nil {
		return Intent{}, fmt.Errorf("confirm intent %s: %w", c.IntentID, err)
	}
	return s.on(c.IntentID, c.Key, maphash.Comparable(s.seed, c), func(in *sandboxIntent, key digest) error {
		switch in.status {
		case StatusSucceeded:
			return nil
		case StatusCanceled:
			return fmt.Errorf("payment_intent_unexpected_state: it has a status of canceled: %w", ErrRejected)
		}
		s.attempt(in, card, c.Method, key)
		return nil
	})
}

// Cancel voids, or returns the intent that has been paid.
func (s *Sandbox) Cancel(ctx context.Context, c Cancel) (Intent, error) {
	if err := ctx.Err(); err != nil {
		return Intent{}, err
	}
	return s.on(c.IntentID, c.Key, maphash.Comparable(s.seed, c), func(in *sandboxIntent, key digest) error {
		if in.status != StatusSucceeded && in.status != StatusCanceled {
			in.status, in.lastCard = StatusCanceled, 0
			s.announce(in, TypeCanceled, "", key)
		}
		return nil
	})
}

// CompleteAction plays the buyer in front of the bank's 3-D Secure page: the intent that waits for it is charged, or
// declined where approve is false or the card's limit says so. An intent that does not wait is returned as it is.
func (s *Sandbox) CompleteAction(ctx context.Context, intentID string, approve bool) (Intent, error) {
	if err := ctx.Err(); err != nil {
		return Intent{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in, err := s.load(intentID)
	if err != nil {
		return Intent{}, fmt.Errorf("complete action of intent %s: %w", intentID, err)
	}
	key := digestOf("3ds/" + string(in.lastKey[:]))
	switch {
	case in.status != StatusRequiresAction:
	case !approve:
		in.lastCard = testcard.Unauthenticated().Number
		s.refuse(in, "", key)
	case in.bank().Code != "":
		s.refuse(in, "", key)
	default:
		s.charge(in, "", key)
	}
	return in.call(0).answer(in.id, in.clientSecret), nil
}

// on makes one keyed call about an intent: a repeat gets the stored answer. A rejected call is not stored.
func (s *Sandbox) on(id, key string, print uint64, do func(*sandboxIntent, digest) error) (Intent, error) {
	if key == "" {
		return Intent{}, fmt.Errorf("intent %s: no idempotency key: %w", id, ErrRejected)
	}
	short := digestOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	in, err := s.load(id)
	if err != nil {
		return Intent{}, err
	}
	if known, ok := s.keys.get(short); ok {
		if known.print != print {
			return Intent{}, keyReused(key)
		}
		return known.answer(in.id, in.clientSecret), nil
	}
	if err := do(in, short); err != nil {
		return Intent{}, fmt.Errorf("intent %s: %w", id, err)
	}
	call := in.call(print)
	s.keys.put(short, call)
	return call.answer(in.id, in.clientSecret), nil
}

// call is the answer that describes the intent as it is now.
func (in *sandboxIntent) call(print uint64) sandboxCall {
	call := sandboxCall{print: print, status: in.status}
	if in.status == StatusRequiresMethod && in.bank().Code != "" {
		call.card = in.lastCard
	}
	return call
}

// Refund gives back Amount.
func (s *Sandbox) Refund(ctx context.Context, r Refund) (Refunded, error) {
	if err := ctx.Err(); err != nil {
		return Refunded{}, err
	}
	_, err := s.on(r.IntentID, r.Key, maphash.Comparable(s.seed, r), func(in *sandboxIntent, key digest) error {
		switch {
		case r.Amount <= 0:
			return fmt.Errorf("refund: parameter_invalid_integer: amount %d is below 1: %w", r.Amount, ErrRejected)
		case !in.charged && !in.doubt:
			return fmt.Errorf("refund: it has no successful charge to refund: %w", ErrRejected)
		case in.refunded == in.amount:
			return fmt.Errorf("refund: charge_already_refunded: %w", ErrRejected)
		case r.Amount > in.amount-in.refunded:
			return fmt.Errorf("refund: amount %d is greater than unrefunded amount %d on charge: %w",
				r.Amount, in.amount-in.refunded, ErrRejected)
		}
		in.status, in.charged = StatusSucceeded, true
		in.refunded += r.Amount
		s.totals.Refunds++
		s.announce(in, TypeRefunded, "", key)
		return nil
	})
	if err != nil {
		return Refunded{}, err
	}
	return Refunded{ID: refundID(digestOf(r.Key))}, nil
}

func refundID(key digest) string { return "re_" + tokenText.EncodeToString(key[:]) }
