package actors_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/faulty"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

func adjust(id, fingerprint string, delta int64) *messages.Command {
	return &messages.Command{Id: id, Fingerprint: fingerprint, Body: &messages.Command_AdjustStock{AdjustStock: &messages.AdjustStock{Delta: delta, Reason: "count"}}}
}

func TestTheSameCommandFromTenClientsIsExecutedOnceAndAnsweredAlike(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 10)
	answers := make([]string, 10)
	var clients sync.WaitGroup
	for i := range answers {
		clients.Go(func() {
			reply, err := shop.Ask(context.Background(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
			answers[i] = fmt.Sprint(string(reply.GetDocument()), reply.GetRefusal(), err)
		})
	}
	clients.Wait()
	for _, a := range answers {
		assert.Equal(t, answers[0], a)
	}
	assert.EqualValues(t, 7, shop.Product(t, "lamp").StockQuantity)
}

func TestACommandIsAnsweredAsItWasThenHoweverOftenTheEntityHasChangedSince(t *testing.T) {
	disk := memory.New()
	shop := actorstest.Open(t, actors.Config{Store: disk, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 10)
	first, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
	require.NoError(t, err)
	_, err = shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-2", "f", 5))
	require.NoError(t, err)
	shop.Stop()
	shop = actorstest.Open(t, actors.Config{Store: disk, Gateway: actorstest.Sandbox(t)})
	again, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
	require.NoError(t, err)
	assert.JSONEq(t, string(first.GetDocument()), string(again.GetDocument()))
	assert.Equal(t, first.GetVersion(), again.GetVersion())
}

// TestACommandIsAnsweredAsItWasThenAlsoFromASnapshot: a snapshot holds the state, not what was answered on the way to it.
func TestACommandIsAnsweredAsItWasThenAlsoFromASnapshot(t *testing.T) {
	disk := memory.New()
	shop := actorstest.Open(t, actors.Config{Store: disk, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 10)
	actorstest.Eventually(t, func() string {
		if v := shop.Product(t, "lamp").Version; v < 2 {
			return fmt.Sprint("claims not settled, version ", v)
		}
		return ""
	})
	first, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
	require.NoError(t, err)
	shop.Stop()
	config := actors.Config{Store: disk, Gateway: actorstest.Sandbox(t), Policy: actorstest.Policy, Writer: "local", Logger: slog.New(slog.DiscardHandler)}
	_, err = actors.NewHost(config).Replay(t.Context()) // leaves a snapshot of the last version
	require.NoError(t, err)
	shop = actorstest.Open(t, config)
	again, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
	require.NoError(t, err)
	assert.Nil(t, again.GetRefusal())
	assert.JSONEq(t, string(first.GetDocument()), string(again.GetDocument()))
}

func TestASnapshotIsMadeHoweverOftenAnEntityWasLoaded(t *testing.T) {
	disk := memory.New()
	snapshot := func() []byte {
		p, err := disk.Snapshot(t.Context(), storage.StreamOf(actors.KindProduct, "lamp"))
		require.NoError(t, err)
		return p.Snapshot
	}
	for life, each := range []int{35, 20} { // by ten clients: the 500 events that make a snapshot are of both lives
		shop := actorstest.Open(t, actors.Config{Store: disk, Gateway: actorstest.Sandbox(t)})
		if life == 0 {
			shop.Stock(t, "lamp", 10)
		}
		var clients sync.WaitGroup
		for range 10 {
			clients.Go(func() {
				for range each {
					reply, err := shop.Ask(context.Background(), actors.KindProduct, "lamp", adjust("", "", 1))
					assert.NoError(t, err)
					assert.Nil(t, reply.GetRefusal())
				}
			})
		}
		clients.Wait()
		shop.Stop()
		assert.Equal(t, life == 1, len(snapshot()) > 0)
	}
}

func TestAnIdOfAnotherRequestIsRefused(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 10)
	_, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "f", -3))
	require.NoError(t, err)
	reply, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust("count-1", "other", -4))
	require.NoError(t, err)
	assert.Equal(t, "idempotency_key_reused", reply.GetRefusal().GetCode())
	assert.EqualValues(t, 7, shop.Product(t, "lamp").StockQuantity)
}

func TestOnlyTheVersionThatWasNamedIsChanged(t *testing.T) {
	shop := openShop(t)
	shop.Stock(t, "lamp", 10)
	version := shop.Product(t, "lamp").Version
	command := adjust("count-1", "f", -3)
	command.IfMatch = version + 100
	reply, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", command)
	require.NoError(t, err)
	assert.EqualValues(t, domain.KindPrecondition, reply.GetRefusal().GetKind())
	assert.EqualValues(t, 10, shop.Product(t, "lamp").StockQuantity)
}

// Two members that both believe to own the product: every unit is sold once, because the loser of an append forgets
// what it had decided and reads the journal.
func TestTwoActivationsOfOneEntityNeverOversell(t *testing.T) {
	disk, payments := memory.New(), actorstest.Sandbox(t)
	var shops [2]*actorstest.Shop
	for i := range shops {
		shops[i] = actorstest.Open(t, actors.Config{Store: disk, Gateway: payments, Writer: fmt.Sprintf("member-%d", i)})
	}
	shops[0].Stock(t, "hot", 50)
	actorstest.Eventually(t, func() string {
		if v := shops[0].Product(t, "hot").Version; v < 2 {
			return fmt.Sprint("claims not settled, version ", v)
		}
		return ""
	})
	// Both have loaded the same version now: the second one to write must learn that it is not alone.
	require.Equal(t, shops[0].Product(t, "hot"), shops[1].Product(t, "hot"))
	var held atomic.Int64
	var buyers sync.WaitGroup
	for i := range 200 {
		buyers.Go(func() {
			reply, err := shops[i%2].Ask(context.Background(), actors.KindProduct, "hot", &messages.Command{Body: &messages.Command_HoldStock{
				HoldStock: &messages.HoldStock{OrderId: actorstest.NewOrderID(), Quantity: 1, ExpiresAt: time.Now().Add(time.Hour).UnixMilli()}}})
			if err == nil && reply.GetRefusal() == nil {
				held.Add(1)
			}
		})
	}
	buyers.Wait()
	assert.EqualValues(t, 50, held.Load())
	var reserved int64
	require.NoError(t, disk.Scan(t.Context(), func(e storage.Entry) error {
		for _, stored := range e.Events {
			if fact, err := product.Codec.Decode(stored.Type, stored.Schema, stored.Data); err == nil {
				if h, ok := fact.(product.Held); ok {
					reserved += h.Quantity
					assert.LessOrEqual(t, h.Reserved, h.Stock)
				}
			}
		}
		return nil
	}))
	assert.EqualValues(t, 50, reserved)
	assert.Positive(t, shops[0].Host.Stats.Conflicts.Load()+shops[1].Host.Stats.Conflicts.Load(), "the members never met")
}

func TestAnAppendWhoseAnswerIsLostIsNeitherLostNorDoneTwice(t *testing.T) {
	store := faulty.New(memory.New())
	shop := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 100)
	store.Set(faulty.Random(1, 0.5, []faulty.Fate{faulty.Lose, faulty.Fail}, faulty.Append))
	for i := range 20 {
		reply, err := shop.Ask(t.Context(), actors.KindProduct, "lamp", adjust(fmt.Sprint("count-", i), "f", -1))
		require.NoError(t, err)
		require.Nil(t, reply.GetRefusal())
	}
	store.Set(nil)
	assert.EqualValues(t, 80, shop.Product(t, "lamp").StockQuantity)
}

func TestNothingIsAnsweredBeforeItIsDurable(t *testing.T) {
	store := faulty.New(memory.New())
	shop := actorstest.Open(t, actors.Config{Store: store, Gateway: actorstest.Sandbox(t)})
	shop.Stock(t, "lamp", 10)
	actorstest.Eventually(t, func() string {
		if v := shop.Product(t, "lamp").Version; v < 2 {
			return fmt.Sprint("claims not settled, version ", v)
		}
		return ""
	})
	store.Set(faulty.Every(faulty.Append, faulty.Stall))
	answered := make(chan string, 2)
	go func() {
		reply, _ := shop.Ask(context.Background(), actors.KindProduct, "lamp", adjust("count-1", "f", -10))
		answered <- fmt.Sprint("adjusted ", reply.GetRefusal())
	}()
	actorstest.Eventually(t, func() string {
		if store.Stalled() == 0 {
			return "no append yet"
		}
		return ""
	})
	go func() { // refused because of what is not durable yet: this answer has to wait as well
		reply, _ := shop.Ask(context.Background(), actors.KindProduct, "lamp", adjust("count-2", "f", -1))
		answered <- fmt.Sprint("refused ", reply.GetRefusal().GetCode())
	}()
	actorstest.Eventually(t, func() string {
		if n := shop.Host.Stats.Commands.Load(); n < 4 {
			return fmt.Sprint(n, " commands so far")
		}
		return ""
	})
	select {
	case a := <-answered:
		t.Fatal("answered too early: ", a)
	default:
	}
	store.Set(nil)
	store.Release()
	assert.ElementsMatch(t, []string{"adjusted <nil>", "refused stock_below_reserved"}, []string{<-answered, <-answered})
}

func TestReservationExpiresAtItsInstantAlsoWhenNobodyWasThere(t *testing.T) {
	policy := actorstest.Policy
	policy.ReservationTTL = 300 * time.Millisecond
	for _, down := range []string{"never", "before it", "at it"} {
		t.Run("down "+down, func(t *testing.T) {
			disk, payments := memory.New(), actorstest.Sandbox(t)
			shop := actorstest.Open(t, actors.Config{Store: disk, Gateway: payments, Policy: policy})
			shop.Stock(t, "lamp", 5)
			id := actorstest.NewOrderID()
			_, err := shop.Place(t.Context(), id, "by hand", "lamp")
			require.NoError(t, err)
			if down != "never" {
				actorstest.Eventually(t, func() string {
					if d, _ := shop.Order(t, id); d.PaymentIntentID == "" {
						return "not yet reserved"
					}
					return ""
				})
				shop.Kill()
				if down == "at it" {
					<-time.After(policy.ReservationTTL) // by then it has passed: no clock of a shop that is down goes on
				}
				shop = actorstest.Open(t, actors.Config{Store: disk, Gateway: payments, Policy: policy})
			}
			// Nobody asks: the journal alone must tell.
			actorstest.Eventually(t, func() string {
				if n := countEvents(t, disk, storage.StreamOf("order", domain.OrderIdentity(id)), order.Settled{}.EventType()); n == 0 {
					return "not settled"
				}
				return ""
			})
			d := shop.Ended(t, id)
			assert.Equal(t, order.StatusCancelled, d.Status)
			assert.Equal(t, "reservation expired", d.FailureReason)
			assert.EqualValues(t, 5, shop.Product(t, "lamp").AvailableQuantity)
			for _, once := range []order.Event{order.Cancelled{}, order.ReservationReleased{}} {
				assert.Equal(t, 1, countEvents(t, disk, storage.StreamOf("order", domain.OrderIdentity(id)), once.EventType()), once.EventType())
			}
		})
	}
}

func countEvents(t *testing.T, disk storage.Journal, stream storage.Stream, eventType string) (n int) {
	t.Helper()
	entries, err := disk.Read(t.Context(), stream, 0, 0)
	require.NoError(t, err)
	for _, e := range entries {
		for _, event := range e.Events {
			if event.Type == eventType {
				n++
			}
		}
	}
	return n
}

func TestIdleEntitiesAreLetGoAndComeBackAsTheyWere(t *testing.T) {
	var ahead atomic.Int64 // nanoseconds that the shop's clock is ahead
	shop := actorstest.Open(t, actors.Config{Store: memory.New(), Gateway: actorstest.Sandbox(t), IdleAfter: time.Minute,
		Clock: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	shop.Stock(t, "lamp", 5)
	id := actorstest.NewOrderID()
	_, err := shop.Place(t.Context(), id, "pm_card_visa", "lamp")
	require.NoError(t, err)
	before := shop.Ended(t, id)
	actorstest.Eventually(t, func() string {
		if n := shop.Host.Stats.Passivations.Load(); n < 2 { // order and payment have finished
			return fmt.Sprint(n, " let go")
		}
		return ""
	})
	after, ok := shop.Order(t, id)
	require.True(t, ok)
	assert.Equal(t, before, after)
}

func TestReplayMakesTheSameReadModels(t *testing.T) {
	disk := memory.New()
	config := actors.Config{Store: disk, Gateway: actorstest.Sandbox(t)}
	shop := actorstest.Open(t, config)
	shop.Stock(t, "lamp", 20)
	var last string
	for _, method := range []string{"pm_card_visa", "pm_card_visa_chargeDeclined", "by hand"} {
		last = actorstest.NewOrderID()
		_, err := shop.Place(t.Context(), last, method, "lamp")
		require.NoError(t, err)
	}
	actorstest.Eventually(t, func() string {
		if p := shop.Product(t, "lamp"); p.StockQuantity != 19 || p.ReservedQuantity != 1 {
			return fmt.Sprintf("stock %d, reserved %d", p.StockQuantity, p.ReservedQuantity)
		}
		if _, ok := shop.Payment(t, last); !ok {
			return "the payment by hand has not been asked for"
		}
		return ""
	})
	shop.Stop()
	before := readModels(t, disk)
	require.Len(t, before, 1+3+3+3, "a product, and an order, a reservation and a payment of each buyer")
	host := actors.NewHost(actors.Config{Store: disk, Policy: actorstest.Policy, Writer: "local", Logger: config.Logger})
	_, err := host.Replay(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, readModels(t, disk))
}

func readModels(t *testing.T, disk storage.Projections) map[string]string {
	t.Helper()
	bodies := make(map[string]string)
	for _, c := range []storage.Collection{storage.Orders, storage.Products, storage.Reservations, storage.Payments} {
		documents, err := disk.List(t.Context(), storage.Filter{Collection: c}, storage.Position{}, 0, 100)
		require.NoError(t, err)
		for _, d := range documents {
			bodies[string(c)+"/"+d.ID] = string(d.Body)
		}
	}
	return bodies
}
