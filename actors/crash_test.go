package actors_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/faulty"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// client is a buyer, or a clerk, who repeats each request with the same id until it is answered. Every step returns an
// error when this life of the member ended before the answer.
type client struct {
	t       testing.TB
	shop    *actorstest.Shop
	orderID string
	last    order.Document // as last seen
}

// pause keeps a client that looks again and again from being all the load there is.
func pause(ctx context.Context) {
	select {
	case <-time.After(time.Millisecond):
	case <-ctx.Done():
	}
}

func (c *client) ask(ctx context.Context, kind, identity string, command *messages.Command) error {
	reply, err := c.shop.Ask(ctx, kind, identity, command)
	if err == nil && reply.GetRefusal() != nil && reply.GetRefusal().GetKind() != int32(domain.KindDeclined) {
		err = fmt.Errorf("refused: %v", reply.GetRefusal())
	}
	return err
}

func (c *client) place(ctx context.Context, method string) error {
	_, err := c.shop.Place(ctx, c.orderID, method, "lamp", "desk")
	return err
}

func (c *client) order(ctx context.Context, id string, command *messages.Command) error {
	command.Id = id
	return c.ask(ctx, actors.KindOrder, domain.OrderIdentity(c.orderID), command)
}

func (c *client) payment(ctx context.Context, id string, command *messages.Command) error {
	command.Id = id
	return c.ask(ctx, actors.KindPayment, domain.OrderIdentity(c.orderID), command)
}

func (c *client) cancel(ctx context.Context) error {
	return c.order(ctx, "cancel", &messages.Command{Body: &messages.Command_CancelOrder{CancelOrder: &messages.CancelOrder{Id: c.orderID, Reason: "changed my mind"}}})
}

func (c *client) confirm(ctx context.Context, id, method string) error {
	return c.payment(ctx, id, &messages.Command{Body: &messages.Command_ConfirmPayment{ConfirmPayment: &messages.ConfirmPayment{
		PaymentIntentId: domain.PaymentIntentID(c.orderID), Method: method}}})
}

func (c *client) refund(ctx context.Context, id string, amount int64) error {
	return c.payment(ctx, id, &messages.Command{Body: &messages.Command_RefundPayment{RefundPayment: &messages.RefundPayment{
		PaymentIntentId: domain.PaymentIntentID(c.orderID), Amount: &amount}}})
}

// until waits for a state of the order, for as long as this life lasts.
func (c *client) until(ctx context.Context, reached func(order.Document) bool) error {
	for ctx.Err() == nil {
		reply, err := c.shop.Ask(ctx, actors.KindOrder, domain.OrderIdentity(c.orderID), &messages.Command{Body: &messages.Command_GetOrder{GetOrder: &messages.GetOrder{Id: c.orderID}}})
		if err != nil {
			return err
		}
		d := decode[order.Document](c.t, reply)
		if reached(d) {
			return nil
		}
		c.last = d
		pause(ctx)
	}
	return fmt.Errorf("order is still %s, version %d: %w", c.last.Status, c.last.Version, ctx.Err())
}

// A scenario is what a client does, step by step. It is done again from its start after each crash.
var scenarios = map[string]struct {
	steps []step
	want  order.Status
	sold  int64 // units of each product, at the end
	kept  int64 // of the payment's total of 2100, at the end
	lamps int64 // in stock at the start
}{
	"paid":                 {[]step{place("pm_card_visa")}, order.StatusConfirmed, 1, 2100, 3},
	"declined":             {[]step{place("pm_card_visa_chargeDeclined")}, order.StatusCancelled, 0, 0, 3},
	"second line sold out": {[]step{place("pm_card_visa")}, order.StatusCancelled, 0, 0, 0},
	"paid by hand, after a decline": {[]step{place("by hand"), (*client).payable, confirm("declined", "pm_card_visa_chargeDeclined"),
		confirm("accepted", "pm_card_visa"), until(confirmed)}, order.StatusConfirmed, 1, 2100, 3},
	"cancelled while paying": {[]step{place("by hand"), (*client).payable, (*client).cancel}, order.StatusCancelled, 0, 0, 3},
	"cancelled when paid":    {[]step{place("pm_card_visa"), until(ended), (*client).cancel}, order.StatusCancelled, 0, 0, 3},
	"refunded in parts": {[]step{place("pm_card_visa"), until(confirmed), refund("first", 100), refund("second", 250)},
		order.StatusConfirmed, 1, 1750, 3},
}

type step func(*client, context.Context) error

func place(method string) step {
	return func(c *client, ctx context.Context) error { return c.place(ctx, method) }
}

func confirm(id, method string) step {
	return func(c *client, ctx context.Context) error { return c.confirm(ctx, id, method) }
}

func refund(id string, amount int64) step {
	return func(c *client, ctx context.Context) error { return c.refund(ctx, id, amount) }
}

func until(reached func(order.Document) bool) step {
	return func(c *client, ctx context.Context) error { return c.until(ctx, reached) }
}

func confirmed(d order.Document) bool { return d.Status == order.StatusConfirmed }
func ended(d order.Document) bool     { return d.Status != order.StatusPending }

// payable waits until there is an intent to pay.
func (c *client) payable(ctx context.Context) error {
	for ctx.Err() == nil {
		reply, err := c.shop.Ask(ctx, actors.KindPayment, domain.OrderIdentity(c.orderID), &messages.Command{
			Body: &messages.Command_GetPayment{GetPayment: &messages.GetPayment{}}})
		if err != nil || decode[payment.Document](c.t, reply).StripePaymentIntentID != "" {
			return err
		}
		pause(ctx)
	}
	return ctx.Err()
}

func (c *client) run(ctx context.Context, steps []step) error {
	for i, step := range steps {
		if err := step(c, ctx); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// TestCrashAtEveryDurableStep stops the member right before and right after each of its appends, in each scenario, and
// then checks that the next life ends where it would have ended without the crash.
func TestCrashAtEveryDurableStep(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crash := func(t *testing.T, at int, after bool) (steps int) {
				disk, ledger := memory.New(), newLedger(t)
				prepare(t, disk, ledger, s.lamps)
				c := &client{t: t, orderID: actorstest.NewOrderID()}
				steps = liveUntil(t, disk, ledger, c, s.steps, at, after)
				c.shop = actorstest.Open(t, actors.Config{Store: disk, Gateway: ledger})
				defer c.shop.Stop()
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				require.NoError(t, c.run(ctx, s.steps))
				check(t, c, ledger, s.want, s.sold, s.kept, s.lamps)
				return steps
			}
			steps := crash(t, 0, false) // never: how many steps are there?
			require.Greater(t, steps, 4)
			for at := 1; at <= steps; at++ {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("step %d of %d after=%v", at, steps, after), func(t *testing.T) { crash(t, at, after) })
				}
			}
		})
	}
}

func prepare(t *testing.T, disk *memory.Store, ledger *ledger, lamps int64) {
	t.Helper()
	shop := actorstest.Open(t, actors.Config{Store: disk, Gateway: ledger})
	shop.Stock(t, "lamp", lamps)
	shop.Stock(t, "desk", 3)
	// The products' claims are settled in the background; they would count as steps.
	actorstest.Eventually(t, func() string {
		for _, id := range []string{"lamp", "desk"} {
			if v := shop.Product(t, id).Version; v < 2 {
				return fmt.Sprintf("%s has version %d", id, v)
			}
		}
		return ""
	})
	shop.Stop()
}

// liveUntil runs the scenario in a life that ends at the step's append, and returns how many there were.
func liveUntil(t *testing.T, disk *memory.Store, ledger *ledger, c *client, steps []step, at int, after bool) int {
	t.Helper()
	store := faulty.New(disk)
	died := make(chan struct{})
	var once sync.Once
	die := func() {
		if store.Calls(faulty.Append) == at {
			store.Cut()
			once.Do(func() { close(died) })
		}
	}
	if after {
		store.Hook(nil, func([]storage.Entry, []error) { die() })
	} else {
		store.Hook(func([]storage.Entry) { die() }, nil)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c.shop = actorstest.Open(t, actors.Config{Store: store, Gateway: ledger})
	ended := make(chan error, 1)
	go func() {
		err := c.run(ctx, steps)
		if err == nil {
			err = c.settle(ctx)
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-died:
		c.shop.Kill()
		cancel()
		<-ended
	}
	c.shop.Kill()
	return store.Calls(faulty.Append)
}

// settle waits until the order has nothing left to do.
func (c *client) settle(ctx context.Context) error {
	for ctx.Err() == nil {
		reply, err := c.shop.Ask(ctx, actors.KindOrder, domain.OrderIdentity(c.orderID), &messages.Command{
			Body: &messages.Command_GetReservation{GetReservation: &messages.GetReservation{OrderId: c.orderID}}})
		if err != nil {
			return err
		}
		if reply.GetReservation().GetSettled() {
			return nil
		}
		pause(ctx)
	}
	return ctx.Err()
}

func check(t *testing.T, c *client, ledger *ledger, want order.Status, sold, kept, lamps int64) {
	t.Helper()
	d := c.shop.Ended(t, c.orderID)
	assert.Equal(t, want, d.Status, "%s %s", d.FailureReason, d.CancelReason)
	for id, initial := range map[string]int64{"lamp": lamps, "desk": 3} {
		p := c.shop.Product(t, id)
		assert.EqualValues(t, 0, p.ReservedQuantity, "%s reserved", id)
		assert.EqualValues(t, initial-sold, p.StockQuantity, "%s in stock", id)
	}
	actorstest.Eventually(t, func() string {
		if left := ledger.left(); left != kept {
			return fmt.Sprintf("the provider has %d, not %d", left, kept)
		}
		return ""
	})
	assert.LessOrEqual(t, ledger.charges(), 1, "charges")
	if p, ok := c.shop.Payment(t, c.orderID); ok && p.Status != payment.StatusCancelled {
		assert.Equal(t, ledger.charges() == 1, p.PaidAt != 0, "payment says that it is %s", p.Status)
	}
}

// ledger is the provider's own book: what was really charged and refunded, whatever the member knows of it.
type ledger struct {
	gateway.Gateway
	mu       sync.Mutex
	charged  map[string]int64 // by intent
	refunded map[string]int64 // by refund
}

func newLedger(t *testing.T) *ledger {
	return &ledger{Gateway: actorstest.Sandbox(t), charged: map[string]int64{}, refunded: map[string]int64{}}
}

func (l *ledger) note(i gateway.Intent, amount int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i.Status == gateway.StatusSucceeded && l.charged[i.ID] == 0 {
		l.charged[i.ID] = amount
	}
}

// Create notes a charge at creation.
func (l *ledger) Create(ctx context.Context, c gateway.Create) (gateway.Intent, error) {
	i, err := l.Gateway.Create(ctx, c)
	l.note(i, c.Amount)
	return i, err
}

// Confirm notes a later charge; every order of these tests costs the same.
func (l *ledger) Confirm(ctx context.Context, c gateway.Confirm) (gateway.Intent, error) {
	i, err := l.Gateway.Confirm(ctx, c)
	l.note(i, 2100)
	return i, err
}

// Refund notes what was given back.
func (l *ledger) Refund(ctx context.Context, r gateway.Refund) (gateway.Refunded, error) {
	refunded, err := l.Gateway.Refund(ctx, r)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refunded[refunded.ID] = r.Amount
	}
	return refunded, err
}

func (l *ledger) charges() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.charged)
}

func (l *ledger) left() (sum int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, amount := range l.charged {
		sum += amount
	}
	for _, amount := range l.refunded {
		sum -= amount
	}
	return sum
}
