package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	plenty = 1_000_000
	few    = 40
	crates = 5 // products that are always there
	shelf  = 3 // products that nobody orders, whose stock is counted all the time
	scarce = "crate-scarce"
)

func crate(i int) string  { return fmt.Sprintf("crate-%d", i) }
func shelve(i int) string { return fmt.Sprintf("shelf-%d", i) }

// market is the shop's catalogue in a run, and everything that its clients did.
type market struct {
	world   *world
	history *history
	seed    uint64
	stock   map[string]int64 // as created

	mu        sync.Mutex
	purchases []*purchase
	abandoned []*purchase // their buyers did not wait for an answer
	loose     []looseEnd  // what was sent once, and not answered
	faults    []error     // answers that nobody must get
}

// purchase is one order as its buyer knows it.
type purchase struct {
	buyer     string
	key, body string
	answered  string // what POST /orders was answered with
	id        string
	want      string // the status that it must end in; empty: confirmed, or cancelled for want of stock
	unpaid    bool   // left waiting for its buyer
	refunded  int64  // by hand
}

// looseEnd is an adjustment of which its client did not learn the outcome.
type looseEnd struct {
	productID string
	delta     int64
	request   request
}

func newMarket(w *world, seed uint64) *market {
	m := &market{world: w, history: &history{began: time.Now()}, seed: seed, stock: map[string]int64{scarce: few}}
	for i := range crates {
		m.stock[crate(i)] = plenty
	}
	for i := range shelf {
		m.stock[shelve(i)] = few
	}
	return m
}

// open makes the products.
func (m *market) open(ctx context.Context) error {
	c := m.client("owner", 0)
	for id, stock := range m.stock {
		body := fmt.Sprintf(`{"productId":%q,"name":"Crate %s","description":"A crate to keep things in","category":"crates","price":%d,`+
			`"stockQuantity":%d,"lowStockThreshold":5,"sku":"SKU-%s"}`, id, id, 1000+len(id), stock, id)
		var o operation
		answer, err := c.send(ctx, &o, request{method: http.MethodPost, path: "/products", key: "make-" + id, body: body})
		if err != nil || answer.status != http.StatusCreated {
			return fmt.Errorf("make product %s: %v %w", id, answer, err)
		}
	}
	return nil
}

// client makes somebody who uses the shop, with a will of its own.
func (m *market) client(kind string, number int) *client {
	name := fmt.Sprintf("%s-%d", kind, number)
	var salt uint64
	for _, b := range []byte(name) {
		salt = salt*31 + uint64(b)
	}
	return newClient(name, m.world.urls, m.history, rand.New(rand.NewPCG(m.seed, salt)))
}

func (m *market) fault(who string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, fmt.Errorf("%s: %w", who, err))
}

// someOrder is an order that somebody was told of; empty: there is none yet.
func (m *market) someOrder(random *rand.Rand) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.purchases) == 0 {
		return ""
	}
	newest := max(0, len(m.purchases)-40) // the older ones hardly change
	return m.purchases[newest+random.IntN(len(m.purchases)-newest)].id
}

// crowd is how many of each kind there are, and how long each rests after something was done.
type crowd struct {
	buyers, keepers, watchers int
	rest                      time.Duration
}

// load lets the crowd in until the returned function is called; it waits until each has finished what it began, for as
// long as ctx lasts.
func (m *market) load(ctx context.Context, c crowd) (stop func()) {
	inside, leave := context.WithCancel(ctx)
	var all sync.WaitGroup
	let := func(kind string, count int, act func(context.Context, *client) error) {
		for n := range count {
			all.Go(func() {
				person := m.client(kind, n)
				for inside.Err() == nil {
					if err := act(ctx, person); err != nil {
						m.fault(person.name, err)
						return
					}
					select {
					case <-inside.Done():
					case <-time.After(c.rest/2 + time.Duration(person.random.Int64N(int64(c.rest)))):
					}
				}
			})
		}
	}
	let("buyer", c.buyers, m.buy)
	let("keeper", c.keepers, m.keep)
	let("watcher", c.watchers, m.watch)
	return func() { leave(); all.Wait() }
}

// keep counts stock and corrects it.
func (m *market) keep(ctx context.Context, c *client) error {
	productID := shelve(c.random.IntN(shelf))
	switch roll := c.random.IntN(10); {
	case roll == 0:
		productID = scarce
	case roll == 1:
		productID = crate(c.random.IntN(crates))
	}
	if c.random.IntN(3) == 0 {
		_, err := c.product(ctx, productID)
		return err
	}
	delta := int64(c.random.IntN(14) - 7)
	if delta == 0 {
		delta = 8
	}
	if c.random.IntN(20) > 0 {
		return c.adjust(ctx, productID, delta)
	}
	return m.adjustOnce(ctx, c, productID, delta)
}

// adjustOnce does not ask again when there is no answer.
func (m *market) adjustOnce(ctx context.Context, c *client, productID string, delta int64) error {
	r := request{method: http.MethodPost, path: "/products/" + productID + "/stock-adjustments", key: c.key("adjust-once"),
		body: fmt.Sprintf(`{"delta":%d,"reason":"counted in a hurry"}`, delta), once: true}
	var d movementDocument
	o, err := c.do(ctx, operation{deed: adjusting, subject: productID, delta: delta}, r, &d,
		func(o *operation) { o.version, o.stock, o.reserved = d.Sequence, d.StockQuantity, d.ReservedQuantity },
		http.StatusCreated, http.StatusConflict)
	if err == nil && o.outcome == unknown {
		r.once = false
		m.mu.Lock()
		m.loose = append(m.loose, looseEnd{productID, delta, r})
		m.mu.Unlock()
	}
	return err
}

// watch looks at what others do.
func (m *market) watch(ctx context.Context, c *client) error {
	if c.random.IntN(3) == 0 {
		productID := scarce
		if c.random.IntN(2) == 0 {
			productID = shelve(c.random.IntN(shelf))
		}
		_, err := c.product(ctx, productID)
		return err
	}
	id := m.someOrder(c.random)
	if id == "" {
		return nil
	}
	_, err := c.order(ctx, id)
	return err
}

func orderBody(customer, method string, lines ...string) string {
	return fmt.Sprintf(`{"customer":{"customerId":%q,"email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"},"items":[%s],`+
		`"shippingAddress":{"street":"12 St James Square","city":"London","state":"London","postalCode":"SW1Y 4JH","country":"GB"},"paymentMethod":%q}`,
		customer, strings.Join(lines, ","), method)
}

func line(product string, quantity int) string {
	return fmt.Sprintf(`{"productId":%q,"quantity":%d}`, product, quantity)
}
