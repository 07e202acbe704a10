package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

func decode[T any](r reply) (document T, err error) {
	if err := json.Unmarshal(r.body, &document); err != nil {
		return document, fmt.Errorf("decode: %w: %s", err, r)
	}
	return document, nil
}

// each calls check for every purchase, some side by side, and reports every error.
func (m *market) each(check func(context.Context, *purchase) error) {
	m.t.Helper()
	work := make(chan *purchase)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for p := range work {
				if err := check(context.Background(), p); err != nil {
					m.t.Errorf("order %s (key %s): %v", p.id, p.key, err)
				}
			}
		})
	}
	for _, p := range m.purchases {
		work <- p
	}
	close(work)
	workers.Wait()
}

// settle waits until every order has come to its end, has the unpaid ones cancelled, and proves that each ended as its
// buyer was told, that every unit of stock is accounted for, and that a repeated request has the first one's answer.
func (m *market) settle() {
	m.t.Helper()
	require.NotEmpty(m.t, m.purchases, "nobody bought anything")
	ended := func(ctx context.Context, p *purchase) (orderDocument, error) {
		return until(ctx, m.client, "/orders/"+p.id, func(o orderDocument) bool {
			return o.Status != "pending" || (p.unpaid && o.PaymentIntentID != "")
		})
	}
	m.each(func(ctx context.Context, p *purchase) error { _, err := ended(ctx, p); return err })
	m.each(m.repeated)
	m.wantStock()
	m.each(func(ctx context.Context, p *purchase) error {
		if !p.unpaid {
			return nil
		}
		p.unpaid, p.want = false, "cancelled"
		_, err := m.client.expect(ctx, http.StatusOK, http.MethodPost, "/orders/"+p.id+"/cancel", p.key+"-cancel", `{}`)
		return err
	})
	m.wantStock()
	m.each(func(ctx context.Context, p *purchase) error {
		o, err := ended(ctx, p)
		if err != nil || o.Status == p.want {
			return err
		}
		if p.want == "" && (o.Status == "confirmed" || o.Status == "cancelled" && o.FailureReason == "insufficient stock") {
			return nil
		}
		return fmt.Errorf("ended %s (%s), want %s", o.Status, o.FailureReason, p.want)
	})
}

// repeated asks for the order again, under the same key.
func (m *market) repeated(ctx context.Context, p *purchase) error {
	r, err := m.client.expect(ctx, http.StatusCreated, http.MethodPost, "/orders", p.key, p.body)
	if err == nil && string(r.body) != p.answered {
		return fmt.Errorf("repeated: %s\nfirst answer: %s", r.body, p.answered)
	}
	return err
}

// wantStock wants, for each product: stock and what was sold make what there was, and only open orders reserve.
func (m *market) wantStock() {
	m.t.Helper()
	sold, reserved := map[string]int64{}, map[string]int64{}
	var mu sync.Mutex
	m.each(func(ctx context.Context, p *purchase) error {
		o, err := m.client.order(ctx, p.id)
		mu.Lock()
		defer mu.Unlock()
		for _, item := range o.Items {
			switch o.Status {
			case "confirmed":
				sold[item.ProductID] += item.Quantity
			case "pending":
				reserved[item.ProductID] += item.Quantity
			}
		}
		return err
	})
	for id, initial := range m.stock {
		// Orders that are cancelled give their stock back right after they say so.
		got, err := until(m.t.Context(), m.client, "/products/by-product-id/"+id, func(p productDocument) bool {
			return p.ReservedQuantity == reserved[id] && p.StockQuantity+sold[id] == initial
		})
		require.NoError(m.t, err, "product %s: %d sold, %d reserved of %d", id, sold[id], reserved[id], initial)
		require.Equal(m.t, got.StockQuantity-got.ReservedQuantity, got.AvailableQuantity, id)
	}
}

// account is an order's money.
type account struct {
	charges           int
	charged, refunded int64
}

// wantMoney wants the provider's ledger and the shop's payments to agree: one charge of the total for each confirmed
// order, less what was refunded by hand; nothing in the end for a cancelled one; nothing for anybody else. Without a
// provider that can be asked, the shop's payments are held against its orders.
func (m *market) wantMoney(provider *gatewaytest.Server) {
	m.t.Helper()
	if provider != nil {
		m.wantLedger(provider)
	}
	m.each(func(ctx context.Context, p *purchase) error {
		o, err := m.client.order(ctx, p.id)
		if err != nil {
			return err
		}
		due := int64(0)
		if o.Status == "confirmed" {
			due = o.Total - p.refunded
		}
		_, err = until(ctx, m.client, "/payments/order/"+p.id, func(all []paymentDocument) bool {
			if len(all) == 0 {
				return due == 0
			}
			kept := int64(0)
			switch all[0].Status {
			case "succeeded", "partially_refunded", "refunded":
				kept = all[0].Amount - all[0].RefundedAmount
			}
			return len(all) == 1 && all[0].Amount == o.Total && kept == due
		})
		return err
	})
}

func (m *market) wantLedger(provider *gatewaytest.Server) {
	m.t.Helper()
	orders := map[string]orderDocument{}
	var mu sync.Mutex
	m.each(func(ctx context.Context, p *purchase) error {
		o, err := m.client.order(ctx, p.id)
		mu.Lock()
		defer mu.Unlock()
		orders[p.id] = o
		return err
	})
	var problem string
	bridgetest.Eventually(m.t, time.Minute, func() bool {
		problem = ""
		accounts := ledger(provider)
		for _, p := range m.purchases {
			o, a := orders[p.id], accounts[p.id]
			delete(accounts, p.id)
			switch {
			case o.Status == "confirmed" && a == account{1, o.Total, p.refunded}:
			case o.Status == "cancelled" && a.charges <= 1 && a.charged == a.refunded:
			default:
				problem = fmt.Sprintf("order %s is %s with a total of %d, and the provider has %+v", p.id, o.Status, o.Total, a)
			}
		}
		for id, a := range accounts {
			problem = fmt.Sprintf("nobody has ordered %s, and the provider has %+v", id, a)
		}
		return problem == ""
	}, func() string { return problem })
}

func ledger(provider *gatewaytest.Server) map[string]account {
	accounts, owner := map[string]account{}, map[string]string{}
	for _, c := range provider.Charges() {
		a := accounts[c.OrderID]
		a.charges++
		a.charged += c.Amount
		accounts[c.OrderID], owner[c.IntentID] = a, c.OrderID
	}
	for _, r := range provider.Refunds() {
		a := accounts[owner[r.IntentID]]
		a.refunded += r.Amount
		accounts[owner[r.IntentID]] = a
	}
	return accounts
}
