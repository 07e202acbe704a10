package bridge

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
)

// Message is one integration event, ready to be published.
type Message struct {
	ID            string // "<stream>|<sequence>"; never changes
	Pattern       string // the catalogue's name of the event: routing key and AMQP type
	Aggregate     string // the stream, "order/4b1c..."
	Sequence      uint64 // rising per aggregate, with gaps
	CorrelationID string // the order's id, empty where there is none
	Traceparent   string // W3C trace context, may be empty
	At            time.Time
	Body          []byte // {"pattern":...,"data":{...}}
}

// Origin says where a stored event stands, and what the event itself does not say.
type Origin struct {
	Stream   storage.Stream
	Sequence uint64
	OrderID  string // see NeedsOrderID
	Trace    string // the entry's
}

// ErrNoOrderID says that the event's Origin lacks the order's id.
var ErrNoOrderID = errors.New("order id missing")

// envelope is the body of every message, in both directions.
type envelope struct {
	Pattern string          `json:"pattern"`
	Data    domain.Appender `json:"data"`
}

// Catalogue returns the integration event that a stored event makes, or false if it makes none. The same input always
// gives the same message. An event that this version does not know is an error, never skipped: a newer version may have
// made it part of the catalogue.
func Catalogue(o Origin, e storage.Event) (Message, bool, error) {
	r, ok := rules[e.Type]
	if !ok {
		return Message{}, false, known(o.Stream.Kind(), e.Type)
	}
	if r.needsOrderID && o.OrderID == "" {
		return Message{}, false, fmt.Errorf("integrate %s %d: %w", o.Stream, o.Sequence, ErrNoOrderID)
	}
	orderID, data, err := r.translate(o, e)
	if err != nil {
		return Message{}, false, fmt.Errorf("integrate %s %d: %w", o.Stream, o.Sequence, err)
	}
	return Message{
		ID: messageID(o.Stream, o.Sequence), Pattern: r.pattern, Aggregate: string(o.Stream), Sequence: o.Sequence, CorrelationID: orderID,
		Traceparent: o.Trace, At: e.At, Body: domain.JSON(envelope{Pattern: r.pattern, Data: data}),
	}, true, nil
}

// messageID leaves room for an alias in AMQP's 255 bytes; a longer stream name is replaced by its hash.
func messageID(stream storage.Stream, sequence uint64) string {
	const room = 255 - len("|18446744073709551615|inventory.insufficient")
	name := string(stream)
	if len(name) > room {
		sum := sha256.Sum256([]byte(name))
		name = stream.Kind() + "/sha256:" + hex.EncodeToString(sum[:])
	}
	return name + "|" + strconv.FormatUint(sequence, 10)
}

// NeedsOrderID says whether events of that type do not carry their order's id, so that Origin must.
func NeedsOrderID(eventType string) bool { return rules[eventType].needsOrderID }

// aliases are second names that some older consumers listen to.
var aliases = map[string]string{
	"inventory.reservation.failed": "inventory.insufficient",
	"payment.confirmed":            "payment.succeeded",
}

// Alias returns the message once more under the name that older consumers know it by, with an id of its own; false if
// it has only one name.
func (m Message) Alias() (Message, bool) {
	name, ok := aliases[m.Pattern]
	if !ok {
		return Message{}, false
	}
	rest := m.Body[len(`{"pattern":"`)+len(m.Pattern):]
	body := make([]byte, 0, len(m.Body)+len(name))
	body = append(body, `{"pattern":"`...)
	body = append(body, name...)
	m.Body = append(body, rest...)
	m.ID += "|" + name
	m.Pattern = name
	return m, true
}

// rule makes integration events of one pattern from stored events of one type.
type rule struct {
	pattern      string
	data         domain.Appender // zero value of the data's type, for the document
	needsOrderID bool
	translate    func(Origin, storage.Event) (orderID string, data domain.Appender, err error)
}

type codec[E any] interface {
	Decode(eventType string, schema int, data []byte) (E, error)
}

// from makes a rule out of a plain function from a stored event T of family E to data D.
func from[T, E any, D domain.Appender](c codec[E], pattern string, integrate func(e T, orderID string) (string, D)) rule {
	var zero D
	return rule{pattern: pattern, data: zero, translate: func(o Origin, e storage.Event) (string, domain.Appender, error) {
		event, err := c.Decode(e.Type, e.Schema, e.Data)
		if err != nil {
			return "", nil, err
		}
		id, data := integrate(any(event).(T), o.OrderID)
		return id, data, nil
	}}
}

func withOrderID(r rule) rule {
	r.needsOrderID = true
	return r
}

// The catalogue. One stored event makes at most one integration event.
var rules = map[string]rule{
	order.Placed{}.EventType():               from(order.Codec, "order.created", orderCreated),
	order.ReservationRequested{}.EventType(): from(order.Codec, "inventory.reservation.requested", reservationRequested),
	order.Reserved{}.EventType():             from(order.Codec, "inventory.reserved", inventoryReserved),
	order.ReservationFailed{}.EventType():    from(order.Codec, "inventory.reservation.failed", reservationFailed),
	order.ReservationReleased{}.EventType():  from(order.Codec, "inventory.released", inventoryReleased),
	order.ReservationConfirmed{}.EventType(): from(order.Codec, "inventory.confirmed", inventoryConfirmed),
	order.PaymentRequested{}.EventType():     from(order.Codec, "payment.process.requested", paymentRequested),
	order.Confirmed{}.EventType():            withOrderID(from(order.Codec, "order.updated", orderConfirmed)),
	order.StatusChanged{}.EventType():        withOrderID(from(order.Codec, "order.updated", orderStatusChanged)),
	order.Amended{}.EventType():              withOrderID(from(order.Codec, "order.updated", orderAmended)),
	order.Cancelled{}.EventType():            withOrderID(from(order.Codec, "order.cancelled", orderCancelled)),
	product.LowStock{}.EventType():           from(product.Codec, "inventory.low_stock_alert", lowStockAlert),
	payment.IntentCreated{}.EventType():      from(payment.Codec, "payment.intent.created", intentCreated),
	payment.Succeeded{}.EventType():          from(payment.Codec, "payment.confirmed", paymentConfirmed),
	payment.Failed{}.EventType():             from(payment.Codec, "payment.failed", paymentFailed),
	payment.Refunded{}.EventType():           from(payment.Codec, "payment.refunded", paymentRefunded),
}

// inner are the stored types that have no public version.
var inner = func() map[string]bool {
	types := map[string]bool{}
	for _, list := range [][]string{order.Codec.Types(), product.Codec.Types(), payment.Codec.Types()} {
		for _, t := range list {
			if _, public := rules[t]; !public {
				types[t] = true
			}
		}
	}
	return types
}()

// known returns an error for an event type that a newer version must have written.
func known(kind, eventType string) error {
	if inner[eventType] || !public(kind) {
		return nil
	}
	return fmt.Errorf("event type %s: unknown to this version", eventType)
}

// public says whether entities of that kind have integration events at all.
func public(kind string) bool { return kind == "order" || kind == "product" || kind == "payment" }
