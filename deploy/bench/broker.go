package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbit is a RabbitMQ of its own, with one durable queue that gets every event.
type rabbit struct {
	script, dir, port string
	conn              *amqp.Connection
	channel           *amqp.Channel
}

const (
	exchange = "queuecommerce.events" // as the shop declares it
	queue    = "bench.all"
)

func startRabbit(ctx context.Context, script, dir string) (*rabbit, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	b := &rabbit{script: script, dir: filepath.Join(dir, "rabbitmq"), port: port}
	if err := b.run(ctx, "start"); err != nil {
		return nil, err
	}
	if err := b.connect(); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

func (b *rabbit) run(ctx context.Context, command string) error {
	cmd := exec.CommandContext(ctx, b.script, command, b.dir)
	cmd.Env = append(os.Environ(), "RABBITMQ_PORT="+b.port)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // no pipes: the broker would keep them open
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s RabbitMQ: %w", command, err)
	}
	return nil
}

func (b *rabbit) connect() (err error) {
	if b.conn, err = amqp.Dial(b.url()); err != nil {
		return err
	}
	if b.channel, err = b.conn.Channel(); err != nil {
		return err
	}
	if err = b.channel.ExchangeDeclare(exchange, "topic", true, false, false, false, nil); err != nil {
		return err
	}
	if _, err = b.channel.QueueDeclare(queue, true, false, false, false, nil); err != nil {
		return err
	}
	return b.channel.QueueBind(queue, "#", exchange, false, nil)
}

func (b *rabbit) url() string { return "amqp://guest:guest@127.0.0.1:" + b.port + "/" }

func (b *rabbit) stop() error {
	if b.conn != nil {
		_ = b.conn.Close() // it ends anyway
	}
	return b.run(context.Background(), "stop")
}

// sample takes some of the messages that are in the queue, and throws the others away.
func (b *rabbit) sample(count int) (messages []amqp.Delivery, err error) {
	for len(messages) < count {
		message, ok, err := b.channel.Get(queue, true)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		messages = append(messages, message)
	}
	_, err = b.channel.QueuePurge(queue, false)
	return messages, err
}

// window is how many messages are on their way without a confirm, as in the shop's relay.
const window = 256

// publish sends so many messages like these as fast as the broker confirms them, and returns how long that took.
func (b *rabbit) publish(ctx context.Context, messages []amqp.Delivery, count int) (took time.Duration, err error) {
	channel, err := b.conn.Channel()
	if err != nil {
		return 0, err
	}
	defer channel.Close() //nolint:errcheck // it ends with its connection anyway
	if err := channel.Confirm(false); err != nil {
		return 0, err
	}
	confirms := channel.NotifyPublish(make(chan amqp.Confirmation, window))
	start, open := time.Now(), 0
	await := func(least int) error {
		for ; open > least; open-- {
			if confirm, ok := <-confirms; !ok || !confirm.Ack {
				return errors.New("the broker does not confirm")
			}
		}
		return nil
	}
	for sent := range count {
		m := messages[sent%len(messages)]
		if err := channel.PublishWithContext(ctx, exchange, m.RoutingKey, false, false, amqp.Publishing{Headers: m.Headers,
			ContentType: m.ContentType, DeliveryMode: amqp.Persistent, CorrelationId: m.CorrelationId, MessageId: m.MessageId,
			Timestamp: m.Timestamp, Type: m.Type, AppId: m.AppId, Body: m.Body}); err != nil {
			return 0, err
		}
		open++
		if err := await(window - 1); err != nil {
			return 0, err
		}
	}
	err = await(0)
	return time.Since(start), err
}

// broker measures the shop with RabbitMQ and without, in turn, how fast its relay catches up, and RabbitMQ alone. Without
// a RabbitMQ that can be started there is nothing to measure.
func (r *run) broker(ctx context.Context) (err error) {
	if r.programs.rabbitmq == "" {
		fmt.Println("     left out: there is no RabbitMQ on this machine")
		return nil
	}
	b, err := startRabbit(ctx, r.programs.rabbitmq, r.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	without := newShop("without broker", r.programs.shop, r.dir, nil)
	with := newShop("with broker", r.programs.shop, r.dir, []string{"AMQP_URL=" + b.url()})
	for pair := range r.pairs {
		record, err := r.besideBroker(ctx, without, pair, 0)
		if err != nil {
			return err
		}
		if _, err := r.besideBroker(ctx, with, pair, 0); err != nil {
			return err
		}
		messages, err := b.sample(1000)
		if err != nil {
			return err
		}
		for _, sys := range []*system{without, with} {
			if _, err := r.besideBroker(ctx, sys, pair, int(record.PerSecond)/2); err != nil {
				return err
			}
		}
		caughtUp, err := r.catchUp(ctx, pair, b.url())
		if err != nil {
			return err
		}
		if _, err := b.sample(0); err != nil {
			return err
		}
		if err := r.brokerAlone(ctx, b, pair, messages, caughtUp); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) besideBroker(ctx context.Context, sys *system, pair, rate int) (record Record, err error) {
	err = r.session(ctx, sys, many, func(s server) error {
		record = Record{Part: partBroker, Pair: pair, Clients: usual, Rate: rate}
		if rate > 0 {
			record.Share = 50
		}
		record, err = r.measure(ctx, sys, s, many, record)
		return err
	})
	return record, err
}

// catchUp lets a shop take orders without a broker and then publish all that has gathered; it returns how many messages.
func (r *run) catchUp(ctx context.Context, pair int, url string) (messages int, err error) {
	dir, err := os.MkdirTemp(r.dir, "relay-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	keep := func() error { return nil }
	// The address is one at which nobody answers: with AMQP_URL=off there would be nothing to catch up with.
	gathering, err := openShop(ctx, r.programs.shop, dir, []string{"AMQP_URL=" + unreachable}, keep)
	if err != nil {
		return 0, err
	}
	err = stock(ctx, gathering, many.products)
	if err == nil {
		_, err = r.measure(ctx, &system{name: "broker away"}, gathering, many, Record{Part: partBroker, Pair: pair, Clients: usual})
	}
	if err = errors.Join(err, gathering.Stop()); err != nil {
		return 0, err
	}
	publishing, err := openShop(ctx, r.programs.shop, dir, []string{"AMQP_URL=" + url}, keep)
	if err != nil {
		return 0, err
	}
	record, err := relayed(ctx, publishing)
	if err = errors.Join(err, publishing.Stop()); err != nil {
		return 0, err
	}
	record.Part, record.Pair, record.System, record.Workload = partBroker, pair, "relay", "catching up"
	fmt.Fprintf(os.Stderr, "%-8s relay catching up: %d messages, %.0f/s\n", record.Part, record.Done, record.PerSecond)
	return record.Done, r.add(record)
}

const unreachable = "amqp://guest:guest@127.0.0.1:1/"

// relayed watches the relay at work. A look costs the shop as much as a hundred messages, so there are few, and what counts
// is from the first to the last at which there was something left.
func relayed(ctx context.Context, s *shop) (record Record, err error) {
	var start time.Time
	var first float64
	for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		all, err := metrics(s.URL())
		if err != nil {
			return Record{}, err
		}
		confirmed, behind := all["queuecommerce_messages_confirmed_total"], all["queuecommerce_relay_behind"]
		switch {
		case confirmed == 0: // not connected yet
		case behind > 0 && start.IsZero():
			start, first = time.Now(), confirmed
		case behind > 0:
			record = Record{Done: int(confirmed - first), Seconds: time.Since(start).Seconds()}
		case record.Done == 0:
			return Record{}, errors.New("the relay was done before it could be watched")
		default:
			record.PerSecond = float64(record.Done) / record.Seconds
			return record, nil
		}
	}
	return Record{}, ctx.Err()
}

// brokerAlone has RabbitMQ take as many messages as the relay has just had: with more of them in the queue it is slower.
func (r *run) brokerAlone(ctx context.Context, b *rabbit, pair int, messages []amqp.Delivery, count int) error {
	if len(messages) == 0 {
		return errors.New("the shop has published nothing")
	}
	took, err := b.publish(ctx, messages, count)
	if err != nil {
		return fmt.Errorf("publish to RabbitMQ alone: %w", err)
	}
	bytes := 0
	for _, m := range messages {
		bytes += len(m.Body)
	}
	_, err = b.sample(0)
	record := Record{Part: partBroker, Pair: pair, System: "rabbitmq", Workload: "alone", Done: count, Seconds: took.Seconds(),
		PerSecond: float64(count) / took.Seconds(), Bytes: float64(bytes) / float64(len(messages))}
	fmt.Fprintf(os.Stderr, "%-8s RabbitMQ alone: %.0f messages/s of %.0f bytes\n", record.Part, record.PerSecond, record.Bytes)
	return errors.Join(err, r.add(record))
}
