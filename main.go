// QueueCommerce is a commerce backend: orders, stock and payments that can't be wrong. This package is the program and
// its composition root, the only one that imports everything; README.md shows the rest of the house.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/seed"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
	"github.com/queuecommerce/queuecommerce/verify"
)

// version is set at build time.
var version = "dev"

type program struct {
	Serve   serveCommand   `cmd:"" default:"1" help:"Serve the shop (the default)."`
	Seed    seedCommand    `cmd:"" help:"Put the demo catalogue of 50 products into the store."`
	Replay  replayCommand  `cmd:"" help:"Make all read models again from the journal."`
	Verify  verifyCommand  `cmd:"" help:"Prove the guarantees on the journal; exit code 1 if one is broken."`
	Archive archiveCommand `cmd:"" help:"Move what is old in the embedded journal to its archive, at once."`
	Bench   benchCommand   `cmd:"" help:"Put load on a running shop and measure it."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// run is what every command gets.
type run struct {
	ctx    context.Context
	config Config
	logger *slog.Logger
}

func main() {
	parsed := kong.Parse(&program{}, kong.Name("queuecommerce"),
		kong.Description("Commerce backend. Configured by environment variables; deploy/queuecommerce.env explains them."))
	config, err := loadConfig()
	parsed.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.FatalIfErrorf(parsed.Run(&run{ctx: ctx, config: config, logger: config.logger()}))
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(*run) error {
	_, err := fmt.Println("queuecommerce", version)
	return err
}

type serveCommand struct {
	CPUProfile string `name:"cpuprofile" help:"Write a CPU profile of the whole run to this file." type:"path"`
}

// Run serves until it is told to stop.
func (c serveCommand) Run(r *run) error {
	if c.CPUProfile != "" {
		file, err := os.Create(c.CPUProfile)
		if err != nil {
			return fmt.Errorf("cpu profile: %w", err)
		}
		defer file.Close() //nolint:errcheck // the profile is all there when it is stopped
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("cpu profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	growRoomy()
	app, err := Open(r.ctx, r.config, r.logger)
	if err != nil {
		return err
	}
	defer app.Close()
	listener, err := net.Listen("tcp", r.config.HTTPAddr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	greet(r.config, listener.Addr())
	if err = app.Serve(r.ctx, listener); errors.Is(err, errLost) {
		r.logger.Error("stopping at once", "err", err)
		os.Exit(exitLost)
	}
	return err
}

// exitLost is the exit code of a member that has to be started anew.
const exitLost = 3

// greet tells a person where everything is, and what to try first.
func greet(c Config, addr net.Addr) {
	where, payments, events := "embedded storage in "+c.DataDir, "payment sandbox", "events to RabbitMQ whenever it can be reached"
	if c.MongoURI != "" {
		where = "MongoDB"
	}
	if c.StripeKey != "" {
		payments = "Stripe"
	}
	if c.AMQPURL == "" {
		events = "events kept in the journal"
	}
	fmt.Printf(`queuecommerce %s on http://%s: %s, %s, %s
no authentication: listens on loopback only
interactive API documentation: http://%s/docs

place an order:

  curl -s -X POST 'http://%s/orders' -H 'Content-Type: application/json' -H 'Prefer: wait=5' -d '{
    "customer": {"customerId": "cust-1", "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"},
    "items": [{"productId": "%s", "quantity": 1}],
    "shippingAddress": {"street": "12 St James Square", "city": "London", "state": "London", "postalCode": "SW1Y 4JH", "country": "GB"},
    "paymentMethod": "pm_card_visa"}'

`, version, addr, where, payments, events, addr, addr, firstProduct())
}

func firstProduct() string {
	for _, p := range seed.Products() {
		if p.StockQuantity > 100 {
			return p.ProductID
		}
	}
	return seed.Products()[0].ProductID
}

type seedCommand struct {
	IfEmpty bool   `help:"Do nothing when the store has any product."`
	URL     string `name:"url" help:"The running shop to seed, such as http://127.0.0.1:3001; without it, the store that is configured."`
}

// Run sends the catalogue through the front door, so that it is checked like everybody's. Each product has its own
// Idempotency-Key: running it twice adds nothing.
func (c seedCommand) Run(r *run) error {
	if c.URL != "" {
		return c.seed(r.ctx, remoteDoor(c.URL))
	}
	app, err := Open(r.ctx, r.config, r.logger)
	if err != nil {
		return err
	}
	defer app.Close()
	return c.seed(r.ctx, func(_ context.Context, method, path, key, body string) (int, []byte, error) {
		if body == "" {
			status, answer := app.http.Do(method, path, nil, nil)
			return status, answer, nil
		}
		status, answer := app.http.Do(method, path, map[string]string{"Idempotency-Key": key}, []byte(body))
		return status, answer, nil
	})
}

// door is the way in to a shop.
type door func(ctx context.Context, method, path, key, body string) (status int, answer []byte, err error)

func remoteDoor(url string) door {
	return func(ctx context.Context, method, path, key, body string) (int, []byte, error) {
		request, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(url, "/")+path, strings.NewReader(body))
		if err != nil {
			return 0, nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		if key != "" {
			request.Header.Set("Idempotency-Key", key)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return 0, nil, err
		}
		defer response.Body.Close() //nolint:errcheck // read to its end, or given up
		answer, err := io.ReadAll(response.Body)
		return response.StatusCode, answer, err
	}
}

func (c seedCommand) seed(ctx context.Context, send door) error {
	if c.IfEmpty {
		status, answer, err := send(ctx, http.MethodGet, "/products?limit=1", "", "")
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("look for products: status %d: %s: %w", status, answer, err)
		}
		var page struct {
			Total int64 `json:"total"`
		}
		if err := json.Unmarshal(answer, &page); err != nil || page.Total > 0 {
			return err
		}
	}
	added := 0
	for _, p := range seed.Products() {
		status, answer, err := send(ctx, http.MethodPost, "/products", "seed-"+p.ProductID, string(p.JSON()))
		switch {
		case err != nil:
			return fmt.Errorf("seed %s: %w", p.ProductID, err)
		case status == http.StatusCreated:
			added++
		case status == http.StatusConflict: // somebody has a product of that name: theirs stays
		default:
			return fmt.Errorf("seed %s: status %d: %s", p.ProductID, status, answer)
		}
	}
	fmt.Printf("%d products are in the catalogue\n", added)
	return nil
}

type replayCommand struct{}

// Run makes all projections again. Nothing else may have the store open.
func (replayCommand) Run(r *run) error {
	store, writer, err := openStore(r.ctx, r.config, r.logger)
	if err != nil {
		return err
	}
	host := actors.NewHost(actors.Config{Store: store, Policy: r.config.policy(), Writer: writer, Logger: r.logger})
	streams, err := host.Replay(r.ctx)
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	fmt.Printf("replayed %d entities\n", streams)
	return nil
}

type verifyCommand struct {
	JSON bool `name:"json" help:"Print the report as JSON."`
}

// errBroken ends the program with exit code 1.
var errBroken = errors.New("a guarantee is broken")

// Run proves the guarantees on the journal.
func (c verifyCommand) Run(r *run) error {
	store, _, err := openStore(r.ctx, r.config, r.logger)
	if err != nil {
		return err
	}
	var options verify.Options
	if r.config.MongoURI != "" {
		options.Now = systemClock() // others may be writing
	}
	report, err := verify.Run(r.ctx, store, options)
	if errors.Is(err, sqlite.ErrDamaged) {
		err = fmt.Errorf("%s broken, an event is not what was written: %w", verify.G7, err)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	if err := print(report, c.JSON); err != nil {
		return err
	}
	if len(report.Violations) > 0 {
		return errBroken
	}
	return nil
}

// print writes the report for people, or for programs.
func print(report verify.Report, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	_, err := report.WriteTo(os.Stdout)
	return err
}
