// Baseline is the shop that any good engineer would write: Fiber, pgx and PostgreSQL, one transaction per order. It
// answers as much of the contract as the load generator uses. An order is stored as confirmed; nothing is paid for, no
// event is sent and no history is kept. With -empty it is a server that does nothing, to measure what HTTP alone costs.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"log"
	"os/signal"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed schema.sql
var schema string

func main() {
	addr := flag.String("addr", "127.0.0.1:3100", "where to listen")
	database := flag.String("database", "", "PostgreSQL connection string")
	how := flag.String("style", "conditional", "for-update, conditional or one-statement")
	pool := flag.Int("pool", 16, "connections to the database")
	empty := flag.Int("empty", 0, "no shop: only GET /empty, with so many bytes of JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: fail})
	if *empty > 0 {
		body := []byte(`{"pad":"` + strings.Repeat("x", max(0, *empty-10)) + `"}`)
		app.Get("/empty", func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Send(body)
		})
	} else {
		s, err := open(ctx, *database, *how, *pool)
		if err != nil {
			log.Fatal(err)
		}
		defer s.db.Close()
		s.routes(app)
	}
	app.Get("/metrics", allocations)
	go func() {
		<-ctx.Done()
		_ = app.ShutdownWithTimeout(time.Second)
	}()
	if err := app.Listen(*addr); err != nil {
		log.Fatal(err)
	}
}

// open connects and makes the tables, if they are not there.
func open(ctx context.Context, database, how string, connections int) (*shop, error) {
	place, ok := styles[how]
	if !ok {
		return nil, fmt.Errorf("there is no style %q", how)
	}
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns = int32(connections), int32(connections)
	// To plan the larger statements takes longer than to carry them out, and the plan never depends on the values.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	db, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &shop{db: db, place: place}
	var there bool
	if err := db.QueryRow(ctx, `SELECT to_regclass('orders') IS NOT NULL`).Scan(&there); err == nil && !there {
		_, err = db.Exec(ctx, schema)
		return s, err
	}
	return s, err
}

// allocations answers with the one metric that is asked for, under the name that Go programs give it.
func allocations(c *fiber.Ctx) error {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample)
	return c.SendString(fmt.Sprintf("go_memstats_mallocs_total %d\n", sample[0].Value.Uint64()))
}

// fail answers with a problem document.
func fail(c *fiber.Ctx, err error) error {
	status := fiber.StatusInternalServerError
	var (
		input    errInput
		conflict errConflict
		own      *fiber.Error
	)
	switch {
	case errors.As(err, &input):
		status = fiber.StatusBadRequest
	case errors.As(err, &conflict):
		status = fiber.StatusConflict
	case errors.Is(err, errNotFound):
		status = fiber.StatusNotFound
	case errors.As(err, &own):
		status = own.Code
	}
	return c.Status(status).JSON(fiber.Map{"type": "about:blank", "status": status, "detail": err.Error()}, "application/problem+json")
}
