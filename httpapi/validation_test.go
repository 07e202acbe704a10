package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// put sets the value at a path such as "items.0.quantity"; a nil value removes it.
func put(t *testing.T, body, path, value string) string {
	t.Helper()
	var document any
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatal(err)
	}
	const mark = "\x01mark\x01"
	steps := strings.Split(path, ".")
	at := document
	for i, name := range steps {
		last := i == len(steps)-1
		switch node := at.(type) {
		case map[string]any:
			if last && value == "" {
				delete(node, name)
			} else if last {
				node[name] = mark
			}
			at = node[name]
		case []any:
			index, _ := strconv.Atoi(name)
			if last {
				node[index] = mark
			}
			at = node[index]
		}
	}
	raw, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	quoted, _ := json.Marshal(mark)
	return strings.Replace(string(raw), string(quoted), value, 1)
}

func letters(n int) string { return `"` + strings.Repeat("é", n) + `"` }

type bound struct{ path, value, complaint string } // no complaint: accepted; no value: left out

func lengths(path string, least, most int) []bound {
	bounds := []bound{{path, letters(most), ""}, {path, letters(most + 1), fmt.Sprintf("%s must be at most %d characters", path, most)}}
	if least > 0 {
		bounds = append(bounds, bound{path, letters(least), ""})
	}
	if least > 1 {
		bounds = append(bounds, bound{path, letters(least - 1), fmt.Sprintf("%s must be at least %d characters", path, least)})
	}
	if least == 1 {
		bounds = append(bounds, bound{path, `""`, path + " must not be empty"})
	}
	return append(bounds, bound{path, "7", path + " must be a string"}, bound{path, "null", path + " must not be null"},
		bound{path, `"a\u0000b` + strings.Repeat("c", least) + `"`, path + " must not hold U+0000"}, bound{path, `"\ud800` + strings.Repeat("c", least) + `"`, path + " must not hold U+0000"},
		bound{path, `"\\ufffd\ud800` + strings.Repeat("c", least) + `"`, path + " must not hold U+0000"})
}

func integers(path string, least int64) []bound {
	return []bound{{path, strconv.FormatInt(least, 10), ""}, {path, strconv.FormatInt(least-1, 10), fmt.Sprintf("%s must be at least %d", path, least)},
		{path, `"2"`, path + " must be an integer number"}, {path, "2.5", path + " must be an integer number"}, {path, "2.0", path + " must be an integer number"},
		{path, "2e0", path + " must be an integer number"}, {path, "true", path + " must be an integer number"}, {path, "[2]", path + " must be an integer number"},
		{path, "null", path + " must not be null"}, {path, "9223372036854775808", path + " is out of range"}, {path, "9223372036854775807", path + " must be at most"}}
}

func required(paths ...string) []bound {
	var bounds []bound
	for _, path := range paths {
		bounds = append(bounds, bound{path, "", path + " is required"})
	}
	return bounds
}

func optional(paths ...string) []bound {
	var bounds []bound
	for _, path := range paths {
		bounds = append(bounds, bound{path, "", ""})
	}
	return bounds
}

func TestBoundsOfPlaceOrder(t *testing.T) {
	checkBounds(t, "POST", "/orders", goodOrder, 201, slices.Concat(
		lengths("customer.customerId", 3, 50), lengths("customer.firstName", 1, 50), lengths("customer.lastName", 1, 50), lengths("customer.phone", 10, 20),
		lengths("shippingAddress.street", 5, 200), lengths("shippingAddress.city", 2, 50), lengths("shippingAddress.state", 2, 50),
		lengths("shippingAddress.postalCode", 3, 20), lengths("shippingAddress.country", 2, 50), lengths("paymentMethod", 3, 50), lengths("notes", 0, 500),
		lengths("items.0.productId", 1, 100), integers("items.0.quantity", 1), integers("items.0.unitPrice", 0),
		required("customer", "customer.customerId", "customer.email", "customer.firstName", "customer.lastName", "items", "items.0.productId",
			"items.0.quantity", "shippingAddress", "shippingAddress.street", "shippingAddress.city", "shippingAddress.state",
			"shippingAddress.postalCode", "shippingAddress.country", "paymentMethod"),
		optional("customer.phone", "items.0.productName", "items.0.unitPrice", "currency", "notes"),
		[]bound{
			{"items", "[]", "items must contain at least 1 elements"}, {"items", "{}", "items must be an array"}, {"items", `"x"`, "items must be an array"},
			{"items", "null", "items must not be null"}, {"items.0", "null", "items.0 must not be null"}, {"items.0", "3", "items.0 must be an object"},
			{"items", "[" + strings.Repeat(`{"productId":"p","quantity":1},`, 500) + `{"productId":"p","quantity":1}]`, "items must contain at most 500 elements"},
			{"customer", "[]", "customer must be an object"},
			{"currency", `"USD"`, "currency must be a lower case ISO 4217 code"}, {"currency", `"us"`, "currency must be"}, {"currency", `"eur"`, ""},
			{"total", "1", "total should not exist"}, {"subtotal", "1", "subtotal should not exist"}, {"items.0.totalPrice", "1", "items.0.totalPrice should not exist"},
			{"customer.vip", "true", "customer.vip should not exist"}, {"Notes", `"x"`, "Notes should not exist"}, {"status", `"confirmed"`, "status should not exist"},
			{"customer.email", `"ada"`, "customer.email must be an email address"}, {"customer.email", `"ada@"`, "customer.email must be"},
			{"customer.email", `"@example.com"`, "customer.email must be"}, {"customer.email", `"a b@example.com"`, "customer.email must be"},
			{"customer.email", `"ada@localhost"`, "customer.email must be"}, {"customer.email", `"ada@-x.com"`, "customer.email must be"},
			{"customer.email", `"a..b@example.com"`, "customer.email must be"}, {"customer.email", `"ada+shop@mail.example.co.uk"`, ""},
		}))
}

func TestBoundsOfCreateProduct(t *testing.T) {
	checkBounds(t, "POST", "/products", goodProduct, 201, slices.Concat(
		lengths("productId", 3, 100), lengths("name", 2, 200), lengths("description", 10, 1000), lengths("category", 1, 100), lengths("sku", 3, 100),
		lengths("dimensions", 0, 50), integers("price", 0), integers("stockQuantity", 0), integers("lowStockThreshold", 0),
		required("productId", "name", "description", "category", "price", "stockQuantity", "sku"),
		optional("currency", "lowStockThreshold", "weight", "dimensions", "isActive"),
		[]bound{
			{"weight", "0", ""}, {"weight", "1.25e1", ""}, {"weight", "-0.1", "weight must be at least 0"}, {"weight", `"1"`, "weight must be a number"},
			{"weight", "1e999", "weight is out of range"}, {"isActive", "false", ""}, {"isActive", `"true"`, "isActive must be a boolean"},
			{"isActive", "1", "isActive must be a boolean"}, {"isActive", "null", "isActive must not be null"},
			{"reservedQuantity", "0", "reservedQuantity should not exist"}, {"availableQuantity", "0", "availableQuantity should not exist"},
		}))
}

func TestBoundsOfUpdateProduct(t *testing.T) {
	checkBounds(t, "PATCH", "/products/"+someID, goodProduct, 200, slices.Concat(
		lengths("name", 2, 200), lengths("description", 10, 1000), lengths("category", 1, 100), lengths("sku", 3, 100), lengths("dimensions", 0, 50),
		integers("price", 0), integers("stockQuantity", 0), integers("lowStockThreshold", 0),
		optional("productId", "name", "description", "category", "price", "stockQuantity", "sku", "currency", "lowStockThreshold", "weight", "dimensions", "isActive"),
		[]bound{{"reservedQuantity", "0", "reservedQuantity should not exist"}, {"_id", `"x"`, "_id should not exist"}}))
}

func TestBoundsOfOthers(t *testing.T) {
	checkBounds(t, "PATCH", "/orders/"+someID, `{"notes":"x","shippingAddress":{"street":"12 Analytical Row","city":"London","state":"LDN","postalCode":"SW1","country":"GB"}}`, 200,
		slices.Concat(lengths("notes", 0, 500), lengths("shippingAddress.street", 5, 200), required("shippingAddress.city"), []bound{
			{"status", `"shipped"`, ""}, {"status", `"lost"`, "status must be one of: pending"}, {"status", `null`, "status must not be null"},
			{"status", `""`, "status must be one of"}, {"items", "[]", "items should not exist"}, {"shippingAddress", "null", "shippingAddress must not be null"}}))
	checkBounds(t, "POST", "/orders/"+someID+"/cancel", `{"reason":"x"}`, 200, append(lengths("reason", 0, 500), bound{"force", "true", "force should not exist"}))
	checkBounds(t, "POST", "/products/prod-1/stock-adjustments", `{"delta":-3,"reason":"lost"}`, 201, slices.Concat(lengths("reason", 1, 200),
		required("delta", "reason"), []bound{{"delta", "0", "delta must not be 0"}, {"delta", "5", ""}, {"delta", "1.5", "delta must be an integer number"}}))
	checkBounds(t, "POST", "/payments", goodPayment, 201, slices.Concat(integers("amount", 1), required("orderId", "customerId", "customerEmail", "amount", "orderItems"),
		optional("currency"), integers("orderItems.0.quantity", 1), lengths("orderId", 1, 100), []bound{{"orderItems", "[]", ""}, {"status", `"paid"`, "status should not exist"},
			{"customerEmail", `"x"`, "customerEmail must be an email address"}}))
	checkBounds(t, "POST", "/payments/pay_9b3d4e5f60718293/confirm", `{"paymentMethodId":"pm_card_visa"}`, 200,
		append(lengths("paymentMethodId", 1, 255), required("paymentMethodId")...))
	checkBounds(t, "POST", "/payments/pay_9b3d4e5f60718293/refund", `{"amount":5,"reason":"broken"}`, 200,
		slices.Concat(integers("amount", 1), lengths("reason", 0, 500), optional("amount", "reason")))
	checkBounds(t, "POST", "/inventory/reservations/o1/release", `{"reason":"x"}`, 200, lengths("reason", 0, 500))
	checkBounds(t, "POST", "/inventory/reservations/o1/confirm", `{}`, 200, []bound{{"reason", `"x"`, "reason should not exist"}})
}

// checkBounds sends the good body with one value changed at a time.
func checkBounds(t *testing.T, method, target, good string, status int, bounds []bound) {
	t.Helper()
	b := newBench(t, nil)
	b.asker.answer = permissive
	b.send(t, method, target, good).want(t, status)
	for _, c := range bounds {
		a := b.send(t, method, target, put(t, good, c.path, c.value))
		if c.complaint == "" {
			if a.StatusCode != status {
				t.Errorf("%s %s with %s = %s: %d %s", method, target, c.path, c.value, a.StatusCode, a.body)
			}
			continue
		}
		if a.StatusCode != 400 {
			t.Errorf("%s %s with %s = %.60s: %d, want 400 %q", method, target, c.path, c.value, a.StatusCode, c.complaint)
			continue
		}
		p := a.problem(t)
		if _, array := p.Message.([]any); !array || !slices.ContainsFunc(p.messages(), func(m string) bool { return strings.HasPrefix(m, c.complaint) }) {
			t.Errorf("%s %s with %s = %.60s: %v, want %q", method, target, c.path, c.value, p.Message, c.complaint)
		}
	}
}

func TestEveryBadFieldIsNamed(t *testing.T) {
	b := newBench(t, nil)
	p := b.send(t, "POST", "/orders", `{"customer":{"email":"x"},"items":[{"productId":"p","quantity":0},{"quantity":"2"}],"foo":1}`).want(t, 400).problem(t)
	want := []string{"customer.email must be an email address", "customer.customerId is required", "customer.firstName is required", "customer.lastName is required",
		"items.0.quantity must be at least 1", "items.1.quantity must be an integer number", "items.1.productId is required", "foo should not exist",
		"shippingAddress is required", "paymentMethod is required"}
	if !slices.Equal(p.messages(), want) {
		t.Errorf("messages %q", p.messages())
	}
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	b := newBench(t, nil)
	for _, body := range []string{"{", "}", "nul", `{"a":1,}`, `{"a":1}{}`, "{'a':1}", `{"a":01}`, `{"a":"` + "\n" + `"}`, "\xff", `{"notes":"` + "\xc3\x28" + `"}`,
		`"text"`, "7", "[]", "null", "true", strings.Repeat("[", 20_000), strings.Repeat(`{"customer":`, 20_000)} {
		b.send(t, "POST", "/orders", body).want(t, 400).problem(t)
	}
	b.send(t, "POST", "/orders", "", "Content-Type", "application/json").want(t, 400).problem(t)
	b.send(t, "PATCH", "/orders/"+someID, "{}").want(t, 400).problem(t)
	b.send(t, "PATCH", "/products/"+someID, "{}").want(t, 400).problem(t)
	b.send(t, "PATCH", "/products/"+someID, `{"price":1,"price":2}`).want(t, 400).problem(t)
	if deep := b.send(t, "POST", "/orders", `{"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`).want(t, 400).problem(t); deep.messages()[0] != "x should not exist" {
		t.Errorf("messages %q", deep.messages())
	}
	if long := b.send(t, "POST", "/orders", `{"`+strings.Repeat("é", 5000)+`":1}`).want(t, 400); len(long.body) > 2000 {
		t.Errorf("a long name is repeated in %d bytes", len(long.body))
	}
}

func TestContentTypes(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = permissive
	for contentType, status := range map[string]int{"application/json": 201, "application/json; charset=utf-8": 201, "Application/JSON": 201,
		"application/vnd.shop+json": 201, "text/plain": 400, "application/x-www-form-urlencoded": 400, "multipart/form-data; boundary=x": 400, "application/xml": 400} {
		b.send(t, "POST", "/orders", goodOrder, "Content-Type", contentType).want(t, status)
	}
	b.send(t, "POST", "/orders", goodOrder, "Content-Encoding", "gzip").want(t, 400).problem(t)
}
