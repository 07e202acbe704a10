package bridge

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// Patterns that other systems may send.
const (
	patternReserve = "inventory.reservation.requested"
	patternPay     = "payment.process.requested"
)

const (
	maxBody     = 1 << 20
	maxItems    = 1000
	maxQuantity = 1_000_000
	maxPrice    = 1_000_000_000_000
	maxMinutes  = 30 * 24 * 60
)

// ReserveCommand is the data of an inbound inventory.reservation.requested. Unknown keys are let through.
type ReserveCommand struct {
	OrderID                   string        `json:"orderId"`
	CustomerID                string        `json:"customerId"`
	Items                     []CommandItem `json:"items"`
	ReservationTimeoutMinutes *int64        `json:"reservationTimeoutMinutes,omitempty" doc:"1 to 43200; the shop's default where there is none"`
}

// PayCommand is the data of an inbound payment.process.requested. Unknown keys are let through.
type PayCommand struct {
	OrderID         string        `json:"orderId"`
	CustomerID      string        `json:"customerId"`
	Amount          int64         `json:"amount" doc:"minor units, above 0"`
	Currency        string        `json:"currency,omitempty" doc:"lower case ISO 4217; the shop's where there is none"`
	CustomerEmail   string        `json:"customerEmail"`
	OrderItems      []CommandItem `json:"orderItems"`
	PaymentMethodID string        `json:"paymentMethodId,omitempty" doc:"pm_...: charged at once; else the payment waits to be confirmed"`
}

// CommandItem is a line of a command.
type CommandItem struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName,omitempty"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice,omitempty" doc:"minor units"`
}

// inbound is a valid command and the entity that it is for.
type inbound struct {
	pattern, kind, identity string
	command                 *messages.Command
}

// invalid says that a message can never be carried out.
type invalid struct{ reason string }

func (e *invalid) Error() string { return e.reason }

func invalidf(format string, args ...any) error { return &invalid{fmt.Sprintf(format, args...)} }

// parse turns a message body into a command. Its errors are all *invalid, for the dead-letter header: they name keys and
// limits, never what the message said.
func parse(body []byte, currency string, newID func() string) (inbound, error) {
	if len(body) > maxBody {
		return inbound{}, invalidf("body is longer than %d bytes", maxBody)
	}
	var e struct {
		Pattern string          `json:"pattern"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return inbound{}, invalidf(`body is not {"pattern":...,"data":{...}}`)
	}
	switch e.Pattern {
	case patternReserve:
		var c ReserveCommand
		if err := decode(e.Data, &c); err != nil {
			return inbound{}, err
		}
		return reserve(c)
	case patternPay:
		c := PayCommand{Currency: currency}
		if err := decode(e.Data, &c); err != nil {
			return inbound{}, err
		}
		return pay(c, newID)
	}
	return inbound{}, invalidf("pattern must be %s or %s", patternReserve, patternPay)
}

func decode(data json.RawMessage, into any) error {
	if len(data) == 0 || data[0] != '{' {
		return invalidf("data must be an object")
	}
	err := json.Unmarshal(data, into)
	if typed, ok := err.(*json.UnmarshalTypeError); ok {
		return invalidf("data.%s must not be a %s", typed.Field, strings.Fields(typed.Value + " value")[0])
	}
	if err != nil {
		return invalidf("data is not JSON")
	}
	return nil
}

func reserve(c ReserveCommand) (inbound, error) {
	var v check
	v.text("data.orderId", c.OrderID, 1, 100)
	v.text("data.customerId", c.CustomerID, 3, 50)
	v.that(len(c.Items) > 0, "data.items must contain at least 1 elements")
	lines := v.items("data.items", c.Items)
	var timeout int64
	if c.ReservationTimeoutMinutes != nil {
		timeout = *c.ReservationTimeoutMinutes
		v.number("data.reservationTimeoutMinutes", timeout, 1, maxMinutes)
	}
	if err := v.err(); err != nil {
		return inbound{}, err
	}
	return inbound{pattern: patternReserve, kind: "order", identity: domain.OrderIdentity(c.OrderID), command: &messages.Command{
		Body: &messages.Command_RequestReservation{RequestReservation: &messages.RequestReservation{
			OrderId: c.OrderID, CustomerId: c.CustomerID, Lines: lines, TimeoutMinutes: timeout}}}}, nil
}

func pay(c PayCommand, newID func() string) (inbound, error) {
	var v check
	v.text("data.orderId", c.OrderID, 1, 100)
	v.text("data.customerId", c.CustomerID, 3, 50)
	v.that(c.Amount > 0, "data.amount must be at least 1")
	v.that(isCurrency(c.Currency), "data.currency must be 3 lower case letters")
	v.email("data.customerEmail", c.CustomerEmail)
	v.that(c.OrderItems != nil, "data.orderItems must be an array")
	lines := v.items("data.orderItems", c.OrderItems)
	if c.PaymentMethodID != "" {
		v.text("data.paymentMethodId", c.PaymentMethodID, 3, 50)
	}
	if err := v.err(); err != nil {
		return inbound{}, err
	}
	method := c.PaymentMethodID
	if !strings.HasPrefix(method, "pm_") {
		method = ""
	}
	return inbound{pattern: patternPay, kind: "payment", identity: domain.OrderIdentity(c.OrderID), command: &messages.Command{
		Body: &messages.Command_RequestPayment{RequestPayment: &messages.RequestPayment{
			Id: newID(), OrderId: c.OrderID, CustomerId: c.CustomerID, CustomerEmail: c.CustomerEmail, Amount: c.Amount,
			Currency: c.Currency, Lines: lines, Method: method}}}}, nil
}

// check gathers every bad field.
type check struct{ bad []string }

func (v *check) that(ok bool, format string, args ...any) {
	if !ok && len(v.bad) < 20 {
		v.bad = append(v.bad, fmt.Sprintf(format, args...))
	}
}

func (v *check) text(key, value string, shortest, longest int) {
	n := utf8.RuneCountInString(value)
	v.that(n >= shortest && n <= longest, "%s must be %d to %d characters long", key, shortest, longest)
	v.that(utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl), "%s must not contain control characters", key)
}

func (v *check) number(key string, value, lowest, highest int64) {
	v.that(value >= lowest, "%s must be at least %d", key, lowest)
	v.that(value <= highest, "%s must be at most %d", key, highest)
}

func (v *check) email(key, value string) {
	address, err := mail.ParseAddress(value)
	v.that(err == nil && address.Address == value && len(value) <= 254, "%s must be an email address", key)
}

func (v *check) items(key string, items []CommandItem) []*messages.ReservationLine {
	v.that(len(items) <= maxItems, "%s must contain at most %d elements", key, maxItems)
	lines := make([]*messages.ReservationLine, 0, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s.%d.", key, i)
		v.text(at+"productId", item.ProductID, 3, 100)
		v.text(at+"productName", item.ProductName, 0, 200)
		v.number(at+"quantity", item.Quantity, 1, maxQuantity)
		v.number(at+"unitPrice", item.UnitPrice, 0, maxPrice)
		lines = append(lines, &messages.ReservationLine{ProductId: item.ProductID, ProductName: item.ProductName,
			Quantity: item.Quantity, UnitPrice: item.UnitPrice})
	}
	return lines
}

func (v *check) err() error {
	if len(v.bad) == 0 {
		return nil
	}
	return &invalid{strings.Join(v.bad, "; ")}
}

func isCurrency(text string) bool {
	return len(text) == 3 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
}
