package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

// quiet is how many orders, from the newest back, have to have left pending already when they are looked at one by one.
// Lists lag, and may not know of the newest orders yet; those before have left pending, too, or a list knows of them.
const quiet = 100

// order is what settle looks at.
type order struct {
	ID        string    `json:"_id"`
	Status    string    `json:"status"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// settle waits until no order is pending any more, notes when the last one was confirmed and counts the confirmed ones.
// When is what the shop's clock says, which has to agree with this machine's, but never before buyers had their answers.
func (r *Result) settle(ctx context.Context, client *fasthttp.Client, start time.Time) error {
	url := r.Load.URLs[0] + "/orders"
	r.Settled = r.Took
	suspects := slices.Clone(r.IDs)
	slices.Reverse(suspects)
	for len(suspects) > 0 {
		if err := r.await(ctx, client, url, suspects, start); err != nil {
			return err
		}
		listed, err := list(client, url+"?customerId="+r.Load.customer()+"&status=pending&limit=100")
		if err != nil {
			return err
		}
		suspects = suspects[:0]
		for _, o := range listed {
			suspects = append(suspects, o.ID)
		}
	}
	cancelled, err := list(client, url+"?customerId="+r.Load.customer()+"&status=cancelled&limit=100")
	r.Confirmed = r.Orders - len(cancelled)
	return err
}

// await looks at orders, newest first, until enough in a row had nothing to be waited for.
func (r *Result) await(ctx context.Context, client *fasthttp.Client, url string, ids []string, start time.Time) error {
	calm := 0
	for _, id := range ids {
		o, waited, err := settled(ctx, client, url+"/"+id)
		if err != nil {
			return fmt.Errorf("wait for order %s: %w", id, err)
		}
		r.Settled = max(r.Settled, o.UpdatedAt.Sub(start))
		if calm++; waited {
			calm = 0
		}
		if calm == quiet {
			break
		}
	}
	return nil
}

// settled returns the order once it has left pending, and whether that had to be waited for.
func settled(ctx context.Context, client *fasthttp.Client, url string) (o order, waited bool, err error) {
	for ; ; waited = true {
		if waited {
			time.Sleep(time.Millisecond)
		}
		status, body, _, err := get(client, url, "")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d: %s", status, body)
		}
		if err == nil {
			err = json.Unmarshal(body, &o)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || o.Status != "pending" {
			return o, waited, err
		}
	}
}

func list(client *fasthttp.Client, url string) (orders []order, err error) {
	status, body, _, err := get(client, url, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	if err == nil {
		err = json.Unmarshal(body, &orders)
	}
	if err != nil {
		return nil, fmt.Errorf("list orders: %w", err)
	}
	return orders, nil
}
