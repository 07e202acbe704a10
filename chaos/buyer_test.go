package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// buy is one purchase, of a kind that is drawn.
func (m *market) buy(ctx context.Context, c *client) error {
	b := buyer{m, c}
	lines := []string{line(crate(c.random.IntN(crates)), 1+c.random.IntN(3))}
	roll := c.random.IntN(100)
	switch {
	case roll < 28:
		return b.place(ctx, &purchase{want: "confirmed"}, "pm_card_visa", lines, b.follow)
	case roll < 40: // two lines, of which one may not be there any more
		return b.place(ctx, &purchase{}, "pm_card_visa", append(lines, line(scarce, 1)), nil)
	case roll < 47:
		return b.place(ctx, &purchase{want: "cancelled"}, "pm_card_chargeDeclined", lines, b.follow)
	case roll < 60:
		return b.place(ctx, &purchase{want: "cancelled"}, "pm_card_visa", lines, b.cancelAnywhere)
	case roll < 72:
		return b.place(ctx, &purchase{want: "confirmed"}, "pm_card_visa", lines, b.refundPart)
	case roll < 82:
		return b.place(ctx, &purchase{want: "confirmed"}, "invoice", lines, b.pay)
	case roll < 90:
		return b.place(ctx, &purchase{want: "cancelled"}, "invoice", lines, b.cancel)
	case roll < 95:
		return b.place(ctx, &purchase{want: "cancelled", unpaid: true}, "invoice", lines, nil)
	}
	return b.walkAway(ctx, &purchase{want: "confirmed"}, "pm_card_visa", lines)
}

// buyer buys.
type buyer struct {
	*market
	*client
}

func (b buyer) compose(p *purchase, method string, lines []string) request {
	p.buyer, p.key, p.body = b.name, b.key("order"), orderBody(b.name, method, lines...)
	return request{method: http.MethodPost, path: "/orders", key: p.key, body: p.body}
}

// sent notes a purchase whose order is there, or may be.
func (b buyer) sent(p *purchase) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.purchases = append(b.purchases, p)
}

// order sends the purchase; afterwards it has an id, unless nobody answered.
func (m *market) order(ctx context.Context, c *client, p *purchase, r request) error {
	o := operation{deed: placing}
	answer, err := c.send(ctx, &o, r)
	if err != nil {
		return err
	}
	if o.outcome == unknown {
		if !r.once {
			return fmt.Errorf("POST /orders %s: %w after %v", r.key, errUnanswered, o.back-o.call)
		}
		c.history.add(o)
		return nil
	}
	var d orderDocument
	if answer.status != http.StatusCreated {
		return fmt.Errorf("POST /orders %s: %v", r.key, answer)
	}
	if err := json.Unmarshal(answer.body, &d); err != nil {
		return fmt.Errorf("POST /orders %s: %w: %v", r.key, err, answer)
	}
	o.subject, o.version, o.state = d.ID, d.Version, d.Status
	c.history.add(o)
	p.id, p.answered = d.ID, string(answer.body)
	return nil
}

// place orders, and goes on with what the buyer wants then.
func (b buyer) place(ctx context.Context, p *purchase, method string, lines []string, then func(context.Context, *purchase) error) error {
	if err := b.market.order(ctx, b.client, p, b.compose(p, method, lines)); err != nil {
		return err
	}
	b.sent(p)
	if then == nil {
		return nil
	}
	return then(ctx, p)
}

// walkAway orders, and does not ask again if there is no answer.
func (b buyer) walkAway(ctx context.Context, p *purchase, method string, lines []string) error {
	r := b.compose(p, method, lines)
	r.once = true
	if err := b.market.order(ctx, b.client, p, r); err != nil {
		return err
	}
	if p.id == "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.abandoned = append(b.abandoned, p)
		return nil
	}
	b.sent(p)
	return nil
}

// until asks again and again until what is asked says that it is so.
func until(ctx context.Context, what string, so func() (bool, error)) error {
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		yes, err := so()
		if err != nil || yes {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", errStuck, what)
		}
	}
}

// ended waits until the order has left "pending".
func (c *client) ended(ctx context.Context, id string) (d orderDocument, err error) {
	err = until(ctx, "order "+id+" is still pending", func() (bool, error) {
		d, err = c.order(ctx, id)
		return d.Status != "pending", err
	})
	return d, err
}

func (b buyer) follow(ctx context.Context, p *purchase) error {
	_, err := b.ended(ctx, p.id)
	return err
}

// cancelAnywhere meets the saga at any step.
func (b buyer) cancelAnywhere(ctx context.Context, p *purchase) error {
	switch b.random.IntN(3) {
	case 0:
		if err := b.follow(ctx, p); err != nil {
			return err
		}
	case 1:
		select {
		case <-time.After(time.Duration(b.random.IntN(80)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return b.cancel(ctx, p)
}

func (c *client) cancelOrder(ctx context.Context, id, key string) error {
	var d orderDocument
	_, err := c.do(ctx, operation{deed: cancelling, subject: id},
		request{method: http.MethodPost, path: "/orders/" + id + "/cancel", key: key, body: `{"reason":"changed my mind"}`}, &d,
		func(o *operation) { o.version, o.state = d.Version, d.Status }, http.StatusOK)
	return err
}

func (b buyer) cancel(ctx context.Context, p *purchase) error {
	return b.cancelOrder(ctx, p.id, p.key+"-cancel")
}

// payment waits until the order's payment is there, known to the provider and in that status.
func (c *client) payment(ctx context.Context, orderID, wanted string) (id string, err error) {
	var d paymentDocument
	what := fmt.Sprintf("the payment of order %s is not %s", orderID, wanted)
	err = until(ctx, what, func() (bool, error) {
		if id == "" {
			o, err := c.order(ctx, orderID)
			if id = o.PaymentIntentID; err != nil || id == "" {
				return false, err
			}
		}
		_, err := c.do(ctx, operation{deed: viewPayment, subject: orderID}, request{method: http.MethodGet, path: "/payments/" + id}, &d,
			nil, http.StatusOK, http.StatusNotFound)
		return d.IntentID != "" && d.Status == wanted, err
	})
	return id, err
}

func (b buyer) refundPart(ctx context.Context, p *purchase) error {
	id, err := b.payment(ctx, p.id, "succeeded")
	if err != nil {
		return err
	}
	const part = 100
	if _, err := b.do(ctx, operation{deed: refunding, subject: p.id}, request{method: http.MethodPost, path: "/payments/" + id + "/refund",
		key: p.key + "-refund", body: fmt.Sprintf(`{"amount":%d,"reason":"a scratch"}`, part)}, nil, nil, http.StatusOK); err != nil {
		return err
	}
	p.refunded = part
	if b.random.IntN(3) > 0 {
		return nil
	}
	p.want = "cancelled"
	return b.cancel(ctx, p)
}

func (b buyer) pay(ctx context.Context, p *purchase) error {
	id, err := b.payment(ctx, p.id, "pending")
	if err != nil {
		return err
	}
	if b.random.IntN(3) == 0 {
		if err := b.confirm(ctx, p, id, "pm_card_chargeDeclined", http.StatusPaymentRequired); err != nil {
			return err
		}
	}
	return b.confirm(ctx, p, id, "pm_card_visa", http.StatusOK)
}

func (b buyer) confirm(ctx context.Context, p *purchase, payment, method string, status int) error {
	_, err := b.do(ctx, operation{deed: confirming, subject: p.id}, request{method: http.MethodPost, path: "/payments/" + payment + "/confirm",
		key: p.key + "-" + method, body: fmt.Sprintf(`{"paymentMethodId":%q}`, method)}, nil, nil, status)
	return err
}
