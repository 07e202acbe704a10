package bridge

import (
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Names that subscribers and other systems rely on.
const (
	EventsExchange   = "queuecommerce.events"
	CommandsExchange = "queuecommerce.commands"
	CommandsQueue    = "queuecommerce.commands"
	DeadQueue        = "queuecommerce.commands.dead"

	// Queues of older consumers, declared on demand.
	InventoryQueue = "inventory_queue"
	PaymentsQueue  = "payment_events_queue"
)

// ErrTopology says that the broker has an exchange or queue of that name with other arguments. Somebody has to delete
// it, or to leave it to us; until then nothing is published or consumed.
var ErrTopology = errors.New("exists on the broker with other arguments")

type queue struct {
	name string
	args amqp.Table
}

type binding struct{ queue, key, exchange string }

type topology struct {
	exchanges []string // durable, topic
	queues    []queue  // durable
	bindings  []binding
}

func eventsTopology(queues bool) topology {
	t := topology{exchanges: []string{EventsExchange}}
	if queues {
		// No arguments: older consumers declare these queues themselves, and theirs must be equal.
		t.queues = []queue{{name: InventoryQueue}, {name: PaymentsQueue}}
		t.bindings = []binding{
			{InventoryQueue, "order.#", EventsExchange},
			{InventoryQueue, "inventory.#", EventsExchange},
			{PaymentsQueue, "payment.#", EventsExchange},
		}
	}
	return t
}

func commandsTopology() topology {
	return topology{
		exchanges: []string{CommandsExchange},
		queues: []queue{
			{DeadQueue, amqp.Table{"x-queue-type": "quorum"}},
			// A command waits for as long as a dependency is away, over any number of lost connections. Newer brokers
			// would drop it after 20; what reaches even this limit is parked.
			{CommandsQueue, amqp.Table{"x-queue-type": "quorum", "x-delivery-limit": int32(1_000_000),
				"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DeadQueue}},
		},
		bindings: []binding{
			{CommandsQueue, patternReserve, CommandsExchange},
			{CommandsQueue, patternPay, CommandsExchange},
		},
	}
}

// declare makes what is missing and leaves what is there. It wraps ErrTopology where what is there differs.
func (t topology) declare(conn *amqp.Connection) error {
	ch, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("open channel: %w", err)
	}
	defer ch.Close()
	for _, name := range t.exchanges {
		if err := ch.ExchangeDeclare(name, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
			return fmt.Errorf("declare exchange %s: %w", name, conflict(err))
		}
	}
	for _, q := range t.queues {
		if _, err := ch.QueueDeclare(q.name, true, false, false, false, q.args); err != nil {
			return fmt.Errorf("declare queue %s: %w", q.name, conflict(err))
		}
	}
	for _, b := range t.bindings {
		if err := ch.QueueBind(b.queue, b.key, b.exchange, false, nil); err != nil {
			return fmt.Errorf("bind queue %s to %s: %w", b.queue, b.key, err)
		}
	}
	return nil
}

func conflict(err error) error {
	var answer *amqp.Error
	if errors.As(err, &answer) && answer.Code == amqp.PreconditionFailed {
		return fmt.Errorf("%w: %s", ErrTopology, answer.Reason)
	}
	return err
}
