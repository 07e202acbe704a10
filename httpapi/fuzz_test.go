package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/queuecommerce/queuecommerce/actors/gateway"
)

// seeds are requests that once were, or could be, trouble.
func seeds() [][4]string { // method, target, headers, body
	all := [][4]string{
		{"GET", "/", "", ""}, {"POST", "/orders", "", goodOrder}, {"POST", "/products", "Idempotency-Key: k", goodProduct},
		{"POST", "/payments", "Prefer: wait=1", goodPayment}, {"GET", "/orders?limit=5&page=2", "", ""},
		{"GET", "/orders/" + someID + "?at=2026-01-31T12:00:00+01:00", "", ""}, {"GET", "/orders/" + someID + "/events?after=1", "", ""},
		{"PATCH", "/orders/" + someID, "If-Match: \"1\", W/\"2\"", `{"status":"shipped"}`}, {"DELETE", "/products/" + someID, "If-Match: *", ""},
		{"POST", "/orders/" + someID + "/cancel", "If-Match: \"", `{"reason":"\ud800"}`}, {"GET", "/products/by-product-id/%C3%28%00", "", ""},
		{"GET", "/products/search?q=%F0%9F%98%80+a", "", ""}, {"GET", "/products?isActive=TRUE&inStock=&page=99999999999999", "", ""},
		{"GET", "/products/prod-1/stock-movements?cursor=AAAA", "", ""}, {"GET", "/inventory/reservations/..%2F..%2Fetc", "", ""},
		{"POST", "/inventory/reservations/x/confirm", "Content-Type: text/plain", "{}"}, {"POST", "/payments/pay_x/refund", "", `{"amount":9223372036854775808}`},
		{"POST", "/payments/webhook/stripe", gateway.SignatureHeader + ": t=1,v1=00", "{}"}, {"POST", "/payments/webhook/stripe", "", ""},
		{"POST", "/api/v1/services/order/orders", "Content-Encoding: br", "\x00\x01"}, {"GET", "/api/v1/../orders", "", ""}, {"GET", "//orders//", "", ""},
		{"0", "#", "", "0"}, {"OPTIONS", "/orders", "Origin: http://x", ""}, {"TRACE", "/orders", "", ""}, {"HEAD", "/health", "", ""}, {"FOO", "*", "", ""},
		{"GET", "/docs?x=%", "Accept-Encoding: gzip;q=0", ""}, {"GET", "/orders?cursor=%gg&;&&=", "traceparent: 00-x", ""}, {"PUT", "http://other/orders", "Host: x", ""},
		{"POST", "/orders", "", `{"items":[{"quantity":-0}],"customer":{"email":"@"},"x":{"y":[[[]]]}}`}, {"POST", "/orders", "", `{"a":"\\\"}`}, {"POST", "/orders", "", `[1,2`},
		{"POST", "/products", "", `{"weight":1e400,"price":-0,"productId":"\u0000\uD83D"}`}, {"PATCH", "/products/" + someID, "", `{"isActive":null,"isActive":true}`},
	}
	return all
}

// FuzzRequests: whatever a client sends, the answer is no 5xx and its body is what its content type says.
func FuzzRequests(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s[0], s[1], s[2], s[3])
	}
	b := newBench(f, nil)
	s := b.open()
	b.send(f, "POST", "/products", goodProduct).want(f, 201)
	s.settle("prod-1")
	f.Fuzz(func(t *testing.T, method, target, header, body string) {
		var raw strings.Builder
		fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", word(method), strings.ReplaceAll(word(target), " ", ""), len(body))
		if header = strings.NewReplacer("\r", "", "\n", "").Replace(header); header != "" {
			raw.WriteString(header + "\r\n")
		}
		raw.WriteString("\r\n" + body)
		a := b.sendRaw(t, word(method), raw.String())
		if a.StatusCode >= 500 || a.StatusCode == http.StatusUnprocessableEntity {
			t.Fatalf("%d for %q: %s", a.StatusCode, raw.String(), a.body)
		}
		if a.StatusCode >= 400 && word(method) != "HEAD" {
			a.problem(t)
		}
		switch kind := a.Header.Get("Content-Type"); {
		case len(a.body) == 0:
		case kind == problemType || kind == "application/json":
			if !json.Valid(a.body) || !utf8.Valid(a.body) {
				t.Fatalf("no JSON for %q: %s", raw.String(), a.body)
			}
		case a.StatusCode != 200:
			t.Fatalf("content type %q for %q: %s", kind, raw.String(), a.body)
		}
	})
}

// word keeps a text from ending the line, or the word, that it is part of.
func word(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, text)
	if text == "" {
		return "/"
	}
	return text
}

// FuzzBody: what is no JSON for encoding/json is none here, and what is accepted is what encoding/json reads.
func FuzzBody(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s[3]))
	}
	registry := newBench(f, nil).document.Components.Schemas
	orders := compile(registry, registry.Map()["PlaceOrder"], reflect.TypeFor[placeOrderBody]())
	changes := compile(registry, registry.Map()["AmendOrder"], reflect.TypeFor[amendOrderBody]())
	products := compile(registry, registry.Map()["CreateProduct"], reflect.TypeFor[createProductBody]())
	f.Fuzz(func(t *testing.T, body []byte) {
		if in, ok := readAsEncodingJSON[createProductBody](t, body, products); ok &&
			(in.Price < 0 || in.StockQuantity < 0 || utf8.RuneCountInString(in.ProductID) < 3 || strings.ContainsRune(in.Name, 0)) {
			t.Fatalf("%q was accepted: %+v", body, in)
		}
		readAsEncodingJSON[placeOrderBody](t, body, orders)
		readAsEncodingJSON[amendOrderBody](t, body, changes)
	})
}

func readAsEncodingJSON[T any](t *testing.T, body []byte, s *shape) (in T, ok bool) {
	complaints := readJSON(body, s, reflect.ValueOf(&in).Elem())
	isJSON := len(complaints) != 1 || complaints[0] != "the body must be valid JSON" && complaints[0] != "the body must be valid UTF-8"
	if isJSON != (json.Valid(body) && utf8.Valid(body)) {
		t.Fatalf("%q: %v", body, complaints)
	}
	if len(complaints) > 0 {
		return in, false
	}
	var want T
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&want); err != nil || !reflect.DeepEqual(in, want) {
		t.Fatalf("%q was accepted as %+v, encoding/json reads %+v (%v)", body, in, want, err)
	}
	return in, true
}
