package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Asker asks an entity, wherever it lives. A refusal is part of the reply; an error says that the outcome is unknown or
// that the entity could not be reached in time. The command may be read until Ask has returned, and after that if it
// returned an error.
type Asker interface {
	Ask(ctx context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error)
}

// History is the part of the journal that is shown to people: timelines, ledgers and the past of an order.
type History interface {
	Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error)
	ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error)
}

// Lists are the read models.
type Lists interface {
	Get(ctx context.Context, collection storage.Collection, id string) (storage.Document, error)
	List(ctx context.Context, filter storage.Filter, after storage.Position, skip, limit int) ([]storage.Document, error)
	Count(ctx context.Context, filter storage.Filter) (int64, error)
	Search(ctx context.Context, text string, limit int) ([]storage.Document, error)
}

// Guard decides whether a request may go on, before anything else of it is looked at. It returns the principal: who
// sends the request, which is also the scope of the Idempotency-Keys, so that two customers' equal keys never meet. An
// error that is a *Problem is the answer; any other error is answered with 500.
type Guard interface {
	Admit(ctx context.Context, visit Visit) (principal string, err error)
}

// Visit is what a Guard gets to see of a request.
type Visit struct {
	Operation string // operation id, such as "placeOrder"
	Scope     string // the permission that the operation asks for, such as "orders:write"
	Remote    string // address of the peer, without port
	Header    func(name string) string
}

// Check is one dependency's health.
type Check struct {
	Name  string // key in /health: storage, broker, cluster, payments
	Probe func(ctx context.Context) error
	Vital bool // when it is down the member can't serve requests and is not ready
}

// Limits bound what one process takes on. Zero fields get the defaults.
type Limits struct {
	Body     int           // bytes of a request body; default 1 MiB
	InFlight int           // requests being worked on at once; more are refused with 503; default 4096
	Deadline time.Duration // of an ordinary request; default 10 s
	Payment  time.Duration // of a request that waits for the payment provider; default 30 s
	Probe    time.Duration // of one health check; default 1 s
}

// Config holds everything that the front end depends on.
type Config struct {
	Asker   Asker
	Lists   Lists
	History History
	Newest  storage.Newest // reads orders and products without waking them; nil: they are always asked

	Secret        []byte // keys command ids, order ids and cursors; the same on every member and after a restart
	WebhookSecret string // of the payment provider; empty: every webhook is refused

	Clock  func() time.Time
	Random io.Reader // safe for concurrent use, such as crypto/rand.Reader

	Guard    Guard // nil: everybody may do everything
	Checks   []Check
	Version  string
	AsyncAPI []byte       // served as /asyncapi.json; empty: 404
	Metrics  http.Handler // served as /metrics; nil: 404
	Register prometheus.Registerer
	Logger   *slog.Logger
	Limits   Limits
}

func (c *Config) validate() error {
	switch {
	case c.Asker == nil || c.Lists == nil || c.History == nil:
		return errors.New("httpapi: asker, lists and history are needed")
	case len(c.Secret) < 16:
		return errors.New("httpapi: the secret needs at least 16 bytes")
	case c.Clock == nil || c.Random == nil || c.Logger == nil:
		return errors.New("httpapi: clock, random and logger are needed")
	}
	return nil
}

func (l Limits) withDefaults() Limits {
	if l.Body <= 0 {
		l.Body = 1 << 20
	}
	if l.InFlight <= 0 {
		l.InFlight = 4096
	}
	if l.Deadline <= 0 {
		l.Deadline = 10 * time.Second
	}
	if l.Payment <= 0 {
		l.Payment = 30 * time.Second
	}
	if l.Probe <= 0 {
		l.Probe = time.Second
	}
	return l
}
