//go:build unix

package bridge_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// cpu is what this process has used, user and system.
func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRelay publishes order.created with a body of 1 KB from the live tail, until everything is confirmed.
func BenchmarkRelay(b *testing.B) {
	for _, kind := range []string{"nobody", "classic", "quorum"} {
		for _, window := range []int{64, 256, 1024} {
			b.Run(fmt.Sprintf("%s/window=%d", kind, window), func(b *testing.B) { benchmarkRelay(b, kind, window) })
		}
	}
}

func benchmarkRelay(b *testing.B, kind string, window int) {
	channel := broker.Channel(b)
	if err := channel.ExchangeDeclare(bridge.EventsExchange, "topic", true, false, false, false, nil); err != nil {
		b.Fatal(err)
	}
	if kind != "nobody" {
		queue := "bench." + kind
		if _, err := channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": kind}); err != nil {
			b.Fatal(err)
		}
		defer broker.Delete(b, queue)
		if err := channel.QueueBind(queue, "#", bridge.EventsExchange, false, nil); err != nil {
			b.Fatal(err)
		}
	}
	s := newShop(b, memory.New(), "member-1")
	id := orderID(1)
	placed := order.Placed{ID: id, Number: domain.OrderNumber(id), Customer: order.Customer{CustomerID: "cust-1", Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"},
		Total: 3750, Currency: "usd", ShippingAddress: order.Address{Street: "1 Long Road", City: "Springfield", State: "IL", PostalCode: "62701", Country: "US"}, At: began}
	for i := range 7 {
		placed.Items = append(placed.Items, order.Item{ProductID: fmt.Sprintf("p-%d", i), ProductName: strings.Repeat("Mug ", 12), Quantity: 2, UnitPrice: 1250, TotalPrice: 2500})
	}
	event := stored(placed)
	config := s.config()
	config.Window, config.TailEntries, config.TailBytes = window, b.N+1, 1<<30
	config.ConfirmTimeout = 30 * time.Second
	relay, stop := s.run(config, s.store)
	defer stop()
	entries := make([]storage.Entry, b.N)
	for i := range entries {
		entries[i] = storage.Entry{Stream: storage.StreamOf("order", fmt.Sprintf("%016x", i)), First: 1, Events: []storage.Event{event}, Writer: s.writer, Number: uint64(i + 1)}
	}
	bridgetest.Eventually(b, 10*time.Second, relay.Connected, status(relay))
	before := cpu()
	b.ResetTimer()
	for len(entries) > 0 {
		n := min(64, len(entries))
		relay.Committed(entries[:n])
		entries = entries[n:]
	}
	s.flush(relay, time.Minute)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-us/msg")
}
