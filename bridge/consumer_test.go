package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/messages"
)

// entities play the cluster: they know what they did, so that a command that comes again has no second effect.
type entities struct {
	mu      sync.Mutex
	asked   int
	effects map[string]*messages.Command // by kind and identity
	answer  func(asked int, kind, identity string, command *messages.Command) (*messages.Reply, error)
	hold    func(ctx context.Context) // called after the effect, before the answer
}

func newEntities() *entities { return &entities{effects: map[string]*messages.Command{}} }

func (e *entities) Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	e.mu.Lock()
	e.asked++
	asked := e.asked
	if e.answer != nil {
		if reply, err := e.answer(asked, kind, identity, command); reply != nil || err != nil {
			e.mu.Unlock()
			return reply, err
		}
	}
	if e.effects[kind+"/"+identity] == nil {
		e.effects[kind+"/"+identity] = command
	}
	hold := e.hold
	e.mu.Unlock()
	if hold != nil {
		hold(ctx)
	}
	return &messages.Reply{Version: 1}, nil
}

func (e *entities) counts() (asked, effects int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked, len(e.effects)
}

type commands struct {
	t       testing.TB
	channel *amqp.Channel
}

// newCommands gives a test fresh queues.
func newCommands(t testing.TB) *commands {
	t.Helper()
	c := &commands{t: t, channel: broker.Channel(t)}
	wipe := func() {
		broker.Delete(t, bridge.CommandsQueue)
		broker.Delete(t, bridge.DeadQueue)
	}
	wipe()
	t.Cleanup(wipe)
	return c
}

func (c *commands) run(config bridge.ConsumerConfig, asker bridge.Asker) (consumer *bridge.Consumer, stop func()) {
	c.t.Helper()
	if config.URL == "" {
		config.URL = broker.URL(c.t)
	}
	config.MinBackoff, config.MaxBackoff = 5*time.Millisecond, 50*time.Millisecond
	consumer = bridge.NewConsumer(config, asker, func() string { return "68b1f2a0ffffffffffffffff" }, logger(c.t))
	ctx, cancel := context.WithCancel(c.t.Context())
	done := make(chan error, 1)
	go func() { done <- consumer.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					c.t.Errorf("run: %v", err)
				}
			case <-time.After(15 * time.Second):
				c.t.Error("consumer does not end")
			}
		})
	}
	c.t.Cleanup(stop)
	bridgetest.Eventually(c.t, 15*time.Second, consumer.Connected, func() string { return "not connected" })
	return consumer, stop
}

func (c *commands) send(key, id, body string) {
	c.t.Helper()
	if err := c.channel.Publish(bridge.CommandsExchange, key, false, false, amqp.Publishing{DeliveryMode: amqp.Persistent,
		ContentType: "application/json", MessageId: id, AppId: "erp", Headers: amqp.Table{"traceparent": "00-a-b-01", "tenant": "north"}, Body: []byte(body)}); err != nil {
		c.t.Fatal(err)
	}
}

const (
	reserveKey = "inventory.reservation.requested"
	payKey     = "payment.process.requested"
)

func reserveBody(orderID string) string {
	return fmt.Sprintf(`{"pattern":"inventory.reservation.requested","id":"nest-1","data":{"orderId":%q,"customerId":"cust-1","items":[{"productId":"p-1","productName":"Mug","quantity":2,"unitPrice":1250,"colour":"red"}],"reservationTimeoutMinutes":30,"channel":"web"}}`, orderID)
}

func payBody(orderID, rest string) string {
	return fmt.Sprintf(`{"pattern":"payment.process.requested","data":{"orderId":%q,"customerId":"cust-1","amount":3750,"customerEmail":"ann@example.com","orderItems":[{"productId":"p-1","quantity":2}]%s}}`, orderID, rest)
}

// waiting is how many messages a queue holds that are ready.
func (c *commands) waiting(queue string) int {
	q, err := c.channel.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	return q.Messages
}

func (c *commands) dead(n int) []amqp.Delivery {
	c.t.Helper()
	var dead []amqp.Delivery
	bridgetest.Eventually(c.t, 10*time.Second, func() bool {
		d, ok, err := c.channel.Get(bridge.DeadQueue, true)
		if err != nil {
			c.t.Fatal(err)
		}
		if ok {
			dead = append(dead, d)
		}
		return len(dead) == n
	}, func() string { return fmt.Sprintf("%d of %d dead letters", len(dead), n) })
	return dead
}

func handled(consumer *bridge.Consumer, want, wantDead uint64) (func() bool, func() string) {
	return func() bool {
			done, dead := consumer.Handled()
			return done == want && dead == wantDead
		}, func() string {
			done, dead := consumer.Handled()
			return fmt.Sprintf("%d carried out, %d parked, expected %d and %d", done, dead, want, wantDead)
		}
}

func wait(t testing.TB, consumer *bridge.Consumer, want, wantDead uint64) {
	t.Helper()
	condition, state := handled(consumer, want, wantDead)
	bridgetest.Eventually(t, 15*time.Second, condition, state)
}

func TestCommandsReachTheirEntities(t *testing.T) {
	c, e := newCommands(t), newEntities()
	consumer, _ := c.run(bridge.ConsumerConfig{Currency: "eur"}, e)
	ours := "68b1f2a04b1c7d2e9f001122"
	c.send(reserveKey, "1", reserveBody("ERP 4711"))
	c.send(reserveKey, "2", reserveBody(ours))
	c.send(payKey, "3", payBody("ERP 4711", `,"currency":"usd","paymentMethodId":"pm_card_visa"`))
	c.send(payKey, "4", payBody(ours, `,"paymentMethodId":"invoice"`))
	wait(t, consumer, 4, 0)

	for _, id := range []string{"ERP 4711", ours} {
		reserve := e.effects["order/"+domain.OrderIdentity(id)].GetRequestReservation()
		if reserve.GetOrderId() != id || reserve.GetCustomerId() != "cust-1" || reserve.GetTimeoutMinutes() != 30 || len(reserve.GetLines()) != 1 {
			t.Errorf("reservation of %s: %v", id, reserve)
			continue
		}
		if l := reserve.GetLines()[0]; l.GetProductId() != "p-1" || l.GetProductName() != "Mug" || l.GetQuantity() != 2 || l.GetUnitPrice() != 1250 {
			t.Errorf("line %v", l)
		}
	}
	pay := e.effects["payment/x:ERP 4711"]
	if p := pay.GetRequestPayment(); p.GetId() != "68b1f2a0ffffffffffffffff" || p.GetAmount() != 3750 || p.GetCurrency() != "usd" ||
		p.GetCustomerEmail() != "ann@example.com" || p.GetMethod() != "pm_card_visa" || p.GetLines()[0].GetQuantity() != 2 {
		t.Errorf("payment %v", p)
	}
	if pay.GetTraceparent() != "00-a-b-01" || pay.GetCause() != "message payment.process.requested" || pay.GetId() != "" {
		t.Errorf("command %v", pay)
	}
	if p := e.effects["payment/"+domain.OrderIdentity(ours)].GetRequestPayment(); p.GetCurrency() != "eur" || p.GetMethod() != "" {
		t.Errorf("payment that waits %v", p)
	}
	bridgetest.Eventually(t, 5*time.Second, func() bool { return c.waiting(bridge.CommandsQueue) == 0 }, func() string { return "messages left" })
}

func TestPoisonIsParkedWithItsReason(t *testing.T) {
	c, e := newCommands(t), newEntities()
	e.answer = func(_ int, kind, identity string, _ *messages.Command) (*messages.Reply, error) {
		if identity == "x:taken" {
			return &messages.Reply{Refusal: &messages.Refusal{Kind: 3, Code: "reservation_exists", Detail: "other data"}}, nil
		}
		return nil, nil
	}
	consumer, _ := c.run(bridge.ConsumerConfig{Parallel: 1}, e)
	c.send(reserveKey, "a", `not json`)
	c.send(reserveKey, "b", strings.Replace(reserveBody("o-1"), `"quantity":2`, `"quantity":"2"`, 1))
	c.send(reserveKey, "c", reserveBody("taken"))
	c.send(reserveKey, "d", reserveBody("good"))
	wait(t, consumer, 1, 3)
	for i, d := range c.dead(3) {
		wantID := []string{"a", "b", "c"}[i]
		wantReason := []string{`body is not`, "data.items.quantity must not be a string", "reservation_exists: other data"}[i]
		reason, _ := d.Headers[bridge.ReasonHeader].(string)
		if d.MessageId != wantID || !strings.Contains(reason, wantReason) || d.Headers["tenant"] != "north" || d.Headers[bridge.QueueHeader] != bridge.CommandsQueue ||
			d.AppId != "erp" || d.DeliveryMode != amqp.Persistent || len(d.Body) == 0 {
			t.Errorf("dead letter %s: reason %q, %+v", d.MessageId, reason, d)
		}
	}
	if asked, effects := e.counts(); asked != 2 || effects != 1 {
		t.Errorf("asked %d times, %d effects", asked, effects)
	}
}

func TestUnavailableIsTriedAgain(t *testing.T) {
	c, e := newCommands(t), newEntities()
	e.answer = func(asked int, _, _ string, _ *messages.Command) (*messages.Reply, error) {
		switch asked {
		case 1:
			return nil, errors.New("no member answers")
		case 2:
			return &messages.Reply{Refusal: &messages.Refusal{Kind: 6, Code: "store_unavailable"}}, nil
		case 3:
			return &messages.Reply{Refusal: &messages.Refusal{Kind: 7, Code: "moved"}}, nil
		}
		return nil, nil
	}
	consumer, _ := c.run(bridge.ConsumerConfig{}, e)
	c.send(reserveKey, "1", reserveBody("o-1"))
	wait(t, consumer, 1, 0)
	if asked, effects := e.counts(); asked != 4 || effects != 1 {
		t.Errorf("asked %d times, %d effects", asked, effects)
	}
}

func TestDeclinedCardIsAResult(t *testing.T) {
	c, e := newCommands(t), newEntities()
	e.answer = func(int, string, string, *messages.Command) (*messages.Reply, error) {
		return &messages.Reply{Refusal: &messages.Refusal{Kind: 4, Code: "card_declined"}}, nil
	}
	consumer, _ := c.run(bridge.ConsumerConfig{}, e)
	c.send(payKey, "1", payBody("o-1", ""))
	wait(t, consumer, 1, 0)
}

// The process ends after the effect and before the acknowledgement: the next one is asked again, and nothing happens twice.
func TestStopBetweenEffectAndAcknowledgement(t *testing.T) {
	c, e := newCommands(t), newEntities()
	l := newLink(t)
	reached := make(chan struct{}, 64)
	e.hold = func(ctx context.Context) { reached <- struct{}{}; <-ctx.Done() }
	_, stop := c.run(bridge.ConsumerConfig{URL: l.url(), Parallel: 4, StopTimeout: 10 * time.Millisecond}, e)
	for n := range 20 {
		c.send(reserveKey, fmt.Sprint(n), reserveBody(fmt.Sprintf("o-%d", n)))
	}
	for range 4 {
		<-reached
	}
	l.cut()
	stop()
	if asked, effects := e.counts(); asked != 4 || effects != 4 {
		t.Fatalf("asked %d times, %d effects", asked, effects)
	}
	e.mu.Lock()
	e.hold = nil
	e.mu.Unlock()
	consumer, _ := c.run(bridge.ConsumerConfig{}, e)
	wait(t, consumer, 20, 0)
	if asked, effects := e.counts(); asked != 24 || effects != 20 {
		t.Errorf("asked %d times, %d effects", asked, effects)
	}
}

// doomed asks the entities and dies before it hears the answer.
type doomed struct {
	*entities
	reached chan struct{}
}

func (d doomed) Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error) {
	if _, err := d.entities.Ask(ctx, kind, identity, command); err != nil {
		return nil, err
	}
	d.reached <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// Two members consume the one queue, and one of them dies after the effects of its commands and before it acknowledged
// them: the other one is asked for the same effects again, and carries out the rest.
func TestAnotherMemberTakesOverTheCommandsOfADeadOne(t *testing.T) {
	c, e := newCommands(t), newEntities()
	l := newLink(t)
	dying := doomed{e, make(chan struct{}, 64)}
	victim, stop := c.run(bridge.ConsumerConfig{URL: l.url(), Name: "member-1", Parallel: 4, StopTimeout: 10 * time.Millisecond}, dying)
	survivor, _ := c.run(bridge.ConsumerConfig{Name: "member-2", Parallel: 4}, e)
	const orders = 40
	for n := range orders {
		key, body := reserveKey, reserveBody(fmt.Sprintf("o-%d", n))
		if n%2 == 1 {
			key, body = payKey, payBody(fmt.Sprintf("o-%d", n), "")
		}
		c.send(key, fmt.Sprint(n), body)
	}
	for range 4 {
		<-dying.reached
	}
	wait(t, survivor, orders-4, 0)
	l.cut()
	stop()
	wait(t, survivor, orders, 0)
	if asked, effects := e.counts(); asked != orders+4 || effects != orders {
		t.Errorf("asked %d times, %d effects", asked, effects)
	}
	if done, _ := victim.Handled(); done != 0 {
		t.Errorf("the dead one acknowledged %d", done)
	}
	bridgetest.Eventually(t, 5*time.Second, func() bool { return c.waiting(bridge.CommandsQueue) == 0 }, func() string { return "messages left" })
}

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	c, e := newCommands(t), newEntities()
	reached, release := make(chan struct{}, 64), make(chan struct{})
	e.hold = func(context.Context) { reached <- struct{}{}; <-release }
	consumer, stop := c.run(bridge.ConsumerConfig{Parallel: 2}, e)
	for n := range 10 {
		c.send(reserveKey, fmt.Sprint(n), reserveBody(fmt.Sprintf("o-%d", n)))
	}
	<-reached
	<-reached
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	// Deliveries have ended, the two are still at it.
	bridgetest.Eventually(t, 5*time.Second, func() bool { return !consumer.Connected() }, func() string { return "still consuming" })
	if done, _ := consumer.Handled(); done != 0 {
		t.Fatalf("%d acknowledged too early", done)
	}
	close(release)
	<-stopped
	if done, _ := consumer.Handled(); done != 2 {
		t.Errorf("%d acknowledged of 2 in flight", done)
	}
	bridgetest.Eventually(t, 5*time.Second, func() bool { return c.waiting(bridge.CommandsQueue) == 8 },
		func() string { return fmt.Sprintf("%d of 8 are back in the queue", c.waiting(bridge.CommandsQueue)) })
	consumer, _ = c.run(bridge.ConsumerConfig{}, e)
	wait(t, consumer, 8, 0)
	if asked, effects := e.counts(); asked != 10 || effects != 10 {
		t.Errorf("asked %d times, %d effects", asked, effects)
	}
}

func TestConsumerSurvivesCuts(t *testing.T) {
	c, e := newCommands(t), newEntities()
	l := newLink(t)
	consumer, _ := c.run(bridge.ConsumerConfig{URL: l.url()}, e)
	const n = 300
	for i := range n {
		if i%100 == 50 {
			l.cut()
			bridgetest.Eventually(t, 10*time.Second, func() bool { return !consumer.Connected() }, func() string { return "still connected" })
			l.mend()
		}
		c.send(reserveKey, fmt.Sprint(i), reserveBody(fmt.Sprintf("o-%d", i)))
		c.send(reserveKey, fmt.Sprint(i), reserveBody(fmt.Sprintf("o-%d", i))) // and a duplicate
	}
	bridgetest.Eventually(t, 15*time.Second, func() bool {
		done, _ := consumer.Handled()
		_, effects := e.counts()
		return effects == n && done >= 2*n
	}, func() string {
		asked, effects := e.counts()
		return fmt.Sprintf("asked %d, effects %d", asked, effects)
	})
}

func TestCommandsQueueWithOtherArguments(t *testing.T) {
	c, e := newCommands(t), newEntities()
	if _, err := c.channel.QueueDeclare(bridge.CommandsQueue, true, false, false, false, amqp.Table{"x-max-length": int32(5)}); err != nil {
		t.Fatal(err)
	}
	errs := &lines{}
	consumer := bridge.NewConsumer(bridge.ConsumerConfig{URL: broker.URL(t), MinBackoff: time.Millisecond, MaxBackoff: 20 * time.Millisecond}, e, nil, errs.logger())
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { consumer.Run(ctx) })
	defer running.Wait()
	defer cancel()
	bridgetest.Eventually(t, 5*time.Second, func() bool {
		return strings.Count(errs.text(), "queuecommerce.commands: exists on the broker with other arguments") >= 2
	}, errs.text)
	broker.Delete(t, bridge.CommandsQueue)
	bridgetest.Eventually(t, 5*time.Second, consumer.Connected, errs.text)
}
