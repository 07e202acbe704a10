package bridge

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// what says in a sentence when each event happens.
var what = map[string]string{
	"order.created":                   "An order was placed; its status is pending.",
	"order.updated":                   "An order has another status, or its notes or address were changed.",
	"order.cancelled":                 "An order ended: refused, expired, never paid, or cancelled.",
	"inventory.reservation.requested": "The lines of an order are being held from now on.",
	"inventory.reserved":              "Every line of an order is held until expiresAt.",
	"inventory.reservation.failed":    "A line could not be held; nothing stays held for the order.",
	"inventory.released":              "The lines of an order are available again.",
	"inventory.confirmed":             "The lines of an order have left the stock.",
	"inventory.low_stock_alert":       "What is available of a product has fallen to its threshold.",
	"payment.process.requested":       "The payment of an order may be made from now on.",
	"payment.intent.created":          "The payment provider has an intent for the payment.",
	"payment.confirmed":               "The money is here.",
	"payment.failed":                  "An attempt to pay was declined.",
	"payment.refunded":                "Money was given back.",
}

type object = map[string]any

// AsyncAPI returns the AsyncAPI 3.0 document of everything that is published and consumed, as JSON, made from the
// catalogue and its Go types.
func AsyncAPI(version string) ([]byte, error) {
	channels, operations, messages, schemas := object{}, object{}, object{}, object{}
	add := func(direction, exchange, pattern, text string, data any, headers string) {
		name := direction + camel(pattern)
		schemas[name] = body(pattern, reflect.TypeOf(data))
		messages[name] = object{
			"name": pattern, "title": pattern, "summary": text, "contentType": "application/json",
			"headers": ref("schemas", headers), "payload": ref("schemas", name),
			"bindings": object{"amqp": object{"messageType": pattern, "bindingVersion": "0.3.0"}},
		}
		channels[name] = object{
			"address": pattern, "description": text, "messages": object{name: ref("messages", name)},
			"bindings": object{"amqp": object{"is": "routingKey", "bindingVersion": "0.3.0",
				"exchange": object{"name": exchange, "type": "topic", "durable": true, "autoDelete": false}}},
		}
		operations[name] = object{
			"action": direction, "summary": text, "channel": object{"$ref": "#/channels/" + name},
			"messages": []object{{"$ref": "#/channels/" + name + "/messages/" + name}},
		}
	}
	for pattern, data := range published() {
		add("send", EventsExchange, pattern, what[pattern], data, "EventHeaders")
	}
	add("receive", CommandsExchange, patternReserve, "Reserve stock for an order of another system; idempotent by orderId.", ReserveCommand{}, "CommandHeaders")
	add("receive", CommandsExchange, patternPay, "Take the payment of an order of another system; idempotent by orderId.", PayCommand{}, "CommandHeaders")
	schemas["EventHeaders"], schemas["CommandHeaders"] = eventHeaders(), commandHeaders()

	document, err := json.MarshalIndent(object{
		"asyncapi":           "3.0.0",
		"info":               object{"title": "QueueCommerce events", "version": version, "description": overview},
		"defaultContentType": "application/json",
		"channels":           channels, "operations": operations,
		"components": object{"messages": messages, "schemas": schemas},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("build asyncapi document: %w", err)
	}
	return document, nil
}

const overview = `Every message's body is {"pattern":"<name>","data":{...}}, and its routing key and AMQP type are that name.

Events leave on the durable topic exchange queuecommerce.events, at least once, persistent, in order per aggregate. A repeat has the message-id of the first: drop what was seen. correlation-id is the order's id where there is one, app-id is queuecommerce.

Commands of other systems go to the durable topic exchange queuecommerce.commands. They are acknowledged when their effect is durable; their results leave as events. What can never be carried out is kept in the queue queuecommerce.commands.dead, with the reason in the header "reason".

Where switched on, inventory.reservation.failed and payment.confirmed are also sent as inventory.insufficient and payment.succeeded, with ids of their own.`

// published returns every pattern of the catalogue with the zero value of its data.
func published() map[string]any {
	all := map[string]any{}
	for _, r := range rules {
		all[r.pattern] = r.data
	}
	return all
}

// Patterns lists the catalogue's patterns, sorted.
func Patterns() []string { return slices.Sorted(maps.Keys(published())) }

func body(pattern string, data reflect.Type) object {
	return object{"type": "object", "required": []string{"pattern", "data"}, "properties": object{
		"pattern": object{"type": "string", "const": pattern}, "data": schemaOf(data)}}
}

func eventHeaders() object {
	return object{"type": "object", "required": []string{"aggregate", "sequence"}, "properties": object{
		"aggregate":   object{"type": "string", "description": "the entity that the event belongs to, such as order/<key>; always the same for one entity"},
		"sequence":    object{"type": "integer", "format": "int64", "description": "rises per aggregate, with gaps"},
		"traceparent": object{"type": "string", "description": "W3C trace context of the request behind the event"},
	}}
}

func commandHeaders() object {
	return object{"type": "object", "properties": object{
		"traceparent": object{"type": "string", "description": "W3C trace context"}}}
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// camel makes a component name of a pattern: "order.created" -> "OrderCreated".
func camel(pattern string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(pattern, func(r rune) bool { return r == '.' || r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
