// Package bench puts load on a running shop, as many buyers, in a closed loop or at a fixed rate, and measures what they
// see. It speaks HTTP only, so that it measures any member or cluster. It is not a test: nothing is asserted.
package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Load says what to do.
type Load struct {
	URLs     []string // of the members; a buyer that one fails tries the same order at the next
	Clients  int
	Duration time.Duration
	Products int    // how many different products the buyers want; 1 is a hot one
	Lines    int    // per order
	Wait     bool   // each buyer waits until its order is confirmed before it places the next one
	Rate     int    // orders per second of all buyers together; 0: each buys again as soon as it is answered
	Run      string // names the buyers' orders, so that runs on one shop do not mix
}

func (l Load) customer() string { return "bench-" + l.Run }

// Result is what the buyers saw.
type Result struct {
	Load           Load
	Orders         int           // accepted
	Failed         int           // anything but 201
	Confirmed      int           // of the accepted
	Took           time.Duration // of the load
	Settled        time.Duration // from its start until no order was pending any more
	P50, P99, P999 time.Duration // of POST /orders
	Longest        time.Duration // that a buyer was without an order that was accepted
	Retried        int           // tries that another member had to make good
	Answers        []Answer      // in the order of their time
}

// Answer is what a buyer got, and when, counted from the start.
type Answer struct {
	At, Took time.Duration
	Accepted bool
}

// PerSecond is the rate of orders until the last one was confirmed.
func (r Result) PerSecond() float64 { return float64(r.Confirmed) / r.Settled.Seconds() }

func (r Result) String() string {
	shape := fmt.Sprintf("%d clients, %d products, %d lines", r.Load.Clients, r.Load.Products, r.Load.Lines)
	if r.Load.Rate > 0 {
		shape += fmt.Sprintf(", paced at %d/s", r.Load.Rate)
	}
	if r.Load.Wait {
		shape += ", waiting for confirmed"
	}
	return fmt.Sprintf("%s: %.0f orders/s to confirmed (%d accepted, %d confirmed, %d failed, %.1f s); POST p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms",
		shape, r.PerSecond(), r.Orders, r.Confirmed, r.Failed, r.Settled.Seconds(), ms(r.P50), ms(r.P99), ms(r.P999))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// productID names the bench's own products.
func productID(i int) string { return fmt.Sprintf("bench-%04d", i) }

// Run makes the products, puts the load on and waits until every order has left pending.
func Run(ctx context.Context, load Load) (Result, error) {
	client := &fasthttp.Client{MaxConnsPerHost: load.Clients + 4, ReadTimeout: time.Minute}
	if len(load.URLs) > 1 {
		client.ReadTimeout = 3 * time.Second // then another member is worth a try
	}
	if load.Run == "" {
		load.Run = fmt.Sprintf("%x", time.Now().UnixNano())
	}
	if err := stock(client, load); err != nil {
		return Result{}, err
	}
	result := Result{Load: load}
	var mu sync.Mutex
	var buyers sync.WaitGroup
	start := time.Now()
	end := start.Add(load.Duration)
	for buyer := range load.Clients {
		buyers.Go(func() {
			b := newBuyer(client, load, buyer, start)
			for due := b.first(start); due.Before(end) && ctx.Err() == nil; due = b.after(due) {
				time.Sleep(time.Until(due))
				b.buy(due)
			}
			mu.Lock()
			defer mu.Unlock()
			result.take(b)
		})
	}
	buyers.Wait()
	result.Took = time.Since(start)
	result.sum()
	confirmed, settled, err := settle(ctx, client, load, result.Orders)
	result.Confirmed, result.Settled = confirmed, settled.Sub(start)
	return result, err
}

// take adds what one buyer saw.
func (r *Result) take(b *buyer) {
	r.Answers = append(r.Answers, b.answers...)
	r.Retried += b.retried
	var last time.Duration
	for _, a := range b.answers {
		if !a.Accepted {
			r.Failed++
			continue
		}
		r.Orders++
		r.Longest = max(r.Longest, a.At-last)
		last = a.At
	}
}

// sum makes the figures that need all answers.
func (r *Result) sum() {
	slices.SortFunc(r.Answers, func(a, b Answer) int { return cmp.Compare(a.At, b.At) })
	latencies := make([]time.Duration, len(r.Answers))
	for i, a := range r.Answers {
		latencies[i] = a.Took
	}
	slices.Sort(latencies)
	r.P50, r.P99, r.P999 = quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 0.999)
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(float64(len(sorted))*q), len(sorted)-1)]
}

func stock(client *fasthttp.Client, load Load) error {
	for i := range load.Products {
		body := fmt.Sprintf(`{"productId":%q,"name":"Bench product %d","description":"Made for measuring","category":"bench","price":1000,"stockQuantity":100000000,"sku":"SKU-%s"}`,
			productID(i), i, productID(i))
		status, answer, err := do(client, http.MethodPost, load.URLs[0]+"/products", body, "Idempotency-Key", "bench-"+productID(i))
		if err == nil && status != http.StatusCreated {
			err = fmt.Errorf("status %d: %s", status, answer)
		}
		if err != nil {
			return fmt.Errorf("make product %s: %w", productID(i), err)
		}
	}
	return nil
}

func do(client *fasthttp.Client, method, url, body string, header ...string) (int, []byte, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.SetMethod(method)
	request.SetRequestURI(url)
	if body != "" {
		request.Header.SetContentType("application/json")
		request.SetBodyString(body)
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	err := client.Do(request, response)
	return response.StatusCode(), slices.Clone(response.Body()), err
}

// buyer places one order after another.
type buyer struct {
	client  *fasthttp.Client
	load    Load
	start   time.Time
	number  int
	next    int
	member  int // whose turn it is
	answers []Answer
	retried int
}

func newBuyer(client *fasthttp.Client, load Load, number int, start time.Time) *buyer {
	return &buyer{client: client, load: load, start: start, number: number, next: number, member: number % len(load.URLs)}
}

// first is when the buyer begins; the buyers of a paced load do not all begin at once.
func (b *buyer) first(start time.Time) time.Time {
	if b.load.Rate == 0 {
		return start
	}
	return start.Add(time.Duration(b.next) * time.Second / time.Duration(b.load.Rate))
}

// after is when the next order is due. In a paced load that does not depend on how long the last one took: an answer that
// comes late makes the ones behind it late too, as it would for people who wait in a queue.
func (b *buyer) after(due time.Time) time.Time {
	if b.load.Rate == 0 {
		return time.Now()
	}
	return due.Add(time.Duration(b.load.Clients) * time.Second / time.Duration(b.load.Rate))
}

// buy places an order that was due at that time.
func (b *buyer) buy(due time.Time) {
	lines := make([]string, b.load.Lines)
	for i := range lines {
		lines[i] = fmt.Sprintf(`{"productId":%q,"quantity":1}`, productID((b.next+i)%b.load.Products))
	}
	b.next += b.load.Clients
	body := `{"customer":{"customerId":"` + b.load.customer() + `","email":"bench@example.com","firstName":"Bench","lastName":"Buyer"},"items":[` +
		strings.Join(lines, ",") + `],"shippingAddress":{"street":"1 Long Street","city":"London","state":"London","postalCode":"SW1Y 4JH","country":"GB"},"paymentMethod":"pm_card_visa"}`
	var header []string
	if b.load.Wait {
		header = []string{"Prefer", "wait=30"}
	}
	accepted := b.place(body, header)
	b.answers = append(b.answers, Answer{At: time.Since(b.start), Took: time.Since(due), Accepted: accepted})
}

// patience is how long a buyer tries to place one order where there are several members to try.
const patience = 15 * time.Second

// place does what a load balancer does: an order that a member can't take now goes to the next one, under the same key.
func (b *buyer) place(body string, header []string) bool {
	if len(b.load.URLs) == 1 {
		status, _, err := do(b.client, http.MethodPost, b.load.URLs[0]+"/orders", body, header...)
		return err == nil && status == http.StatusCreated
	}
	header = append(header, "Idempotency-Key", fmt.Sprintf("%s-%d-%d", b.load.Run, b.number, b.next))
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		status, _, err := do(b.client, http.MethodPost, b.load.URLs[b.member]+"/orders", body, header...)
		if err == nil && status < http.StatusInternalServerError {
			return status == http.StatusCreated
		}
		b.member = (b.member + 1) % len(b.load.URLs)
		b.retried++
	}
	return false
}

// settle waits until no order is pending any more, as the list of orders shows it, and counts the confirmed ones. The list
// lags a little behind the orders, which makes the rate a little too low, never too high.
func settle(ctx context.Context, client *fasthttp.Client, load Load, accepted int) (confirmed int, at time.Time, err error) {
	for {
		pending, err := list(client, load.URLs[0]+"/orders?customerId="+load.customer()+"&status=pending&limit=1")
		if err != nil || ctx.Err() != nil {
			return 0, at, errors.Join(err, ctx.Err())
		}
		if at = time.Now(); len(pending) == 0 {
			break
		}
	}
	cancelled, err := list(client, load.URLs[0]+"/orders?customerId="+load.customer()+"&status=cancelled&limit=100")
	return accepted - len(cancelled), at, err
}

func list(client *fasthttp.Client, url string) (orders []json.RawMessage, err error) {
	status, answer, err := do(client, http.MethodGet, url, "")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("list orders: status %d: %s", status, answer)
	}
	if err == nil {
		err = json.Unmarshal(answer, &orders)
	}
	return orders, err
}
