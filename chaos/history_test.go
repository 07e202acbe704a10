package chaos

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// deed is what a client wanted.
type deed string

const (
	placing     deed = "place"
	cancelling  deed = "cancel"
	viewing     deed = "view order"
	looking     deed = "view product"
	adjusting   deed = "adjust stock"
	confirming  deed = "confirm payment"
	refunding   deed = "refund"
	viewPayment deed = "view payment"
)

// outcome is what a client knows of what it wanted.
type outcome string

const (
	done    outcome = "done"
	refused outcome = "refused" // certainly not done
	unknown outcome = "unknown" // may have been done, or may still be
)

// operation is one thing that a client wanted, from its first attempt until it had an answer or gave up.
type operation struct {
	client   string
	deed     deed
	subject  string // the order's _id, or the product's productId
	key      string // Idempotency-Key
	delta    int64  // of an adjustment
	call     time.Duration
	back     time.Duration // both since the run began, by one monotonic clock
	attempts int
	member   int // that answered, or was asked last
	status   int // of the answer; 0: none
	outcome  outcome

	// What the answer says of the order or the product.
	version         uint64
	state           string // an order's status
	stock, reserved int64
}

func (o operation) String() string {
	text := fmt.Sprintf("%9.3fs to %9.3fs %-10s %s %s", o.call.Seconds(), o.back.Seconds(), o.client, o.deed, o.subject)
	if o.deed == adjusting {
		text += fmt.Sprintf(" by %d", o.delta)
	}
	text += fmt.Sprintf(": %s by member %d, status %d, %d attempts", o.outcome, o.member, o.status, o.attempts)
	switch {
	case o.outcome != done:
	case o.state != "":
		text += fmt.Sprintf(": version %d, %s", o.version, o.state)
	case o.deed == looking || o.deed == adjusting:
		text += fmt.Sprintf(": version %d, stock %d, reserved %d", o.version, o.stock, o.reserved)
	}
	return text
}

// history is what all clients of a run did. Safe for concurrent use.
type history struct {
	began time.Time

	mu         sync.Mutex
	operations []operation
	waits      []wait
	down       int // attempts for which there was no connection
	busy       int // attempts that were answered with 503
	broken     int // attempts that a member had taken, and did not answer
}

// wait is how long one request took, as its client saw it: all attempts together.
type wait struct {
	at, took time.Duration
	client   string
}

// now is the time of the run's clock.
func (h *history) now() time.Duration { return time.Since(h.began) }

func (h *history) add(o operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, o)
	h.waits = append(h.waits, wait{at: o.back, took: o.back - o.call, client: o.client})
}

// all returns what has been recorded.
func (h *history) all() []operation {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]operation(nil), h.operations...)
}

// only returns what the chosen operations were.
func (h *history) only(chosen func(operation) bool) *history {
	part := &history{began: h.began}
	for _, o := range h.all() {
		if chosen(o) {
			part.add(o)
		}
	}
	return part
}

// note counts an attempt that brought no answer.
func (h *history) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var dial *net.OpError
	switch {
	case err == nil:
		h.busy++
	case errors.As(err, &dial) && dial.Op == "dial":
		h.down++
	default:
		h.broken++
	}
}

// trouble tells how often a load balancer had to ask another member.
func (h *history) trouble() string {
	return fmt.Sprintf("attempts that were repeated elsewhere: %d found no member, %d were answered with 503, %d were broken off or not answered in time", h.down, h.busy, h.broken)
}
