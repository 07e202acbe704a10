package bench

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// Answer is what a visitor got, and when, counted from the start.
type Answer struct {
	At, Took time.Duration
	Accepted bool
	ID       string // of an accepted order
}

// Latency says how long answers took.
type Latency struct{ P50, P95, P99, P999, Max time.Duration }

// MarshalJSON gives milliseconds.
func (l Latency) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"p50":%.3f,"p95":%.3f,"p99":%.3f,"p99.9":%.3f,"max":%.3f}`, ms(l.P50), ms(l.P95), ms(l.P99), ms(l.P999), ms(l.Max)), nil
}

// latencyOf is exact: it looks at every answer.
func latencyOf(answers []Answer) Latency {
	sorted := make([]time.Duration, len(answers))
	for i, a := range answers {
		sorted[i] = a.Took
	}
	slices.Sort(sorted)
	return Latency{quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 0.99), quantile(sorted, 0.999), quantile(sorted, 1)}
}

// quantile is the smallest value that at least a share of q is not above: the nearest rank.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(float64(len(sorted))*q))-1)]
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func byTime(a, b Answer) int { return cmp.Compare(a.At, b.At) }

// Result is what the buyers saw.
type Result struct {
	Load      Load
	Orders    int           // accepted
	Failed    int           // anything but 201
	Confirmed int           // of the accepted
	Took      time.Duration // of the load
	Settled   time.Duration // from its start until no order was pending any more
	Latency   Latency       // of POST /orders
	Longest   time.Duration // that a buyer who wanted one was without an order that was accepted
	Retried   int           // tries that another member had to make good
	Answers   []Answer      // in the order of their time
	IDs       []string      // of the accepted orders, in the order of their answers
}

// PerSecond is the rate of orders until the last one was confirmed.
func (r Result) PerSecond() float64 { return perSecond(r.Confirmed, r.Settled) }

// AcceptedPerSecond is the rate of orders while buyers came.
func (r Result) AcceptedPerSecond() float64 { return perSecond(r.Orders, r.Took) }

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

func (r Result) String() string {
	shape := fmt.Sprintf("%d clients, %d products, %d lines", r.Load.Clients, r.Load.Products, r.Load.Lines)
	if r.Load.Rate > 0 {
		shape += fmt.Sprintf(", paced at %d/s", r.Load.Rate)
	}
	if r.Load.Wait {
		shape += ", waiting for confirmed"
	}
	return fmt.Sprintf("%s: %.0f orders/s to confirmed (%d accepted, %d confirmed, %d failed, %.1f s); POST p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms",
		shape, r.PerSecond(), r.Orders, r.Confirmed, r.Failed, r.Settled.Seconds(), ms(r.Latency.P50), ms(r.Latency.P99), ms(r.Latency.P999))
}

// MarshalJSON gives the figures, without each single answer: times in seconds, latencies in milliseconds.
func (r Result) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"clients": r.Load.Clients, "products": r.Load.Products, "lines": r.Load.Lines, "rate": r.Load.Rate, "wait": r.Load.Wait,
		"accepted": r.Orders, "confirmed": r.Confirmed, "failed": r.Failed, "retried": r.Retried,
		"took": r.Took.Seconds(), "settled": r.Settled.Seconds(), "longest": r.Longest.Seconds(),
		"confirmedPerSecond": r.PerSecond(), "acceptedPerSecond": r.AcceptedPerSecond(), "latency": r.Latency,
	})
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
		waited := a.At - last
		if r.Load.Rate > 0 { // a buyer rests there until the next order is due
			waited = a.Took
		}
		r.Longest = max(r.Longest, waited)
		last = a.At
	}
}

// sum makes the figures that need all answers.
func (r *Result) sum() {
	slices.SortFunc(r.Answers, byTime)
	r.Latency = latencyOf(r.Answers)
	for _, a := range r.Answers {
		if a.Accepted {
			r.IDs = append(r.IDs, a.ID)
		}
	}
}
