package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/queuecommerce/queuecommerce/messages"
)

// Asker asks an entity. An error means that the outcome is unknown or that nobody could be asked; the same command may
// be asked again.
type Asker interface {
	Ask(ctx context.Context, kind, identity string, command *messages.Command) (*messages.Reply, error)
}

// ConsumerConfig says where commands come from. Zero values of the optional fields give the defaults.
type ConsumerConfig struct {
	URL      string // amqp:// or amqps://; empty: nothing is consumed
	Name     string // of this member, shown in the broker's lists of connections and consumers
	Currency string // of payments that name none; usd

	Parallel    int           // commands carried out at one time; 16
	AskTimeout  time.Duration // for one attempt; 10 s
	MinBackoff  time.Duration // between two attempts; 200 ms
	MaxBackoff  time.Duration // 10 s
	StopTimeout time.Duration // what is in flight when Run has to stop gets so long to finish; 5 s
}

func (c ConsumerConfig) withDefaults() ConsumerConfig {
	if c.Currency == "" {
		c.Currency = "usd"
	}
	orDefault(&c.Parallel, 16)
	orDefault(&c.AskTimeout, 10*time.Second)
	orDefault(&c.MinBackoff, 200*time.Millisecond)
	orDefault(&c.MaxBackoff, 10*time.Second)
	orDefault(&c.StopTimeout, 5*time.Second)
	return c
}

// Consumer carries out commands of other systems. A message is acknowledged only after the entity answered, that is,
// after the effect is durable; before that a crash brings it back, and the entity knows the order's id. What can never
// be carried out is parked in the dead-letter queue with the reason. Any number of members consume the one queue: what a
// dead one had not acknowledged goes to the others.
type Consumer struct {
	config ConsumerConfig
	asker  Asker
	newID  func() string
	logger *slog.Logger

	connected              atomic.Bool
	carriedOut, deadLetter atomic.Uint64
}

// NewConsumer makes a consumer that does nothing before Run. newID makes the _id of a new payment.
func NewConsumer(config ConsumerConfig, asker Asker, newID func() string, logger *slog.Logger) *Consumer {
	return &Consumer{config: config.withDefaults(), asker: asker, newID: newID, logger: logger}
}

// Connected says whether commands are being consumed.
func (c *Consumer) Connected() bool { return c.connected.Load() }

// Handled returns how many messages were acknowledged: carried out, and parked.
func (c *Consumer) Handled() (carriedOut, deadLetters uint64) {
	return c.carriedOut.Load(), c.deadLetter.Load()
}

// Run consumes until ctx ends, finishes what is in flight or leaves it to the broker, and returns nil. A broker that is
// away is no error.
func (c *Consumer) Run(ctx context.Context) error {
	if c.config.URL == "" {
		<-ctx.Done()
		return nil
	}
	wait := backoff{min: c.config.MinBackoff, max: c.config.MaxBackoff}
	first := true
	for ctx.Err() == nil {
		began := time.Now()
		err := c.session(ctx)
		c.connected.Store(false)
		if ctx.Err() != nil {
			break
		}
		c.logger.Log(ctx, severity(err, first), "consumer has no broker, will connect again", "err", err)
		first = false
		if time.Since(began) > c.config.MaxBackoff {
			first = true
			wait.reset()
		}
		if !wait.pause(ctx) {
			break
		}
	}
	return nil
}

// setupTimeout is how long the broker may take to have a consumer; then it is tried again.
const setupTimeout = 15 * time.Second

// session consumes over one connection.
func (c *Consumer) session(ctx context.Context) error {
	conn, err := dial(ctx, c.config.URL, "queuecommerce consumer "+c.config.Name, heartbeat)
	if err != nil {
		return err
	}
	defer conn.abort()
	// Setting up must not hold us: a broker whose queue has no leader yet takes its time to answer.
	settingUp, ready := context.WithTimeout(ctx, setupTimeout)
	defer ready()
	giveUp := context.AfterFunc(settingUp, func() { conn.wire.Conn.Close() })
	defer giveUp()
	if err := commandsTopology().declare(conn.Connection); err != nil {
		return err
	}
	channel, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	if err := channel.Qos(c.config.Parallel, 0, false); err != nil {
		return fmt.Errorf("set prefetch: %w", err)
	}
	morgue, err := newMorgue(conn)
	if err != nil {
		return err
	}
	closed := channel.NotifyClose(make(chan *amqp.Error, 1))
	canceled := channel.NotifyCancel(make(chan string, 1))
	deliveries, err := channel.Consume(CommandsQueue, c.tag(), false, false, false, false, nil)
	if err != nil {
		return fmt.Errorf("consume %s: %w", CommandsQueue, err)
	}
	if !giveUp() {
		return errors.New("the broker took too long to set up the consumer")
	}
	c.connected.Store(true)
	c.logger.InfoContext(ctx, "consumer connected")

	// going ends new attempts; working, a while later, also what is in flight.
	going, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	working, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	var workers sync.WaitGroup
	for range c.config.Parallel {
		workers.Go(func() {
			for d := range deliveries {
				if going.Err() != nil {
					continue // the broker keeps it for the next consumer
				}
				if err := c.handle(going, working, d, morgue); err != nil {
					stop(err)
				}
			}
		})
	}
	select {
	case <-going.Done():
		err = context.Cause(going)
	case lost := <-closed:
		err = errors.New("connection lost")
		if lost != nil {
			err = fmt.Errorf("connection lost: %w", lost)
		}
	case <-canceled:
		err = fmt.Errorf("queue %s is gone", CommandsQueue)
	}
	stop(err)
	c.finish(conn, channel, &workers, abandon)
	if ctx.Err() != nil {
		conn.close()
	}
	return err
}

// tag tells people whose consumer it is.
func (c *Consumer) tag() string { return "queuecommerce." + c.config.Name }

// finish lets the workers complete what they are at, for a while, and then waits for them.
func (c *Consumer) finish(conn *connection, channel *amqp.Channel, workers *sync.WaitGroup, abandon func()) {
	grace := time.AfterFunc(c.config.StopTimeout, func() {
		abandon()
		conn.abort() // a broker that does not answer must not hold us either
	})
	defer grace.Stop()
	if err := channel.Cancel(c.tag(), false); err != nil {
		channel.Close() // ends the deliveries where the broker can't
	}
	c.connected.Store(false)
	workers.Wait()
}

// handle carries out one message. An error means that the session can't go on.
func (c *Consumer) handle(going, working context.Context, d amqp.Delivery, morgue *morgue) error {
	in, err := parse(d.Body, c.config.Currency, c.newID)
	if err != nil {
		return c.bury(working, d, morgue, err.Error())
	}
	in.command.Traceparent, _ = d.Headers["traceparent"].(string)
	in.command.Cause = "message " + in.pattern
	wait := backoff{min: c.config.MinBackoff, max: c.config.MaxBackoff}
	for attempt := 1; ; attempt++ {
		verdict, detail := c.ask(working, in)
		switch verdict {
		case done:
			c.carriedOut.Add(1)
			return d.Ack(false)
		case poison:
			return c.bury(working, d, morgue, detail)
		}
		c.logger.WarnContext(working, "command not carried out yet, will be tried again",
			"kind", in.kind, "identity", in.identity, "attempt", attempt, "err", detail)
		if !wait.pause(going) {
			return nil // not acknowledged: the broker delivers it again
		}
	}
}

type verdict int

const (
	again  verdict = iota // nobody knows, or not now
	done                  // the effect is durable
	poison                // it can never be carried out
)

// Kinds of messages.Refusal that matter here.
const (
	refusalDeclined    = 4
	refusalUnavailable = 6
	refusalRetry       = 7
)

func (c *Consumer) ask(ctx context.Context, in inbound) (verdict, string) {
	ctx, cancel := context.WithTimeout(ctx, c.config.AskTimeout)
	defer cancel()
	reply, err := c.asker.Ask(ctx, in.kind, in.identity, in.command)
	if err != nil {
		return again, err.Error()
	}
	refusal := reply.GetRefusal()
	switch refusal.GetKind() {
	case 0, refusalDeclined: // a declined card is a result, and left as an event
		return done, ""
	case refusalUnavailable, refusalRetry:
		return again, refusal.GetCode()
	}
	return poison, refusal.GetCode() + ": " + refusal.GetDetail()
}

// bury parks a message, and acknowledges it only when the broker has it there.
func (c *Consumer) bury(ctx context.Context, d amqp.Delivery, morgue *morgue, reason string) error {
	if err := morgue.park(ctx, d, reason); err != nil {
		return fmt.Errorf("park message: %w", err)
	}
	c.deadLetter.Add(1)
	c.logger.WarnContext(ctx, "command parked", "message_id", d.MessageId, "reason", reason)
	return d.Ack(false)
}
