package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

func numbered(n int) []storage.Document {
	documents := make([]storage.Document, n)
	for i := range documents {
		documents[i] = storage.Document{ID: fmt.Sprintf("%024x", n-i), Created: noon.Add(-time.Duration(i) * time.Second).Truncate(time.Millisecond),
			Body: fmt.Appendf(nil, `{"n":%d}`, i)}
	}
	return documents
}

// follow sends the request that an answer's Link names.
func (b *bench) follow(t *testing.T, a answered) answered {
	t.Helper()
	target, ok := strings.CutSuffix(a.Header.Get("Link"), `>; rel="next"`)
	if !ok {
		t.Fatalf("no next page in Link %q", a.Header.Get("Link"))
	}
	return b.send(t, "GET", strings.TrimPrefix(target, "<"), "").want(t, 200)
}

func (a answered) numbers(t *testing.T) []int {
	t.Helper()
	var documents []struct{ N int }
	if err := json.Unmarshal(a.body, &documents); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	numbers := []int{}
	for _, d := range documents {
		numbers = append(numbers, d.N)
	}
	return numbers
}

func TestCursorVisitsEachOnce(t *testing.T) {
	for _, path := range []string{"/orders", "/payments", "/payments/order/o1", "/payments/customer/c1", "/inventory/reservations"} {
		b := newBench(t, nil)
		b.views.documents = numbered(25)
		page := b.send(t, "GET", "/api/v1"+path+"?status=pending&limit=10&utm=x%26y", "").want(t, 200)
		var seen []int
		for {
			seen = append(seen, page.numbers(t)...)
			link := page.Header.Get("Link")
			if link == "" {
				break
			}
			next, err := url.Parse(strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`))
			if err != nil || next.Path != "/api/v1"+path || next.Query().Get("utm") != "x&y" || next.Query().Get("limit") != "10" {
				t.Fatalf("Link %q: %v", link, err)
			}
			page = b.follow(t, page)
		}
		if len(seen) != 25 || seen[0] != 0 || seen[24] != 24 {
			t.Errorf("%s: saw %v", path, seen)
		}
	}
}

func TestListWithoutMoreHasNoLink(t *testing.T) {
	b := newBench(t, nil)
	if a := b.send(t, "GET", "/orders", "").want(t, 200); string(a.body) != "[]" || a.Header.Get("Link") != "" {
		t.Errorf("empty list: %s, %v", a.body, a.Header)
	}
	b.views.documents = numbered(10)
	if a := b.send(t, "GET", "/orders", "").want(t, 200); len(a.numbers(t)) != 10 || a.Header.Get("Link") != "" {
		t.Errorf("exact page: %s, %v", a.body, a.Header)
	}
}

func TestListFilters(t *testing.T) {
	yes, no := true, false
	for target, want := range map[string]storage.Filter{
		"/orders?status=shipped&customerId=c1":                 {Collection: storage.Orders, Status: "shipped", Customer: "c1"},
		"/orders?customerId=":                                  {Collection: storage.Orders},
		"/payments?status=refunded&orderId=o1&customerId=c1":   {Collection: storage.Payments, Status: "refunded", Order: "o1", Customer: "c1"},
		"/payments/order/erp%2F7":                              {Collection: storage.Payments, Order: "erp/7"},
		"/payments/customer/c%201":                             {Collection: storage.Payments, Customer: "c 1"},
		"/inventory/reservations?customerId=c1&status=expired": {Collection: storage.Reservations, Customer: "c1", Status: "expired"},
		"/products?category=a&isActive=true&inStock=false":     {Collection: storage.Products, Category: "a", Active: &yes, InStock: &no},
		"/products?isActive=1&inStock=0":                       {Collection: storage.Products, Active: &yes, InStock: &no},
	} {
		b := newBench(t, nil)
		b.send(t, "GET", target, "").want(t, 200)
		got, _ := json.Marshal(b.views.filters[0])
		if expected, _ := json.Marshal(want); string(got) != string(expected) {
			t.Errorf("%s: filter %s, want %s", target, got, expected)
		}
	}
}

func TestBadQueries(t *testing.T) {
	for target, message := range map[string]string{
		"/orders?limit=0":                                 "limit must be at least 1",
		"/orders?limit=101":                               "limit must be at most 100",
		"/orders?limit=":                                  "limit must be an integer number",
		"/orders?limit=ten":                               "limit must be an integer number",
		"/orders?limit=1.5":                               "limit must be an integer number",
		"/orders?limit=99999999999999999999":              "limit must be an integer number",
		"/orders?limit=1&limit=2":                         "limit must be given once",
		"/orders?page=0":                                  "page must be at least 1",
		"/orders?page=1001":                               "page must be at most 1000",
		"/orders?page=9223372036854775807":                "page must be at most 1000",
		"/orders?page=2&cursor=abc":                       "page can't be given together with cursor",
		"/orders?cursor=abc":                              "cursor must be one that this list has given",
		"/orders?cursor=%21":                              "cursor must be one that this list has given",
		"/orders?status=lost":                             "status must be one of: pending, confirmed, processing, shipped, delivered, cancelled",
		"/orders?status=":                                 "status must be one of:",
		"/orders?customerId=%ff":                          "customerId must be valid UTF-8",
		"/orders?customerId=%00":                          "customerId must be valid UTF-8",
		"/payments?status=lost":                           "status must be one of:",
		"/inventory/reservations?status=lost":             "status must be one of: pending, confirmed, released, expired",
		"/products?isActive=maybe":                        "isActive must be true or false",
		"/products?inStock=":                              "inStock must be true or false",
		"/products?page=x":                                "page must be an integer number",
		"/products?limit=500":                             "limit must be at most 100",
		"/products/search":                                "q is required",
		"/products/search?q=":                             "q must not be empty",
		"/products/search?q=+":                            "q must hold a word",
		"/products/search?q=" + strings.Repeat("x", 201):  "q must be at most 200 characters",
		"/products/prod-1/stock-movements?cursor=AAAAAAA": "cursor must be one",
		"/orders/" + someID + "/events?after=-1":          "after must be at least 0",
	} {
		b := newBench(t, nil)
		p := b.send(t, "GET", target, "").want(t, 400).problem(t)
		if m := strings.Join(p.messages(), "; "); !strings.Contains(m, message) {
			t.Errorf("%s: %q, want %q", target, m, message)
		}
	}
}

func TestUnknownQueryParametersAreIgnored(t *testing.T) {
	b := newBench(t, nil)
	b.send(t, "GET", "/orders?utm_source=mail&limit=5", "").want(t, 200)
}

func TestCursorOfAnotherListIsRefused(t *testing.T) {
	b := newBench(t, nil)
	cursor := b.sealPosition(storage.Orders, storage.Position{Created: noon, ID: someID}, 2)
	b.send(t, "GET", "/orders?cursor="+cursor, "").want(t, 200)
	b.send(t, "GET", "/payments?cursor="+cursor, "").want(t, 400).problem(t)
	for i := range cursor {
		changed := []byte(cursor)
		if changed[i]++; changed[i] == '{' || changed[i] == '[' || changed[i] == ':' || changed[i] == '.' || changed[i] == '`' {
			changed[i] = 'A'
		}
		if string(changed) == cursor {
			continue
		}
		if _, _, err := b.unsealPosition(storage.Orders, string(changed)); err == nil && i != len(cursor)-1 {
			t.Errorf("changed at %d: accepted", i)
		}
	}
}

func TestCatalogPage(t *testing.T) {
	b := newBench(t, nil)
	b.views.documents, b.views.total = numbered(25), 25
	a := b.send(t, "GET", "/products?page=2&limit=10&category=a", "").want(t, 200)
	var page struct {
		Products                []struct{ N int }
		Total, Page, TotalPages int
	}
	if err := json.Unmarshal(a.body, &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Products) != 10 || page.Products[0].N != 10 || page.Total != 25 || page.Page != 2 || page.TotalPages != 3 || b.views.skips[0] != 10 {
		t.Errorf("page %s, skips %v", a.body, b.views.skips)
	}
	if err := json.Unmarshal(b.follow(t, a).body, &page); err != nil || page.Products[0].N != 20 || page.Page != 3 {
		t.Errorf("next page %+v, %v", page, err)
	}
}

func TestListsWhileTheStoreIsAway(t *testing.T) {
	b := newBench(t, nil)
	b.views.err, b.past.err = errAway, errAway
	for _, target := range []string{"/orders", "/products", "/products/search?q=x", "/payments", "/inventory/reservations",
		"/orders/" + someID + "/events", "/orders/" + someID + "?at=1", "/products/prod-1/stock-movements"} {
		a := b.send(t, "GET", target, "").want(t, 503)
		a.problem(t)
		if a.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: no Retry-After", target)
		}
	}
}
