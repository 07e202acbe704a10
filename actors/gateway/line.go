package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/failsafe-go/failsafe-go/timeout"
)

const (
	backoffMax = 2 * time.Second
	jitter     = 0.25
	// freshFor is how long a served call proves that Stripe is well, for Health.
	freshFor = 30 * time.Second
)

// line is the way to Stripe: a time limit per attempt, a circuit breaker around it, and retries around both. Every call
// made through it must be safe to repeat.
type line struct {
	calls   failsafe.Executor[any]
	probes  failsafe.Executor[any]
	breaker circuitbreaker.CircuitBreaker[any]
	served  atomic.Int64 // when Stripe last served a call, Unix nanoseconds
	now     func() time.Time
}

func newLine(cfg StripeConfig) *line {
	l := &line{now: cfg.Now}
	if l.now == nil {
		l.now = time.Now
	}
	limit := timeout.New[any](positive(cfg.Timeout, 10*time.Second))
	l.breaker = newBreaker(positive(cfg.Failures, 5), positive(cfg.Pause, 5*time.Second), cfg.Logger)
	first := positive(cfg.Backoff, 200*time.Millisecond)
	retry := retrypolicy.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool { return worthRepeating(err) }).
		WithMaxAttempts(positive(cfg.Attempts, 3)).
		WithBackoff(first, max(backoffMax, 2*first)).
		WithJitterFactor(jitter).
		ReturnLastFailure().
		Build()
	l.calls = failsafe.With[any](retry, l.breaker, limit)
	l.probes = failsafe.With[any](l.breaker, limit)
	return l
}

// newBreaker counts attempts that got no answer, never refusals and declines: to those Stripe is well.
func newBreaker(failures int, pause time.Duration, logger *slog.Logger) circuitbreaker.CircuitBreaker[any] {
	var breaker circuitbreaker.CircuitBreaker[any]
	breaker = circuitbreaker.NewBuilder[any]().
		HandleIf(func(_ any, err error) bool {
			if errors.Is(err, context.Canceled) {
				// The caller went away: proof of nothing. The breaker knows only good and bad, so it is taken as good
				// while the circuit is closed, and never as the good answer that would close it.
				return breaker.IsHalfOpen()
			}
			return errors.Is(err, timeout.ErrExceeded) || failureOf(err) == failureOutage
		}).
		WithFailureThreshold(uint(failures)).
		WithSuccessThreshold(1).
		WithDelay(pause).
		OnOpen(func(e circuitbreaker.StateChangedEvent) {
			logger.WarnContext(e.Context(), "payment provider does not answer, circuit opened", "pause", pause)
		}).
		OnClose(func(e circuitbreaker.StateChangedEvent) {
			logger.InfoContext(e.Context(), "payment provider answers again, circuit closed")
		}).
		Build()
	return breaker
}

func worthRepeating(err error) bool {
	var call *callError
	if errors.As(err, &call) {
		return (call.failure == failureOutage || call.failure == failureBusy) && !call.final
	}
	return errors.Is(err, timeout.ErrExceeded)
}

// call runs one keyed call, repeated as configured.
func (l *line) call(ctx context.Context, do func(context.Context) error) error {
	return l.run(ctx, l.calls, do)
}

func (l *line) run(ctx context.Context, policies failsafe.Executor[any], do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := policies.WithContext(ctx).RunWithExecution(func(attempt failsafe.Execution[any]) error {
		err := do(attempt.Context())
		if serves(err) {
			l.served.Store(l.now().UnixNano())
		}
		return err
	})
	switch {
	case err == nil, failureOf(err) != 0 && ctx.Err() == nil, errors.Is(err, ErrRejected):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("gave up waiting for the payment provider: %w", ctx.Err())
	case errors.Is(err, circuitbreaker.ErrOpen):
		return fmt.Errorf("circuit open for another %s: %w",
			l.breaker.RemainingDelay().Round(time.Millisecond), ErrUnavailable)
	case errors.Is(err, timeout.ErrExceeded):
		return fmt.Errorf("no answer within the time limit: %w", ErrUnavailable)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// health is nil while the circuit lets calls through and Stripe has answered lately or answers the probe. The probe goes
// through the breaker, so it is also what closes an open circuit when nobody else calls.
func (l *line) health(ctx context.Context, probe func(context.Context) error) error {
	if l.breaker.IsOpen() && l.breaker.RemainingDelay() > 0 {
		return fmt.Errorf("circuit open for another %s: %w",
			l.breaker.RemainingDelay().Round(time.Millisecond), ErrUnavailable)
	}
	if l.breaker.IsClosed() && l.now().Sub(time.Unix(0, l.served.Load())) < freshFor {
		return nil
	}
	if err := l.run(ctx, l.probes, probe); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}

func positive[N int | time.Duration](value, otherwise N) N {
	if value > 0 {
		return value
	}
	return otherwise
}
