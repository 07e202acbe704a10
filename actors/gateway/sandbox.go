package gateway

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/gateway/internal/testcard"
)

// SandboxConfig sets up a Sandbox.
type SandboxConfig struct {
	// Secret is the installation's own, at least 16 bytes: the same after every restart and on every member. Ids and
	// client secrets follow from it.
	Secret []byte
	// Deliver receives the webhooks, at least once each, those of one intent in order. An error means "again later". It
	// is called from several goroutines, never from inside a call. nil: no webhooks.
	Deliver func(ctx context.Context, payload []byte, signature string) error
	// WebhookSecret signs them; must be set when Deliver is.
	WebhookSecret string
	Now           func() time.Time // default time.Now
	Logger        *slog.Logger     // default silent
	Remember      int              // how many intents, and how many keys, are kept in memory; default 65,536
	Backlog       int              // how many webhooks may wait; default 65,536. Further ones are dropped, and counted
	Retry         time.Duration    // pause before a webhook is repeated, doubled up to RetryMax; default 100 ms
	RetryMax      time.Duration    // default 10 s
	GiveUp        time.Duration    // age at which a webhook is dropped, so that it can't block others; default 1 h
}

// Sandbox is a Gateway that behaves like Stripe's test mode, in this process and without a network: the same test
// payment methods, declines and texts, idempotency keys that check their parameters, and signed webhooks for every state
// change.
//
// It has no storage. What an intent was created with, its id says itself, signed; ids, client secrets, refund ids and
// event ids follow from the idempotency key. So a call that is repeated after a restart, or on another member, is the
// same call with the same answer: the same key is the same charge for ever, with nothing written to disk.
//
// While it remembers an intent it is as strict as Stripe. Of an intent that it does not remember (restart, another
// member, more than Remember intents ago) it assumes:
//   - the intent is in the state that its Create, with the method it had, left it in. A Resolve, Confirm, Cancel or 3-D
//     Secure since then is not known; a Confirm repeated with the same key has the same outcome again.
//   - a Refund is granted up to the intent's amount, because the caller has it from an answer or a signed webhook that
//     the intent was paid. Earlier refunds are not subtracted: the caller's own books must, as they do anyway.
//   - a Resolve of a key that is not remembered finds that nothing was charged, under the id that a charge would have
//     had: if a webhook of that charge did arrive, it belongs to the intent, and its refund is granted.
//   - a key with other parameters is not noticed.
//
// Webhooks that had not been delivered when the process was killed are lost; the answer to the repeated call tells the
// same, and sends the same event again. 3-D Secure that was under way, or completed just then, is confirmed anew.
type Sandbox struct {
	seals   *sealer
	courier *courier
	now     func() time.Time
	seed    maphash.Seed

	mu      sync.Mutex
	intents *memory[seal, *sandboxIntent]
	keys    *memory[digest, sandboxCall]
	totals  SandboxTotals
}

var _ Gateway = (*Sandbox)(nil)

// SandboxTotals counts what this process's sandbox did; a repeated call counts once while its key is remembered.
type SandboxTotals struct {
	Intents, Charges, Declines, Refunds int64
	Delivered, Waiting, Dropped         int64 // webhooks
}

// sandboxIntent is an intent that is remembered.
type sandboxIntent struct {
	token
	id, clientSecret string
	sign             seal
	status           Status
	lastKey          digest // of the last attempt
	lastCard         uint8  // of the last attempt; 0: none, or it no longer matters
	refunded         int64
	charged          bool // seen by this process
	doubt            bool // may have been charged where this process did not see it
}

// sandboxCall is the remembered answer to an idempotency key.
type sandboxCall struct {
	print  uint64 // of the parameters
	status Status
	card   uint8 // that declined; 0: no decline
}

// NewSandbox makes a sandbox and starts its webhook goroutines, which Close ends.
func NewSandbox(cfg SandboxConfig) (*Sandbox, error) {
	if len(cfg.Secret) < 16 {
		return nil, errors.New("sandbox: the secret must have at least 16 bytes")
	}
	if cfg.Deliver != nil && cfg.WebhookSecret == "" {
		return nil, errors.New("sandbox: webhooks can't be signed without a secret")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	remember := positive(cfg.Remember, 1<<16)
	return &Sandbox{
		seals:   newSealer(cfg.Secret),
		courier: newCourier(cfg),
		now:     cfg.Now,
		seed:    maphash.MakeSeed(),
		intents: newMemory[seal, *sandboxIntent](remember),
		keys:    newMemory[digest, sandboxCall](remember),
	}, nil
}

// Close delivers the webhooks that wait until ctx is done, then stops and waits for the goroutines. The error says how
// many could not be delivered. No call may be made afterwards.
func (s *Sandbox) Close(ctx context.Context) error { return s.courier.close(ctx) }

// Totals returns the counters.
func (s *Sandbox) Totals() SandboxTotals {
	s.mu.Lock()
	totals := s.totals
	s.mu.Unlock()
	totals.Delivered, totals.Waiting, totals.Dropped = s.courier.counts()
	return totals
}

// Health is nil: the sandbox is always there.
func (s *Sandbox) Health(ctx context.Context) error { return ctx.Err() }

// Create makes the intent and, with a Method, charges it.
func (s *Sandbox) Create(ctx context.Context, c Create) (Intent, error) {
	return s.create(ctx, c, false)
}

// Resolve learns what became of a Create and charges nothing.
func (s *Sandbox) Resolve(ctx context.Context, c Create) (Intent, error) {
	return s.create(ctx, c, c.Method != "")
}

func (s *Sandbox) create(ctx context.Context, c Create, resolve bool) (Intent, error) {
	if err := ctx.Err(); err != nil {
		return Intent{}, err
	}
	card, err := checkCreate(c)
	if err != nil {
		return Intent{}, err
	}
	t := token{card: card.Number, amount: c.Amount, currency: c.Currency, key: digestOf(c.Key), order: c.OrderID,
		payment: c.PaymentID}
	id, clientSecret, sign := s.seals.issue(t)
	print := maphash.Comparable(s.seed, createPrint{c, false})
	harmless := print // of the call that Resolve makes in Create's place
	if resolve {
		harmless = maphash.Comparable(s.seed, createPrint{c, true})
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.keys.get(t.key); ok {
		if known.print != print && known.print != harmless {
			return Intent{}, keyReused(c.Key)
		}
		return known.answer(id, clientSecret), nil
	}
	in, ok := s.intents.get(sign)
	if !ok {
		in = &sandboxIntent{token: t, id: id, clientSecret: clientSecret, sign: sign, status: StatusRequiresMethod}
		s.intents.put(sign, in)
		s.totals.Intents++
		switch {
		case resolve:
			in.doubt = card.Kind == testcard.Approved
			print = harmless
		case c.Method != "":
			s.attempt(in, card, c.Method, t.key)
		}
	}
	call := in.call(print)
	s.keys.put(t.key, call)
	return call.answer(id, clientSecret), nil
}

// createPrint is what tells a Create from another one, and from the harmless call that resolves it.
type createPrint struct {
	Create
	harmless bool
}

func checkCreate(c Create) (card testcard.Card, err error) {
	switch {
	case c.Key == "":
		return card, fmt.Errorf("create intent: no idempotency key: %w", ErrRejected)
	case c.Amount <= 0:
		return card, fmt.Errorf("create intent: parameter_invalid_integer: amount %d is below 1: %w", c.Amount, ErrRejected)
	case !isCurrency(c.Currency):
		return card, fmt.Errorf("create intent: invalid currency %q: %w", c.Currency, ErrRejected)
	case c.Method == "":
		return card, nil
	}
	return cardOf(c.Method)
}

func isCurrency(text string) bool {
	if len(text) != currencyLength {
		return false
	}
	for i := range len(text) {
		if text[i] < 'a' || text[i] > 'z' {
			return false
		}
	}
	return true
}

func cardOf(method string) (testcard.Card, error) {
	card, ok := testcard.ByMethod(method)
	if !ok {
		return card, fmt.Errorf("resource_missing: No such PaymentMethod: '%s': %w", method, ErrRejected)
	}
	return card, nil
}

func keyReused(key string) error {
	return fmt.Errorf("idempotency_error: key %q was first used with other parameters: %w", key, ErrRejected)
}

// attempt charges an intent that is open. The mutex is held.
func (s *Sandbox) attempt(in *sandboxIntent, card testcard.Card, method string, key digest) {
	in.lastCard, in.lastKey = card.Number, key
	switch card.Kind {
	case testcard.Challenged:
		in.status = StatusRequiresAction
		s.announce(in, TypeRequiresAction, method, key)
	case testcard.Declined:
		s.refuse(in, method, key)
	default:
		s.charge(in, method, key)
	}
}

func (s *Sandbox) refuse(in *sandboxIntent, method string, key digest) {
	in.status = StatusRequiresMethod
	s.totals.Declines++
	s.announce(in, TypePaymentFailed, method, key)
}

func (s *Sandbox) charge(in *sandboxIntent, method string, key digest) {
	in.status, in.charged, in.doubt = StatusSucceeded, true, false
	s.totals.Charges++
	s.announce(in, TypeSucceeded, method, key)
	if in.bank().Dispute != "" {
		s.announce(in, TypeDisputed, method, key)
	}
}

func (s *Sandbox) announce(in *sandboxIntent, event, method string, key digest) {
	if s.courier.post == nil {
		return
	}
	s.courier.send(&notice{event: event, at: s.now(), key: key, intent: *in, method: method})
}

// load finds an intent, or rebuilds it from its id. The mutex is held.
func (s *Sandbox) load(id string) (*sandboxIntent, error) {
	t, clientSecret, sign, ok := s.seals.open(id)
	if !ok {
		return nil, fmt.Errorf("resource_missing: No such payment_intent: '%s': %w", id, ErrRejected)
	}
	if in, ok := s.intents.get(sign); ok {
		return in, nil
	}
	in := &sandboxIntent{token: t, id: id, clientSecret: clientSecret, sign: sign, status: StatusRequiresMethod,
		lastKey: t.key, lastCard: t.card, doubt: true}
	switch in.bank().Kind {
	case testcard.Approved:
		in.status, in.charged, in.doubt = StatusSucceeded, true, false
	case testcard.Challenged:
		in.status = StatusRequiresAction
	}
	s.intents.put(sign, in)
	return in, nil
}

// bank is what the bank had to say to the last attempt.
func (in *sandboxIntent) bank() testcard.Card {
	card, _ := testcard.ByNumber(in.lastCard)
	return card
}

func (c sandboxCall) answer(id, clientSecret string) Intent {
	intent := Intent{ID: id, ClientSecret: clientSecret, Status: c.status}
	if card, ok := testcard.ByNumber(c.card); ok {
		intent.Decline = &Decline{Code: card.Reason(), Message: card.Message}
	}
	return intent
}
