// QueueCommerce is a commerce backend: orders, stock and payments that can't be wrong. This package is the program and
// its composition root, the only one that imports everything; README.md shows the rest of the house.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/seed"
	"github.com/queuecommerce/queuecommerce/storage"
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
	return app.Serve(r.ctx, listener)
}

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
	IfEmpty bool `help:"Do nothing when the store has any product."`
}

// Run sends the catalogue through the front door, so that it is checked like everybody's. Each product has its own
// Idempotency-Key: running it twice adds nothing.
func (c seedCommand) Run(r *run) error {
	app, err := Open(r.ctx, r.config, r.logger)
	if err != nil {
		return err
	}
	defer app.Close()
	if c.IfEmpty {
		n, err := app.store.Count(r.ctx, storage.Filter{Collection: storage.Products})
		if err != nil || n > 0 {
			return err
		}
	}
	added := 0
	for _, p := range seed.Products() {
		status, answer := app.http.Do(http.MethodPost, "/products", map[string]string{"Idempotency-Key": "seed-" + p.ProductID}, p.JSON())
		switch status {
		case http.StatusCreated:
			added++
		case http.StatusConflict: // somebody has a product of that name: theirs stays
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
