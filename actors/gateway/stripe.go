package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/paymentintent"
	"github.com/stripe/stripe-go/v76/refund"
)

// StripeKeyLifetime is how long Stripe remembers an idempotency key at least. A Create whose first attempt is older must
// not be repeated (it could charge again) but resolved; Resolve, Confirm, Cancel and Refund are safe at any age.
const StripeKeyLifetime = 24 * time.Hour

// Metadata on intents and refunds; the first two come back in webhooks.
const (
	metadataOrder   = "orderId"
	metadataPayment = "paymentIntentId"
	metadataKey     = "requestKey" // the idempotency key, by which what was made is found when Stripe has forgotten it
	metadataReason  = "reason"
)

// StripeConfig says how to reach Stripe. The zero value of every field but SecretKey is a sensible default.
type StripeConfig struct {
	SecretKey string        // sk_... or rk_...
	APIBase   string        // default https://api.stripe.com; a trailing "/" or "/v1" is ignored
	Client    *http.Client  // default: own connections; redirects are never followed
	Logger    *slog.Logger  // default: silent
	Timeout   time.Duration // of one attempt; default 10 s
	Attempts  int           // per call, all with the same idempotency key; default 3
	Backoff   time.Duration // before the second attempt, doubled before each further one; default 200 ms
	Failures  int           // attempts without an answer in a row that open the circuit; default 5
	Pause     time.Duration // how long it stays open before one attempt may try again; default 5 s
	Now       func() time.Time
}

// Stripe is the Gateway that talks to Stripe. It has no goroutines of its own.
type Stripe struct {
	intents paymentintent.Client
	refunds refund.Client
	line    *line
	logger  *slog.Logger
}

var _ Gateway = (*Stripe)(nil)

// NewStripe makes the adapter without calling Stripe. It fails only on a configuration that can't work.
func NewStripe(cfg StripeConfig) (*Stripe, error) {
	if strings.TrimSpace(cfg.SecretKey) == "" {
		return nil, errors.New("stripe: no secret key")
	}
	if cfg.APIBase == "" {
		cfg.APIBase = stripe.APIURL
	}
	if !strings.HasPrefix(cfg.APIBase, "https://") && !strings.HasPrefix(cfg.APIBase, "http://") {
		return nil, fmt.Errorf("stripe: api base %q is no http address", cfg.APIBase)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	client := http.Client{}
	if cfg.Client != nil {
		client = *cfg.Client
	} else {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64
		client.Transport = transport
	}
	// A redirect would repeat a charge at an address that nobody configured.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               stripe.String(cfg.APIBase),
		HTTPClient:        &client,
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // it would log whole answers, client secrets too
		MaxNetworkRetries: stripe.Int64(0),                                // line retries, and counts each attempt
		EnableTelemetry:   stripe.Bool(false),
	})
	return &Stripe{
		intents: paymentintent.Client{B: backend, Key: cfg.SecretKey},
		refunds: refund.Client{B: backend, Key: cfg.SecretKey},
		line:    newLine(cfg),
		logger:  cfg.Logger,
	}, nil
}

// Create makes the intent and, with a Method, charges it.
func (s *Stripe) Create(ctx context.Context, c Create) (Intent, error) {
	intent, err := s.create(ctx, c)
	if err != nil {
		return Intent{}, fmt.Errorf("create intent for %s: %w", c.PaymentID, err)
	}
	return intent, nil
}

func (s *Stripe) create(ctx context.Context, c Create) (Intent, error) {
	return s.createAs(ctx, c, c.Key)
}

func (s *Stripe) createAs(ctx context.Context, c Create, key string) (Intent, error) {
	return s.intent(ctx, func(ctx context.Context) (*stripe.PaymentIntent, error) {
		params := &stripe.PaymentIntentParams{
			Params:   keyed(ctx, key),
			Amount:   stripe.Int64(c.Amount),
			Currency: stripe.String(c.Currency),
			// What the shop has switched on, as Stripe advises, but nothing that leaves the page: those methods need a
			// return_url at every confirmation, and there is none when the server confirms. 3-D Secure still works.
			AutomaticPaymentMethods: &stripe.PaymentIntentAutomaticPaymentMethodsParams{
				Enabled:        stripe.Bool(true),
				AllowRedirects: stripe.String(string(stripe.PaymentIntentAutomaticPaymentMethodsAllowRedirectsNever)),
			},
			Metadata: map[string]string{metadataOrder: c.OrderID, metadataPayment: c.PaymentID, metadataKey: c.Key},
		}
		if c.Email != "" {
			params.ReceiptEmail = stripe.String(c.Email)
		}
		if c.Method != "" {
			params.PaymentMethod = stripe.String(c.Method)
			params.Confirm = stripe.Bool(true)
		}
		return s.intents.New(params)
	})
}

// Confirm charges. An intent that is already paid or being paid is returned as it is: an intent is charged at most once.
func (s *Stripe) Confirm(ctx context.Context, c Confirm) (Intent, error) {
	intent, err := s.intent(ctx, func(ctx context.Context) (*stripe.PaymentIntent, error) {
		return s.intents.Confirm(c.IntentID, &stripe.PaymentIntentConfirmParams{
			Params:        keyed(ctx, c.Key),
			PaymentMethod: stripe.String(c.Method),
		})
	})
	if unexpectedState(err) {
		now, getErr := s.get(ctx, c.IntentID)
		if getErr != nil {
			return Intent{}, fmt.Errorf("confirm intent %s: %w", c.IntentID, getErr)
		}
		if now.Status == StatusSucceeded || now.Status == StatusProcessing {
			return now, nil
		}
	}
	if err != nil {
		return Intent{}, fmt.Errorf("confirm intent %s: %w", c.IntentID, err)
	}
	return intent, nil
}

// Cancel voids, or returns the intent that can't be voided any more.
func (s *Stripe) Cancel(ctx context.Context, c Cancel) (Intent, error) {
	intent, err := s.cancel(ctx, c.IntentID, c.Key)
	if !unexpectedState(err) {
		if err != nil {
			return Intent{}, fmt.Errorf("cancel intent %s: %w", c.IntentID, err)
		}
		return intent, nil
	}
	now, err := s.get(ctx, c.IntentID)
	if err == nil && (now.Status == StatusRequiresMethod || now.Status == StatusRequiresAction) {
		// The refusal is the stored answer of an earlier call, made while the payment was under way.
		now, err = s.cancel(ctx, c.IntentID, c.Key+"/"+string(now.Status))
	}
	if err != nil {
		return Intent{}, fmt.Errorf("cancel intent %s: %w", c.IntentID, err)
	}
	if now.Status != StatusSucceeded && now.Status != StatusCanceled {
		return Intent{}, fmt.Errorf("cancel intent %s: it is %s: %w", c.IntentID, now.Status, ErrUnavailable)
	}
	return now, nil
}

func (s *Stripe) cancel(ctx context.Context, id, key string) (Intent, error) {
	return s.intent(ctx, func(ctx context.Context) (*stripe.PaymentIntent, error) {
		return s.intents.Cancel(id, &stripe.PaymentIntentCancelParams{Params: keyed(ctx, key)})
	})
}

func (s *Stripe) get(ctx context.Context, id string) (Intent, error) {
	return s.intent(ctx, func(ctx context.Context) (*stripe.PaymentIntent, error) {
		return s.intents.Get(id, &stripe.PaymentIntentParams{Params: stripe.Params{Context: ctx}})
	})
}

// intent makes a call that answers with an intent; a decline is such an answer too.
func (s *Stripe) intent(ctx context.Context, do func(context.Context) (*stripe.PaymentIntent, error)) (Intent, error) {
	var intent Intent
	err := s.line.call(ctx, func(ctx context.Context) error {
		pi, err := do(ctx)
		if declined, ok := declineOf(err); ok {
			intent = declined
			return nil
		}
		if err != nil {
			return classify(err)
		}
		intent, err = intentOf(pi)
		return err
	})
	if err != nil {
		return Intent{}, err
	}
	return intent, nil
}

// Health reports an open circuit at once. When Stripe has not answered anything for a while it is asked for one intent,
// which also proves that the secret key is accepted.
func (s *Stripe) Health(ctx context.Context) error {
	return s.line.health(ctx, func(ctx context.Context) error {
		params := &stripe.PaymentIntentListParams{ListParams: stripe.ListParams{
			Context: ctx, Limit: stripe.Int64(1), Single: true,
		}}
		return classify(s.intents.List(params).Err())
	})
}

func keyed(ctx context.Context, key string) stripe.Params {
	return stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}
}
