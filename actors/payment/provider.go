package payment

import (
	"cmp"
	"slices"
)

// What the provider answers, and what its webhooks say. Both may come in any order and more than once: each kind of
// news has a rank, and news of a lower rank than what is known records nothing.

func decideIntent(s *State, c RecordIntent) ([]Event, error) {
	if !s.Exists() {
		return nil, nil
	}
	var events []Event
	next := *s
	add := func(more ...Event) {
		for _, e := range more {
			events = append(events, e)
			next.Evolve(e)
		}
	}
	if s.IntentID == "" {
		add(IntentCreated{PaymentIntentID: s.PaymentIntentID(), OrderID: s.Requested.OrderID, CustomerID: s.Requested.CustomerID,
			Amount: s.Requested.Amount, Currency: s.Requested.Currency, IntentID: c.IntentID, ClientSecret: c.ClientSecret, At: c.At})
	}
	if s.Paid() || (s.Unpayable && c.Outcome != OutcomeSucceeded) {
		return events, nil
	}
	// An answer to an earlier attempt says nothing about the one that is open now, unless it brings the money.
	if n, open := next.attempt(); open && c.Number != n && c.Outcome != OutcomeSucceeded && c.Outcome != OutcomeCanceled {
		return events, nil
	}
	switch c.Outcome {
	case OutcomeSucceeded:
		add(next.succeeded(c.IntentID, next.methodOf(c.Number), c.Number, c.At)...)
	case OutcomeDeclined:
		if !next.decided(c.Number) {
			add(next.failed(c.Number, c.Code, c.Message, false, c.At))
		}
	case OutcomeRequiresAction, OutcomeProcessing:
		if next.decided(c.Number) {
			break
		}
		add(Processing{Attempt: c.Number, RequiresAction: c.Outcome == OutcomeRequiresAction, At: c.At})
		if next.Noticed.Failed { // the bank had decided before this answer was here
			add(next.failed(c.Number, "", next.Noticed.Message, false, c.At))
		}
	case OutcomeOpen:
		if n, open := next.attempt(); open && c.Number == n { // asking again would bring the same answer
			add(next.failed(n, c.Code, cmp.Or(c.Message, "nothing was charged"), false, c.At))
		}
	case OutcomeCanceled:
		add(Cancelled{At: c.At})
	}
	return events, nil
}

// methodOf returns the payment method of an attempt; 0 is the one that came with the request.
func (s *State) methodOf(attempt int) string {
	if attempt >= 1 && attempt <= len(s.Attempts) {
		return s.Attempts[attempt-1].Method
	}
	return s.Requested.Method
}

// decided says that the outcome of the attempt is known already.
func (s *State) decided(attempt int) bool {
	if attempt >= 1 && attempt <= len(s.Attempts) {
		return s.Attempts[attempt-1].Done
	}
	return s.Status != StatusPending
}

func decideWebhook(s *State, c RecordWebhook) ([]Event, error) {
	if err := s.Visible(""); err != nil {
		return nil, err
	}
	if s.IntentID != "" && c.IntentID != s.IntentID {
		return nil, nil // an intent that is not this payment's
	}
	open := !s.Paid() && !s.Unpayable && s.Status != StatusCancelled
	_, busy := s.attempt()
	switch c.Type {
	case "payment_intent.succeeded":
		if s.Paid() {
			return nil, nil
		}
		return s.news(c, s.succeeded(c.IntentID, c.Method, len(s.Attempts), c.At)), nil
	case "payment_intent.payment_failed":
		return s.failedAtProvider(c, open, busy || s.IntentID == ""), nil
	case "payment_intent.processing", "payment_intent.requires_action":
		if !open || busy || s.Status != StatusPending || s.IntentID == "" {
			return nil, nil
		}
		return []Event{Processing{Attempt: len(s.Attempts), RequiresAction: c.Type == "payment_intent.requires_action", At: c.At}}, nil
	case "payment_intent.canceled":
		if !open {
			return nil, nil
		}
		return s.news(c, []Event{Cancelled{At: c.At}}), nil
	case "charge.refunded":
		return s.refundedAtProvider(c), nil
	case "charge.dispute.created":
		for _, known := range s.Disputes {
			if known == c.DisputeID {
				return nil, nil
			}
		}
		return []Event{Disputed{DisputeID: c.DisputeID, At: c.At}}, nil
	}
	return nil, nil
}

// failedAtProvider records that an attempt failed. It does not say which one: a failure that reads like one known already
// is taken for that one, unless only the bank can still end the attempt. While an answer of ours is on its way, that
// decides; but when it says that the bank has yet to, it may be older than the failure.
func (s *State) failedAtProvider(c RecordWebhook, open, busy bool) []Event {
	known := slices.Contains(s.Declines, c.Message)
	switch {
	case !open || s.Status == StatusFailed:
		return nil
	case busy && (known || s.Noticed.Failed):
		return nil
	case busy:
		return []Event{Noticed{Failed: true, Message: c.Message, At: c.At}}
	case known && s.awaitsAction():
		return nil
	}
	return []Event{s.failed(len(s.Attempts), "", c.Message, false, c.At)}
}

// news puts the creation of the intent before what a webhook says of it, when the webhook overtook the provider's own
// answer. The client secret comes with that answer, if it comes at all.
func (s *State) news(c RecordWebhook, events []Event) []Event {
	if s.IntentID != "" {
		return events
	}
	return append([]Event{IntentCreated{PaymentIntentID: s.PaymentIntentID(), OrderID: s.Requested.OrderID,
		CustomerID: s.Requested.CustomerID, Amount: s.Requested.Amount, Currency: s.Requested.Currency,
		IntentID: c.IntentID, At: c.At}}, events...)
}

const refundedOutside = "refunded at the payment provider"

// refundedAtProvider records what was refunded at the provider without us: what it reports above all that we know or have
// under way. What could be a refund of ours that is under way is kept in mind until that one is answered.
func (s *State) refundedAtProvider(c RecordWebhook) []Event {
	reported := min(c.AmountRefunded, s.Requested.Amount)
	if !s.Paid() {
		return s.refundedBeforePaid(c, reported)
	}
	var events []Event
	next := *s
	add := func(e Event) {
		events = append(events, e)
		next.Evolve(e)
	}
	if reported > max(s.Refunded(), s.Noticed.Refunded) && s.refundUnderWay() {
		add(Noticed{Refunded: reported, RefundID: c.RefundID, At: c.At})
	}
	if extra := reported - (s.Requested.Amount - s.refundable()); extra > 0 {
		add(s.refunded(-1, extra, c.RefundID, refundedOutside, c.At))
		events = append(events, next.refundOfVoid(c.At)...)
	}
	return events
}

func (s *State) refundUnderWay() bool { return slices.ContainsFunc(s.Refunds, Refund.open) }

// refundedBeforePaid is for when the webhook of the success is still on its way: what was refunded has been paid.
func (s *State) refundedBeforePaid(c RecordWebhook, reported int64) []Event {
	if reported <= 0 {
		return nil
	}
	paid := s.paid(c.IntentID, c.Method, len(s.Attempts), c.At)
	refunded := s.refunded(-1, reported, c.RefundID, refundedOutside, c.At)
	next := *s
	next.Evolve(paid)
	next.Evolve(refunded)
	return s.news(c, append([]Event{paid, refunded}, next.refundOfVoid(c.At)...))
}
