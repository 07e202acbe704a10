package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

const (
	start = domain.Time(1_700_000_000_000)
	ttl   = time.Minute
	// A message that is older is never executed: its command carries this deadline.
	messageLife = 15_000
	// A member that lost its lease goes on working for so long at most.
	leaseLife = 10_000
	// How long a product waits with forgetting an order that said that it has ended.
	forgetAfter = product.ForgetGrace
)

type (
	orderSubject   = domaintest.Subject[order.State, order.Command, order.Event]
	productSubject = domaintest.Subject[product.State, product.Command, product.Event]
	paymentSubject = domaintest.Subject[payment.State, payment.Command, payment.Event]
)

var (
	orderRules   = domaintest.Rules[order.State, order.Command, order.Event]{Decide: order.Decide, Evolve: (*order.State).Evolve, Codec: order.Codec}
	productRules = domaintest.Rules[product.State, product.Command, product.Event]{Decide: product.Decide, Evolve: (*product.State).Evolve, Codec: product.Codec}
	paymentRules = domaintest.Rules[payment.State, payment.Command, payment.Event]{Decide: payment.Decide, Evolve: (*payment.State).Evolve, Codec: payment.Codec}
)

// message is under way. Delivering it runs it at its receiver.
type message struct {
	name    string
	expires domain.Time // zero: it is repeated until it has arrived, and never too late
	run     func()
}

// shop is everything: the entities with their journalled states, and what is volatile around them.
type shop struct {
	t        *rapid.T
	chance   *rand.Rand
	weather  weather
	now      domain.Time
	soup     []message
	orders   []*orderEntity
	products []*productEntity
	payments map[string]*paymentEntity
	provider *provider
	calm     bool // no more losses, and nobody interferes
	log      []string
}

type orderEntity struct {
	*orderSubject
	id    string
	fresh bool // its whole life was in this activation
	steps []*step
}

type productEntity struct {
	*productSubject
	id      string
	initial int64
	deleted bool
	forget  []forgettable // volatile
}

type forgettable struct {
	order string
	sold  bool
	at    domain.Time
}

type paymentEntity struct {
	*paymentSubject
	orderID string
	calling bool // volatile: a call to the provider is under way
	life    int  // counts activations, so that an answer to an earlier one is not waited for
}

// weather is how rough one run is.
type weather struct {
	lossy  int   // in ten messages
	doubly int   // in ten messages
	pace   []int // milliseconds that pass
}

var weathers = []weather{
	{0, 0, []int{1, 20, 100}},
	{0, 3, []int{1, 20, 500}},
	{2, 1, []int{1, 20, 100, 3_000}},
	{1, 1, []int{1, 1, 20, 20, 100, 500, 5_000, 16_000, 61_000}},
}

// newShop opens a shop whose run is decided by the seed.
func newShop(t *rapid.T, seed uint64) *shop {
	w := &shop{t: t, chance: rand.New(rand.NewPCG(seed, 0)), now: start, payments: map[string]*paymentEntity{}}
	w.weather = pick(w, weathers)
	w.provider = newProvider(w)
	for i, id := range []string{"CHAIR", "DESK", "LAMP"} {
		p := &productEntity{productSubject: productRules.New(), id: id, initial: int64(5 + 4*i)}
		w.product(p, product.Create{Entry: product.Created{ID: fmt.Sprintf("%024d", i), ProductID: id, Name: id, Price: 100, Currency: "usd",
			Stock: p.initial, LowStockThreshold: 1, SKU: id, Active: true, At: w.now}})
		w.product(p, product.RecordClaims{SKU: id, At: w.now})
		w.products = append(w.products, p)
	}
	return w
}

func (w *shop) upTo(n int) int { return w.chance.IntN(n + 1) }

func (w *shop) between(low, high int64) int64 { return low + w.chance.Int64N(high-low+1) }

func pick[T any](w *shop, list []T) T { return list[w.chance.IntN(len(list))] }

func (w *shop) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%7d ", w.now-start)+fmt.Sprintf(format, args...))
}

// send puts a message into the soup.
func (w *shop) send(name string, run func()) {
	w.soup = append(w.soup, message{name, w.now + messageLife, run})
}

// insist is send for what its sender repeats until it has arrived.
func (w *shop) insist(name string, run func()) {
	w.soup = append(w.soup, message{name: name, run: run})
}

// deliver takes a message out of the soup; with keep a copy stays in it.
func (w *shop) deliver(i int, keep bool) {
	m := w.soup[i]
	if !keep {
		w.soup = append(w.soup[:i:i], w.soup[i+1:]...)
	}
	if m.expires != 0 && w.now >= m.expires {
		return
	}
	w.note("deliver %s", m.name)
	m.run()
}

// The entities execute commands one at a time; what happened is durable at once.

func (w *shop) order(o *orderEntity, c order.Command) error {
	happened, err := o.Do(w.t, c)
	w.note("%s %T: %s", o.id, c, outcome(happened, err))
	for _, s := range o.steps { // its step ends, unless it runs at a member that has not heard of this yet
		if s.phase != o.State.Phase && s.dies == 0 {
			s.dies = w.now + leaseLife
		}
	}
	for _, e := range happened {
		switch e.(type) {
		case order.Confirmed:
			w.tellFinished(o, true)
		case order.Settled:
			w.tellFinished(o, false)
		case order.ReservationConfirmed:
			if o.State.Status == "" {
				w.tellFinished(o, true)
			}
		}
	}
	return err
}

// tellFinished tells the products that they need not remember the order any more.
func (w *shop) tellFinished(o *orderEntity, sold bool) {
	for _, line := range o.State.Reservation.Lines {
		p := w.find(line.ProductID)
		w.send("forget "+o.id, func() { p.forget = append(p.forget, forgettable{o.id, sold, w.now}) })
	}
}

func (w *shop) product(p *productEntity, c product.Command) error {
	happened, err := p.Do(w.t, c)
	w.note("%s %T: %s", p.id, c, outcome(happened, err))
	if p.State.Reserved < 0 || p.State.Stock < p.State.Reserved {
		w.fail("%s is oversold: %+v", p.id, p.State.Balance)
	}
	return err
}

func (w *shop) payment(orderID string) *paymentEntity {
	p := w.payments[orderID]
	if p == nil {
		p = &paymentEntity{paymentSubject: paymentRules.New(), orderID: orderID}
		w.payments[orderID] = p
	}
	return p
}

func (w *shop) pay(p *paymentEntity, c payment.Command) error {
	before := p.State
	happened, err := p.Do(w.t, c)
	w.note("payment %s %T: %s", p.orderID, c, outcome(happened, err))
	if before.Paid() && !p.State.Paid() || before.Refunded() > p.State.Refunded() {
		w.fail("payment %s went back", p.orderID)
	}
	return err
}

func (w *shop) find(productID string) *productEntity {
	for _, p := range w.products {
		if p.id == productID {
			return p
		}
	}
	w.fail("no product %s", productID)
	return nil
}

func outcome[E domaintest.Event](happened []E, err error) string {
	if err != nil {
		return "refused, " + err.Error()
	}
	text := ""
	for _, e := range happened {
		text += e.EventType() + " "
	}
	return text
}

// fail ends the run with the story that led to it.
func (w *shop) fail(format string, args ...any) {
	w.t.Helper()
	story := ""
	for _, line := range w.log {
		story += "\n" + line
	}
	w.t.Fatalf("%s\nthe story:%s", fmt.Sprintf(format, args...), story)
}
