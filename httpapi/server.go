package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

// Server is the front end. Make it with New; Serve or Listen run it until Shutdown.
type Server struct {
	config   Config
	app      *fiber.App
	document *huma.OpenAPI
	router   fasthttp.RequestHandler // Fiber's
	base     context.Context         // of every request; ends when Shutdown gives up waiting
	abandon  context.CancelFunc
	started  time.Time

	inFlight atomic.Int64
	draining atomic.Bool
	products *identities
	spares   atomic.Pointer[spares]
	meter    *meter
	webhooks *gateway.WebhookKey
	secret   *domain.SecretKey // the installation's
	openAPI  []byte
}

// New makes a front end with all routes. It opens nothing.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	config.Limits = config.Limits.withDefaults()
	s := &Server{config: config, started: config.Clock(), products: newIdentities(),
		webhooks: gateway.NewWebhookKey(config.WebhookSecret), secret: domain.NewSecretKey(config.Secret)}
	meter, err := newMeter(config.Register)
	if err != nil {
		return nil, err
	}
	s.meter = meter
	s.base, s.abandon = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		Immutable:                    true, // strings outlive the handler: an asked entity may still read them after a time-out
		CaseSensitive:                true,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		BodyLimit:                    config.Limits.Body,
		ReadBufferSize:               16 << 10, // also the limit of a request's headers
		ReadTimeout:                  15 * time.Second,
		WriteTimeout:                 30 * time.Second,
		IdleTimeout:                  2 * time.Minute,
		ErrorHandler:                 func(c *fiber.Ctx, err error) error { s.fail(c, err); return nil },
	})
	s.app.Server().Handler = s.serve
	s.app.Server().CloseOnShutdown = true
	s.document = newOpenAPI(config.Version)
	s.routes()
	s.router = s.app.Handler()
	if s.openAPI, err = json.Marshal(finish(s.document)); err != nil {
		return nil, fmt.Errorf("encode the OpenAPI document: %w", err)
	}
	return s, nil
}

func (s *Server) routes() {
	s.orderRoutes()
	s.productRoutes()
	s.stockRoutes()
	s.reservationRoutes()
	s.paymentRoutes()
	s.healthRoutes()
	s.documentRoutes()
}

// App is the Fiber application, for tests that need no listener.
func (s *Server) App() *fiber.App { return s.app }

// OpenAPI is the OpenAPI document, JSON.
func (s *Server) OpenAPI() []byte { return s.openAPI }

// Listen serves on a TCP address until Shutdown, and then returns nil.
func (s *Server) Listen(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	return s.Serve(listener)
}

// Serve serves on the listener, which it closes, until Shutdown, and then returns nil.
func (s *Server) Serve(listener net.Listener) error {
	spares := newSpares(listener)
	s.spares.Store(spares)
	if err := s.app.Listener(spares); err != nil {
		return fmt.Errorf("serve http: %w", err)
	}
	return nil
}

// Drain makes the member not ready, so that a load balancer sends nothing new; what comes is still served.
func (s *Server) Drain() { s.draining.Store(true) }

// Shutdown drains, takes no new connections and waits until what is in flight is answered. When ctx ends first, the
// requests that are left are given up, which their clients see as 503, and the context's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	defer s.abandon()
	ended := make(chan struct{})
	var hangingUp sync.WaitGroup
	hangingUp.Go(func() { s.hangUpSpares(ended) })
	defer hangingUp.Wait()
	defer close(ended)
	if err := s.app.ShutdownWithContext(ctx); err != nil {
		return fmt.Errorf("shut down http: %w", err)
	}
	return nil
}

// spareAge is how long a connection must have been silent to count as one that nobody will miss: a request that was on
// its way when the connection was accepted has arrived by then.
const spareAge = time.Second

func (s *Server) hangUpSpares(ended <-chan struct{}) {
	spares := s.spares.Load()
	if spares == nil {
		return
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		spares.hangUp(spareAge)
		select {
		case <-ticker.C:
		case <-ended:
			return
		}
	}
}
