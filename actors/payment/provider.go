package payment

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
		if !next.decided(c.Number) {
			add(Processing{Attempt: c.Number, RequiresAction: c.Outcome == OutcomeRequiresAction, At: c.At})
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
		// While an attempt is open its own answer decides; a failure known already may be an older attempt's.
		if !open || busy || s.Status == StatusFailed || s.IntentID == "" {
			return nil, nil
		}
		return []Event{s.failed(len(s.Attempts), "", c.Message, false, c.At)}, nil
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
		return s.refundedOutside(c), nil
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

// refundedOutside records what was refunded at the provider without us: what it reports above all that we know or have
// under way.
func (s *State) refundedOutside(c RecordWebhook) []Event {
	extra := min(c.AmountRefunded, s.Requested.Amount)
	if s.Paid() {
		extra -= s.Requested.Amount - s.refundable()
	}
	if extra <= 0 {
		return nil
	}
	refunded := s.refunded(-1, extra, c.RefundID, "refunded at the payment provider", c.At)
	if s.Paid() {
		return []Event{refunded}
	}
	// The webhook of the success is still on its way: what was refunded has been paid.
	paid := s.paid(c.IntentID, c.Method, len(s.Attempts), c.At)
	next := *s
	next.Evolve(paid)
	next.Evolve(refunded)
	return s.news(c, append([]Event{paid, refunded}, next.refundOfVoid(c.At)...))
}
