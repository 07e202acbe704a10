package httpapi

import (
	"context"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

var placedDocument = []byte(`{"_id":"652f1c7a9b3d4e5f60718293","orderNumber":"ORD-KCYMWQV0E60S6","customer":{"customerId":"cust-1","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace"},"items":[{"productId":"prod-1","productName":"Keyboard","quantity":2,"unitPrice":500,"totalPrice":1000}],"subtotal":1000,"tax":100,"shippingCost":1000,"total":2100,"currency":"usd","status":"pending","shippingAddress":{"street":"12 Analytical Row","city":"London","state":"LDN","postalCode":"SW1A 1AA","country":"GB"},"paymentMethod":"pm_card_visa","createdAt":"2026-01-31T12:00:00.500Z","updatedAt":"2026-01-31T12:00:00.500Z","version":2}`)

// BenchmarkPlaceOrder is the front end's own cost of POST /orders, network and entities left out.
func BenchmarkPlaceOrder(b *testing.B) {
	for _, c := range []struct{ name, key string }{{"unkeyed", ""}, {"keyed", "k"}} {
		b.Run(c.name, func(b *testing.B) {
			front := newBench(b, func(config *Config) { config.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
			quote := &messages.Reply{Detail: &messages.Reply_Quote{Quote: &messages.Quote{Price: 500, Currency: "usd", Active: true}}}
			placed := &messages.Reply{Version: 2, Document: placedDocument}
			front.config.Asker = answers(func(kind string) *messages.Reply {
				if kind == kindProduct {
					return quote
				}
				return placed
			})
			var rc fasthttp.RequestCtx
			b.ReportAllocs()
			for b.Loop() {
				rc.Request.Reset()
				rc.Response.Reset()
				rc.Request.Header.SetMethod("POST")
				rc.Request.SetRequestURI("/orders")
				rc.Request.Header.SetContentType("application/json")
				if c.key != "" {
					rc.Request.Header.Set("Idempotency-Key", c.key)
				}
				rc.Request.SetBodyString(goodOrder)
				front.serve(&rc)
				if rc.Response.StatusCode() != 201 {
					b.Fatal(rc.Response.StatusCode(), string(rc.Response.Body()))
				}
			}
		})
	}
}

// BenchmarkCheckAndDecode is the part of it that checks and decodes the body.
func BenchmarkCheckAndDecode(b *testing.B) {
	front := newBench(b, nil)
	registry := front.document.Components.Schemas
	shape := compile(registry, registry.Map()["PlaceOrder"], reflect.TypeFor[placeOrderBody]())
	body := []byte(goodOrder)
	b.ReportAllocs()
	for b.Loop() {
		var in placeOrderBody
		if complaints := readJSON(body, shape, reflect.ValueOf(&in).Elem()); len(complaints) > 0 {
			b.Fatal(complaints)
		}
	}
}

// BenchmarkListOrders is the front end's own cost of a page of a hundred orders.
func BenchmarkListOrders(b *testing.B) {
	front := newBench(b, func(config *Config) { config.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	for range 101 {
		front.views.documents = append(front.views.documents, storage.Document{ID: someID, Created: time.Now(), Body: placedDocument})
	}
	var rc fasthttp.RequestCtx
	b.ReportAllocs()
	for b.Loop() {
		front.views.filters, front.views.skips = nil, nil
		rc.Request.Reset()
		rc.Response.Reset()
		rc.Request.SetRequestURI("/orders?limit=100&status=pending")
		front.serve(&rc)
		if rc.Response.StatusCode() != 200 || !strings.Contains(string(rc.Response.Header.Peek("Link")), "cursor") {
			b.Fatal(rc.Response.StatusCode())
		}
	}
}

type answers func(kind string) *messages.Reply

func (a answers) Ask(_ context.Context, kind, _ string, _ *messages.Command) (*messages.Reply, error) {
	return a(kind), nil
}
