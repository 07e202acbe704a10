//go:build unix

package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/actors/actorstest"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

const (
	waiting  = 3000 // orders
	products = 100
	writer   = "member-1"
)

// BenchmarkCatchUp lets a relay publish what a shop's journal has gathered while the broker was away, and then a bare
// publisher the same messages, in turn. Both run with the label "who" for the CPU profile.
func BenchmarkCatchUp(b *testing.B) {
	gathered := filepath.Join(b.TempDir(), "gathered")
	last := gather(b, gathered)
	queue := everything(b)
	var relay, bare pace
	var messages []amqp.Delivery
	for b.Loop() {
		pprof.Do(b.Context(), pprof.Labels("who", "relay"), func(context.Context) { relay.add(catchUp(b, gathered, last)) })
		if messages == nil {
			messages = sample(b, queue)
		}
		purge(b, queue)
		pprof.Do(b.Context(), pprof.Labels("who", "bare"), func(context.Context) { bare.add(publishBare(b, messages, relay.latest)) })
		purge(b, queue)
	}
	b.ReportMetric(relay.perSecond(), "relay-msg/s")
	b.ReportMetric(bare.perSecond(), "bare-msg/s")
	b.ReportMetric(100*relay.perSecond()/bare.perSecond(), "relay-%")
	b.ReportMetric(relay.cpuPerMessage(), "relay-us/msg")
	b.ReportMetric(bare.cpuPerMessage(), "bare-us/msg")
}

// pace is how fast messages were confirmed, and what that cost.
type pace struct {
	messages, latest int
	took, cpu        time.Duration
}

func (p *pace) add(messages int, took, cpu time.Duration) {
	p.messages, p.latest = p.messages+messages, messages
	p.took += took
	p.cpu += cpu
}

func (p *pace) perSecond() float64 { return float64(p.messages) / p.took.Seconds() }

func (p *pace) cpuPerMessage() float64 {
	return float64(p.cpu.Nanoseconds()) / 1e3 / float64(p.messages)
}

// gather lets a shop without a broker take orders, and returns the number of its last entry.
func gather(b *testing.B, dir string) (last uint64) {
	store, err := sqlite.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	if _, err := store.Enlist(b.Context(), writer); err != nil {
		b.Fatal(err)
	}
	shop := actorstest.Open(b, actors.Config{Store: store, Gateway: actorstest.Sandbox(b), Writer: writer})
	defer shop.Stop()
	for i := range products {
		shop.Stock(b, fmt.Sprint("lamp-", i), waiting)
	}
	ids := make([]string, waiting)
	for i := range ids {
		ids[i] = actorstest.NewOrderID()
		if _, err := shop.Place(b.Context(), ids[i], "pm_card_visa", fmt.Sprint("lamp-", i%products)); err != nil {
			b.Fatal(err)
		}
	}
	for _, id := range ids {
		shop.Ended(b, id)
	}
	entries, err := store.Committed(b.Context(), writer, 0, math.MaxInt32)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d orders, %d entries", waiting, len(entries))
	return entries[len(entries)-1].Number
}

// everything declares a durable queue that gets every event.
func everything(b *testing.B) string {
	const name = "bench.all"
	channel := broker.Channel(b)
	if err := channel.ExchangeDeclare(bridge.EventsExchange, "topic", true, false, false, false, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := channel.QueueDeclare(name, true, false, false, false, nil); err != nil {
		b.Fatal(err)
	}
	if err := channel.QueueBind(name, "#", bridge.EventsExchange, false, nil); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { broker.Delete(b, name) })
	return name
}

func purge(b *testing.B, queue string) {
	if _, err := broker.Channel(b).QueuePurge(queue, false); err != nil {
		b.Fatal(err)
	}
}

func sample(b *testing.B, queue string) (messages []amqp.Delivery) {
	channel := broker.Channel(b)
	for len(messages) < 1000 {
		message, ok, err := channel.Get(queue, true)
		if err != nil || !ok {
			b.Fatalf("the queue has no more than %d messages: %v", len(messages), err)
		}
		messages = append(messages, message)
	}
	return messages
}

// catchUp measures a relay on a copy of what was gathered, from its first confirm on.
func catchUp(b *testing.B, gathered string, last uint64) (messages int, took, used time.Duration) {
	dir := filepath.Join(b.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(gathered)); err != nil {
		b.Fatal(err)
	}
	store, err := sqlite.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		store.Close()
		os.RemoveAll(dir)
	}()
	relay := bridge.NewRelay(bridge.RelayConfig{URL: broker.URL(b), Writer: writer, Last: last}, store, store, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- relay.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}()
	for relay.Status().Confirmed == 0 {
		time.Sleep(time.Millisecond)
	}
	first, before, began := relay.Status().Confirmed, cpu(), time.Now()
	flushed, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := relay.Flush(flushed); err != nil {
		b.Fatal(err)
	}
	took, used = time.Since(began), cpu()-before
	return int(relay.Status().Confirmed - first), took, used
}

// publishBare publishes messages like these as fast as the broker confirms them, as deploy/bench does.
func publishBare(b *testing.B, messages []amqp.Delivery, count int) (confirmed int, took, used time.Duration) {
	const window = 256
	channel := broker.Channel(b)
	if err := channel.Confirm(false); err != nil {
		b.Fatal(err)
	}
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, window))
	before, began, open := cpu(), time.Now(), 0
	await := func(least int) {
		for ; open > least; open-- {
			if confirm, ok := <-confirms; !ok || !confirm.Ack {
				b.Fatal("the broker does not confirm")
			}
		}
	}
	for sent := range count {
		m := messages[sent%len(messages)]
		if err := channel.PublishWithContext(b.Context(), bridge.EventsExchange, m.RoutingKey, false, false, amqp.Publishing{Headers: m.Headers,
			ContentType: m.ContentType, DeliveryMode: amqp.Persistent, CorrelationId: m.CorrelationId, MessageId: m.MessageId,
			Timestamp: m.Timestamp, Type: m.Type, AppId: m.AppId, Body: m.Body}); err != nil {
			b.Fatal(err)
		}
		open++
		await(window - 1)
	}
	await(0)
	return count, time.Since(began), cpu() - before
}
