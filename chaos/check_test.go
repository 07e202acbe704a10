package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/queuecommerce/queuecommerce/verify"
)

// rule names what a violation breaks.
type rule string

const (
	ruleAnswers   rule = "answers"   // only answers that the contract knows; acknowledged orders are there; same command, same answer
	ruleLinear    rule = "linear"    // what clients see of a product or an order is one course of events
	ruleEnds      rule = "ends"      // every order ends as it should
	ruleStock     rule = "stock"     // stock adds up
	ruleMoney     rule = "money"     // the provider has taken and given back what is due
	ruleEvents    rule = "events"    // subscribers hear what the journal holds
	ruleVerify    rule = "verify"    // the journal proves the guarantees
	ruleStuck     rule = "stuck"     // in a whole world everything gets done
	ruleCrash     rule = "crash"     // no fault makes a member panic
	ruleUnchecked rule = "unchecked" // a history that the checker could not decide
)

// violation is one thing that must not be.
type violation struct {
	rule   rule
	detail string
}

func (v violation) String() string { return fmt.Sprintf("[%s] %s", v.rule, v.detail) }

// of says which rule an error breaks.
func of(err error, otherwise rule) violation {
	if errors.Is(err, errStuck) || errors.Is(err, errUnanswered) {
		return violation{ruleStuck, err.Error()}
	}
	return violation{otherwise, err.Error()}
}

// audit is what is asked of the shop when the world is whole again.
type audit struct {
	*market
	ctx context.Context // ends when patience does

	mu         sync.Mutex
	violations []violation
}

func (a *audit) wrong(r rule, format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.violations = append(a.violations, violation{r, fmt.Sprintf(format, args...)})
}

// each calls check for every purchase, some side by side.
func (a *audit) each(list []*purchase, r rule, check func(*client, *purchase) error) {
	work := make(chan *purchase)
	var workers sync.WaitGroup
	for n := range 6 {
		workers.Go(func() {
			c := a.client("auditor", n)
			for p := range work {
				if err := check(c, p); err != nil {
					v := of(fmt.Errorf("order %s (key %s): %w", p.id, p.key, err), r)
					a.wrong(v.rule, "%s", v.detail)
				}
			}
		})
	}
	for _, p := range list {
		work <- p
	}
	close(work)
	workers.Wait()
}

// settle resolves what clients left open, waits until every order has ended and proves that each ended as its buyer was
// told.
func (a *audit) settle() {
	for _, err := range a.faults {
		v := of(err, ruleAnswers)
		a.wrong(v.rule, "%s", v.detail)
	}
	a.each(a.abandoned, ruleAnswers, func(c *client, p *purchase) error {
		return a.order(a.ctx, c, p, request{method: http.MethodPost, path: "/orders", key: p.key, body: p.body})
	})
	for _, p := range a.abandoned {
		if p.id != "" {
			a.purchases = append(a.purchases, p)
		}
	}
	a.each(a.purchases, ruleEnds, func(c *client, p *purchase) error {
		if !p.unpaid {
			return nil
		}
		p.unpaid = false
		return c.cancelOrder(a.ctx, p.id, p.key+"-cancel")
	})
	a.each(a.purchases, ruleEnds, func(c *client, p *purchase) error {
		o, err := c.ended(a.ctx, p.id)
		short := o.Status == "cancelled" && o.FailureReason == "insufficient stock"
		if err != nil || o.Status == p.want || p.want == "" && (o.Status == "confirmed" || short) {
			return err
		}
		return fmt.Errorf("ended %s (%s), want %s", o.Status, o.FailureReason, p.want)
	})
}

// repeated asks for some of the orders again, under the same key: the answer is the first one.
func (a *audit) repeated() {
	some := a.purchases
	if len(some) > 150 {
		some = some[len(some)-150:]
	}
	a.each(some, ruleAnswers, func(c *client, p *purchase) error {
		var o operation
		answer, err := c.send(a.ctx, &o, request{method: http.MethodPost, path: "/orders", key: p.key, body: p.body})
		if err == nil && string(answer.body) != p.answered {
			err = fmt.Errorf("repeated: %v, first: %s", answer, p.answered)
		}
		return err
	})
}

// ends reads every order for the last time.
func (a *audit) ends() map[string]orderDocument {
	all := map[string]orderDocument{}
	var mu sync.Mutex
	a.each(a.purchases, ruleAnswers, func(c *client, p *purchase) error {
		o, err := c.order(a.ctx, p.id)
		mu.Lock()
		defer mu.Unlock()
		all[p.id] = o
		return err
	})
	return all
}

// wantStock wants, for each product: what there was, what was adjusted and what was sold make what there is, and nothing
// is reserved.
func (a *audit) wantStock(orders map[string]orderDocument) {
	c := a.client("accountant", 0)
	want := map[string]int64{}
	for id, initial := range a.stock {
		want[id] = initial
	}
	for _, o := range a.history.all() {
		if o.deed == adjusting && o.outcome == done {
			want[o.subject] += o.delta
		}
	}
	for _, end := range a.loose {
		var o operation
		if answer, err := c.send(a.ctx, &o, end.request); err != nil {
			a.wrong(ruleAnswers, "%v", err)
		} else if answer.status == http.StatusCreated {
			want[end.productID] += end.delta
		}
	}
	for _, order := range orders {
		for _, item := range order.Items {
			if order.Status == "confirmed" {
				want[item.ProductID] -= item.Quantity
			}
		}
	}
	for id := range a.stock {
		var p productDocument
		err := until(a.ctx, "stock", func() (so bool, err error) {
			p, err = c.product(a.ctx, id)
			return p.ReservedQuantity == 0 && p.StockQuantity == want[id], err
		})
		if err != nil {
			a.wrong(ruleStock, "product %s: stock %d, reserved %d; %d are left by what was adjusted and sold: %v", id, p.StockQuantity, p.ReservedQuantity, want[id], err)
		}
	}
}

// wantLists wants the read models to show the orders as they are.
func (a *audit) wantLists(orders map[string]orderDocument) {
	c, last := a.client("reader", 0), ""
	err := until(a.ctx, "lists", func() (bool, error) {
		seen, err := c.everyOrder(a.ctx)
		if err != nil {
			return false, err
		}
		last = ""
		for id, o := range orders {
			if listed := seen[id]; listed.Version < o.Version || listed.Version == o.Version && listed.Status != o.Status {
				last = fmt.Sprintf("order %s is %s in version %d, the list has %+v", id, o.Status, o.Version, listed)
			}
		}
		if len(seen) != len(orders) && last == "" {
			last = fmt.Sprintf("%d orders, the list has %d", len(orders), len(seen))
		}
		return last == "", nil
	})
	if err != nil {
		a.wrong(ruleEnds, "the list of orders does not converge: %s: %v", last, err)
	}
}

// everyOrder follows the list of orders to its end.
func (c *client) everyOrder(ctx context.Context) (map[string]orderDocument, error) {
	all := map[string]orderDocument{}
	for page := 1; ; page++ {
		var o operation
		answer, err := c.send(ctx, &o, request{method: http.MethodGet, path: fmt.Sprintf("/orders?limit=100&page=%d", page)})
		if err != nil {
			return nil, err
		}
		var list []orderDocument
		if err := json.Unmarshal(answer.body, &list); err != nil {
			return nil, fmt.Errorf("list of orders: %w: %v", err, answer)
		}
		for _, d := range list {
			all[d.ID] = d
		}
		if len(list) < 100 {
			return all, nil
		}
	}
}

// verified verifies what the run has left so far. It names no instant: the members' clocks, right or wrong, say alone
// which deadlines are long over.
func (w *world) verified() (report verify.Report, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	store, err := w.store(ctx)
	if err != nil {
		return report, err
	}
	report, err = verify.Run(ctx, store, verify.Options{})
	return report, errors.Join(err, store.Close())
}

// wantClosed waits until nothing is left to do, by the journal.
func (a *audit) wantClosed(patience time.Duration) {
	var report verify.Report
	var err error
	if !within(patience, func() bool {
		report, err = a.world.verified()
		return err == nil && report.Open == 0
	}) {
		a.wrong(ruleStuck, "verify counts %d open orders after %v: %v", report.Open, patience, err)
	}
}

// wantVerified wants verify to find nothing.
func (a *audit) wantVerified() {
	report, err := a.world.verified()
	if err != nil {
		a.wrong(ruleVerify, "%v", err)
	}
	for _, v := range report.Violations {
		a.wrong(ruleVerify, "%s", v)
	}
}
