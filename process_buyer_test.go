package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// market is a shop's catalogue for these tests and everything that its buyers did.
type market struct {
	t      testing.TB
	client *client
	stock  map[string]int64 // as created

	mu        sync.Mutex
	purchases []*purchase
	faults    []error
}

// purchase is one order as its buyer knows it.
type purchase struct {
	key, body string
	answered  string // the body that POST /orders was answered with
	id        string
	want      string // the status that it must end in; empty: confirmed, or cancelled for want of stock
	unpaid    bool   // left waiting for its buyer
	refunded  int64  // by hand
}

const (
	plenty = 1_000_000
	few    = 40
	scarce = "crate-scarce"
)

// openMarket makes the products.
func openMarket(t testing.TB, url string) *market {
	t.Helper()
	m := &market{t: t, client: newClient(url), stock: map[string]int64{scarce: few}}
	for i := range 5 {
		m.stock[crate(i)] = plenty
	}
	for id, stock := range m.stock {
		body := fmt.Sprintf(`{"productId":%q,"name":"Crate %s","description":"A crate to keep things in","category":"crates","price":%d,"stockQuantity":%d,"lowStockThreshold":5,"sku":"SKU-%s"}`,
			id, id, 1000+len(id), stock, id)
		_, err := m.client.expect(t.Context(), http.StatusCreated, http.MethodPost, "/products", "make-"+id, body)
		require.NoError(t, err)
	}
	return m
}

func crate(i int) string { return fmt.Sprintf("crate-%d", i) }

func orderBody(customer, method string, lines ...string) string {
	return fmt.Sprintf(`{"customer":{"customerId":%q,"email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"},"items":[%s],`+
		`"shippingAddress":{"street":"12 St James Square","city":"London","state":"London","postalCode":"SW1Y 4JH","country":"GB"},"paymentMethod":%q}`,
		customer, strings.Join(lines, ","), method)
}

func line(product string, quantity int) string {
	return fmt.Sprintf(`{"productId":%q,"quantity":%d}`, product, quantity)
}

// load lets buyers buy until the returned function is called; it waits until each has finished what it began.
func (m *market) load(buyers int, seed uint64) (stop func()) {
	stopped, quit := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for n := range buyers {
		all.Go(func() {
			b := &buyer{market: m, name: fmt.Sprintf("buyer-%d-%02d", seed, n), random: rand.New(rand.NewPCG(seed, uint64(n)))}
			for stopped.Err() == nil {
				if err := b.buy(context.Background()); err != nil {
					m.fault(fmt.Errorf("%s: %w", b.name, err))
					return
				}
			}
		})
	}
	return func() {
		quit()
		all.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, err := range m.faults {
			m.t.Error(err)
		}
	}
}

func (m *market) fault(err error) {
	m.mu.Lock()
	m.faults = append(m.faults, err)
	m.mu.Unlock()
}

// buyer makes one purchase after another, each with a will of its own.
type buyer struct {
	*market
	name   string
	random *rand.Rand
	count  int
}

func (b *buyer) buy(ctx context.Context) error {
	b.count++
	lines := []string{line(crate(b.random.IntN(5)), 1+b.random.IntN(3))}
	roll := b.random.IntN(100)
	switch {
	case roll < 25:
		return b.place(ctx, &purchase{want: "confirmed"}, "pm_card_visa", lines, nil)
	case roll < 35: // two lines, of which one may not be there any more
		return b.place(ctx, &purchase{}, "pm_card_visa", append(lines, line(scarce, 1)), nil)
	case roll < 45:
		return b.place(ctx, &purchase{want: "cancelled"}, "pm_card_chargeDeclined", lines, nil)
	case roll < 60:
		return b.place(ctx, &purchase{want: "cancelled"}, "pm_card_visa", lines, b.cancel)
	case roll < 70:
		return b.place(ctx, &purchase{want: "confirmed"}, "pm_card_visa", lines, b.refundPart)
	case roll < 85:
		return b.place(ctx, &purchase{want: "confirmed"}, "invoice", lines, b.pay)
	case roll < 95:
		return b.place(ctx, &purchase{want: "cancelled"}, "invoice", lines, b.cancel)
	}
	return b.place(ctx, &purchase{want: "pending", unpaid: true}, "invoice", lines, nil)
}

// place orders, and goes on with what the buyer wants then.
func (b *buyer) place(ctx context.Context, p *purchase, method string, lines []string, then func(context.Context, *purchase) error) error {
	p.key, p.body = fmt.Sprintf("%s-%d", b.name, b.count), orderBody(b.name, method, lines...)
	r, err := b.client.expect(ctx, http.StatusCreated, http.MethodPost, "/orders", p.key, p.body)
	if err != nil {
		return err
	}
	document, err := decode[orderDocument](r)
	if err != nil {
		return err
	}
	p.id, p.answered = document.ID, string(r.body)
	b.mu.Lock()
	b.purchases = append(b.purchases, p)
	b.mu.Unlock()
	if then == nil {
		return nil
	}
	return then(ctx, p)
}

func (b *buyer) cancel(ctx context.Context, p *purchase) error {
	if b.random.IntN(2) == 0 { // else it meets the saga anywhere
		if _, err := until(ctx, b.client, "/orders/"+p.id, func(o orderDocument) bool { return o.PaymentIntentID != "" }); err != nil {
			return err
		}
	}
	_, err := b.client.expect(ctx, http.StatusOK, http.MethodPost, "/orders/"+p.id+"/cancel", p.key+"-cancel", `{"reason":"changed my mind"}`)
	return err
}

// payment waits until the order's payment is there, known to the provider and in that status.
func (b *buyer) payment(ctx context.Context, p *purchase, wanted string) (string, error) {
	list, err := until(ctx, b.client, "/payments/order/"+p.id, func(all []paymentDocument) bool {
		return len(all) == 1 && all[0].IntentID != "" && all[0].Status == wanted
	})
	if err != nil {
		return "", err
	}
	return list[0].PaymentIntentID, nil
}

func (b *buyer) refundPart(ctx context.Context, p *purchase) error {
	id, err := b.payment(ctx, p, "succeeded")
	if err != nil {
		return err
	}
	const part = 100
	if _, err := b.client.expect(ctx, http.StatusOK, http.MethodPost, "/payments/"+id+"/refund", p.key+"-refund",
		fmt.Sprintf(`{"amount":%d,"reason":"a scratch"}`, part)); err != nil {
		return err
	}
	p.refunded = part
	if b.random.IntN(3) > 0 {
		return nil
	}
	p.want = "cancelled"
	return b.cancel(ctx, p)
}

func (b *buyer) pay(ctx context.Context, p *purchase) error {
	id, err := b.payment(ctx, p, "pending")
	if err != nil {
		return err
	}
	confirm := func(status int, method string) error {
		_, err := b.client.expect(ctx, status, http.MethodPost, "/payments/"+id+"/confirm", p.key+"-"+method, fmt.Sprintf(`{"paymentMethodId":%q}`, method))
		return err
	}
	if b.random.IntN(3) == 0 {
		if err := confirm(http.StatusPaymentRequired, "pm_card_chargeDeclined"); err != nil {
			return err
		}
	}
	return confirm(http.StatusOK, "pm_card_visa")
}
