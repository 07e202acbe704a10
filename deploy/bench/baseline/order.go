package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

type customer struct {
	CustomerID string `json:"customerId"`
	Email      string `json:"email"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	Phone      string `json:"phone,omitempty"`
}

type address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"`
}

type item struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName,omitempty"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   *int64 `json:"unitPrice,omitempty"`
}

// request is the body of POST /orders.
type request struct {
	Customer        customer `json:"customer"`
	Items           []item   `json:"items"`
	ShippingAddress address  `json:"shippingAddress"`
	PaymentMethod   string   `json:"paymentMethod"`
	Currency        string   `json:"currency,omitempty"`
	Notes           string   `json:"notes,omitempty"`
}

type line struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice"`
	TotalPrice  int64  `json:"totalPrice"`
}

// order is the answer.
type order struct {
	ID              string    `json:"_id"`
	OrderNumber     string    `json:"orderNumber"`
	Customer        customer  `json:"customer"`
	Items           []line    `json:"items"`
	Subtotal        int64     `json:"subtotal"`
	Tax             int64     `json:"tax"`
	ShippingCost    int64     `json:"shippingCost"`
	Total           int64     `json:"total"`
	Currency        string    `json:"currency"`
	Status          string    `json:"status"`
	ShippingAddress address   `json:"shippingAddress"`
	PaymentMethod   string    `json:"paymentMethod"`
	Notes           string    `json:"notes,omitempty"`
	CreatedAt       time.Time `json:"createdAt"`
	UpdatedAt       time.Time `json:"updatedAt"`
	Version         int       `json:"version"`
}

// Refusals; their texts are for the client.
type (
	errInput    struct{ string }
	errConflict struct{ string }
)

func (e errInput) Error() string    { return e.string }
func (e errConflict) Error() string { return e.string }

var errNotFound = errors.New("there is no such order")

// decode reads a body, and refuses unknown properties.
func decode(body []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return errInput{err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errInput{"there is something behind the body"}
	}
	return nil
}

// check is what a validator library would do, without its reflection.
func (r *request) check() error {
	var faults []string
	text := func(name, value string, least, most int) {
		if n := utf8.RuneCountInString(value); n < least || n > most {
			faults = append(faults, fmt.Sprintf("%s must be %d to %d characters", name, least, most))
		}
	}
	text("customer.customerId", r.Customer.CustomerID, 3, 50)
	text("customer.firstName", r.Customer.FirstName, 1, 50)
	text("customer.lastName", r.Customer.LastName, 1, 50)
	if at := strings.IndexByte(r.Customer.Email, '@'); at < 1 || !strings.Contains(r.Customer.Email[at:], ".") || len(r.Customer.Email) > 254 {
		faults = append(faults, "customer.email must be an email address")
	}
	if r.Customer.Phone != "" {
		text("customer.phone", r.Customer.Phone, 10, 20)
	}
	text("shippingAddress.street", r.ShippingAddress.Street, 5, 200)
	text("shippingAddress.city", r.ShippingAddress.City, 2, 50)
	text("shippingAddress.state", r.ShippingAddress.State, 2, 50)
	text("shippingAddress.postalCode", r.ShippingAddress.PostalCode, 3, 20)
	text("shippingAddress.country", r.ShippingAddress.Country, 2, 50)
	text("paymentMethod", r.PaymentMethod, 3, 50)
	text("notes", r.Notes, 0, 500)
	if len(r.Items) == 0 {
		faults = append(faults, "items must not be empty")
	}
	for i, item := range r.Items {
		if item.ProductID == "" || item.Quantity < 1 {
			faults = append(faults, fmt.Sprintf("items.%d needs a productId and a quantity of at least 1", i))
		}
	}
	if len(faults) > 0 {
		return errInput{strings.Join(faults, "; ")}
	}
	return nil
}

// demand is how much of each product an order wants, sorted by product, each product once.
type demand struct {
	products   []string
	quantities []int64
	seen       []*int64 // the price that the buyer saw; nil: not said
}

func (r *request) demand() demand {
	items := slices.Clone(r.Items)
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.ProductID, b.ProductID) })
	var d demand
	for _, item := range items {
		if n := len(d.products); n > 0 && d.products[n-1] == item.ProductID {
			d.quantities[n-1] += item.Quantity
			continue
		}
		d.products, d.quantities, d.seen = append(d.products, item.ProductID), append(d.quantities, item.Quantity), append(d.seen, item.UnitPrice)
	}
	return d
}

// newOrder is what the request says, before prices are known.
func newOrder(r *request, now time.Time) *order {
	id := newID(now)
	return &order{ID: id, OrderNumber: "ORD-" + strings.ToUpper(id[8:21]), Customer: r.Customer, Status: "confirmed",
		ShippingAddress: r.ShippingAddress, PaymentMethod: r.PaymentMethod, Notes: r.Notes, CreatedAt: now, UpdatedAt: now, Version: 1}
}

const (
	taxPercent = 10
	shipping   = 1000
)

// price adds the lines and what they cost.
func (o *order) price(lines []line, currency string) {
	o.Items, o.Currency, o.ShippingCost = lines, currency, shipping
	for i := range lines {
		lines[i].TotalPrice = lines[i].UnitPrice * lines[i].Quantity
		o.Subtotal += lines[i].TotalPrice
	}
	o.Tax = (o.Subtotal*taxPercent + 50) / 100
	o.Total = o.Subtotal + o.Tax + o.ShippingCost
}

// newID is 24 hex digits that sort by time.
func newID(now time.Time) string {
	var raw [12]byte
	rand.Read(raw[4:]) //nolint:errcheck // never fails
	binary.BigEndian.PutUint32(raw[:4], uint32(now.Unix()))
	return hex.EncodeToString(raw[:])
}
