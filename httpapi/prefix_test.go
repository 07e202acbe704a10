package httpapi

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestPrefixesReachTheSameRoutes(t *testing.T) {
	b := stocked(t)
	placed := b.send(t, "POST", "/api/v1/services/order/orders", goodOrder, "Idempotency-Key", "k").want(t, 201)
	if !strings.HasPrefix(placed.Header.Get("Location"), "/api/v1/services/order/orders/") {
		t.Errorf("Location %q", placed.Header.Get("Location"))
	}
	id := placed.object(t)["_id"].(string)
	for _, tail := range []string{"/orders/" + id, "/orders", "/orders/" + someID, "/orders?limit=0", "/products/by-product-id/prod-1", "/payments/x", "/health/live"} {
		plain := b.send(t, "GET", tail, "")
		for _, prefix := range []string{"/api/v1", "/api/v1/services/order", "/api/v1/services/inventory", "/api/v1/services/payment"} {
			a := b.send(t, "GET", prefix+tail, "")
			if a.StatusCode != plain.StatusCode || string(a.body) != string(plain.body) || a.Header.Get("ETag") != plain.Header.Get("ETag") {
				t.Errorf("%s%s: %d %s, without prefix %d %s", prefix, tail, a.StatusCode, a.body, plain.StatusCode, plain.body)
			}
		}
	}
	again := b.send(t, "POST", "/orders", goodOrder, "Idempotency-Key", "k").want(t, 201)
	if string(again.body) != string(placed.body) {
		t.Error("the prefix is part of the key")
	}
}

func TestCutPrefix(t *testing.T) {
	for path, want := range map[string][2]string{
		"/orders": {"", "/orders"}, "/api/v1/orders": {"/api/v1", "/orders"}, "/api/v1": {"/api/v1", "/"}, "/api/v1/": {"/api/v1", "/"},
		"/api/v1x/orders": {"", "/api/v1x/orders"}, "/api/v1/services/order/orders/5": {"/api/v1/services/order", "/orders/5"},
		"/api/v1/services/mail/x": {"/api/v1", "/services/mail/x"}, "/api/v1/products/a%2Fb": {"/api/v1", "/products/a%2Fb"},
		"/services/order/orders": {"", "/services/order/orders"},
	} {
		var uri fasthttp.URI
		if err := uri.Parse([]byte("x"), []byte(path+"?a=b")); err != nil {
			t.Fatal(err)
		}
		prefix := cutPrefix(&uri)
		if got := [2]string{prefix, string(uri.PathOriginal())}; got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
		if string(uri.QueryString()) != "a=b" {
			t.Errorf("%s: query %q", path, uri.QueryString())
		}
	}
}
