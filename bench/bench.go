// Package bench puts load on a running shop, as many buyers or readers, in a closed loop or at a fixed rate, and measures
// what they see. It speaks HTTP only, so that it measures any member or cluster, and anything else that answers the same
// routes. It is not a test: nothing is asserted.
package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Load says what to do.
type Load struct {
	URLs     []string      // of the members; a buyer that one fails tries the same order at the next
	Clients  int           // buyers at one time; in a paced load more come when all of these are waiting
	Duration time.Duration // how long buyers begin new orders
	Orders   int           // end after so many; 0: when Duration is over
	Products int           // how many different products the buyers want; 1 is a hot one
	Lines    int           // per order, each of another product
	Wait     bool          // each buyer waits until its order is confirmed before it places the next one
	Rate     int           // orders per second of all buyers together; 0: each buys again as soon as it is answered
	Run      string        // names the buyers' orders, so that runs on one shop do not mix; empty: a new name
	Stocked  bool          // the products are there already
}

func (l Load) customer() string { return "bench-" + l.Run }

func (l Load) pace() pace {
	return pace{clients: l.Clients, duration: l.Duration, total: l.Orders, rate: l.Rate}
}

// Run makes the products, puts the load on and waits until every order has left pending.
func Run(ctx context.Context, load Load) (Result, error) {
	if load.Run == "" {
		load.Run = fmt.Sprintf("%x", time.Now().UnixNano())
	}
	client := newClient(load.URLs)
	if !load.Stocked {
		if _, err := Stock(ctx, load.URLs[0], load.Products); err != nil {
			return Result{}, err
		}
	}
	result := Result{Load: load}
	bodies, placed := orderBodies(load), new(atomic.Int64)
	var buyers []*buyer
	start := time.Now()
	load.pace().run(ctx, start, func(number int) visit {
		b := &buyer{client: client, load: load, start: start, member: number % len(load.URLs), bodies: bodies, placed: placed}
		buyers = append(buyers, b)
		return b.buy
	})
	result.Took = time.Since(start)
	for _, b := range buyers {
		result.take(b)
	}
	result.sum()
	if err := result.settle(ctx, client, start); err != nil {
		return result, err
	}
	return result, ctx.Err()
}

// newClient makes the one client of all buyers.
func newClient(urls []string) *fasthttp.Client {
	client := &fasthttp.Client{MaxConnsPerHost: maxVisitors + 4, ReadTimeout: time.Minute, NoDefaultUserAgentHeader: true}
	if len(urls) > 1 {
		client.ReadTimeout = 3 * time.Second // then another member is worth a try
	}
	return client
}

// get returns the status and the body, which is the caller's, and the header asked for.
func get(client *fasthttp.Client, url, header string) (status int, body []byte, value string, err error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(url)
	err = client.Do(request, response)
	return response.StatusCode(), append([]byte(nil), response.Body()...), string(response.Header.Peek(header)), err
}
