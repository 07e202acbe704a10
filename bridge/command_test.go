package bridge

import (
	"fmt"
	"strings"
	"testing"
)

func newTestID() string { return "68b1f2a0ffffffffffffffff" }

func TestCommandLimits(t *testing.T) {
	const item = `{"productId":"p-1","quantity":1}`
	reserve := func(orderID, customerID, items, rest string) string {
		return fmt.Sprintf(`{"pattern":%q,"data":{"orderId":%s,"customerId":%s,"items":%s%s}}`, patternReserve, orderID, customerID, items, rest)
	}
	pay := func(amount, email, rest string) string {
		return fmt.Sprintf(`{"pattern":%q,"data":{"orderId":"o-1","customerId":"cust-1","amount":%s,"customerEmail":%s,"orderItems":[%s]%s}}`, patternPay, amount, email, item, rest)
	}
	for name, c := range map[string]struct{ body, reason string }{
		"the least":                {reserve(`"1"`, `"abc"`, "["+item+"]", ""), ""},
		"keys of other systems":    {reserve(`"1"`, `"abc"`, "["+item+"]", `,"more":{"a":[1]}`), ""},
		"lifetime of a minute":     {reserve(`"1"`, `"abc"`, "["+item+"]", `,"reservationTimeoutMinutes":1`), ""},
		"free item":                {reserve(`"1"`, `"abc"`, `[{"productId":"p-1","quantity":1,"unitPrice":0}]`, ""), ""},
		"payment":                  {pay("1", `"a@b.example"`, ""), ""},
		"payment without items":    {`{"pattern":"payment.process.requested","data":{"orderId":"o-1","customerId":"cust-1","amount":5,"customerEmail":"a@b.example","orderItems":[]}}`, ""},
		"empty":                    {``, "body is not"},
		"array":                    {`[]`, "body is not"},
		"too long":                 {`"` + strings.Repeat("x", maxBody) + `"`, "body is longer"},
		"no pattern":               {`{"data":{}}`, "pattern must be"},
		"pattern that we send":     {`{"pattern":"order.created","data":{}}`, "pattern must be"},
		"no data":                  {`{"pattern":"inventory.reservation.requested"}`, "data must be an object"},
		"data is an array":         {`{"pattern":"inventory.reservation.requested","data":[]}`, "data must be an object"},
		"no order":                 {reserve(`""`, `"abc"`, "["+item+"]", ""), "data.orderId must be 1 to 100"},
		"long order":               {reserve(`"`+strings.Repeat("é", 101)+`"`, `"abc"`, "["+item+"]", ""), "data.orderId must be 1 to 100"},
		"order with a line break":  {reserve(`"a\nb"`, `"abc"`, "["+item+"]", ""), "data.orderId must not contain control"},
		"order is a number":        {reserve(`5`, `"abc"`, "["+item+"]", ""), "data.orderId must not be a number"},
		"short customer":           {reserve(`"1"`, `"ab"`, "["+item+"]", ""), "data.customerId must be 3 to 50"},
		"no items":                 {reserve(`"1"`, `"abc"`, "[]", ""), "data.items must contain at least 1"},
		"null items":               {reserve(`"1"`, `"abc"`, "null", ""), "data.items must contain at least 1"},
		"quantity 0":               {reserve(`"1"`, `"abc"`, `[`+item+`,{"productId":"p-2","quantity":0}]`, ""), "data.items.1.quantity must be at least 1"},
		"quantity of a million+1":  {reserve(`"1"`, `"abc"`, `[{"productId":"p-2","quantity":1000001}]`, ""), "data.items.0.quantity must be at most 1000000"},
		"half a quantity":          {reserve(`"1"`, `"abc"`, `[{"productId":"p-2","quantity":0.5}]`, ""), "quantity must not be a number"},
		"quantity as text":         {reserve(`"1"`, `"abc"`, `[{"productId":"p-2","quantity":"1"}]`, ""), "quantity must not be a string"},
		"short product":            {reserve(`"1"`, `"abc"`, `[{"productId":"p","quantity":1}]`, ""), "data.items.0.productId must be 3 to 100"},
		"negative price":           {reserve(`"1"`, `"abc"`, `[{"productId":"p-1","quantity":1,"unitPrice":-1}]`, ""), "data.items.0.unitPrice must be at least 0"},
		"too many items":           {reserve(`"1"`, `"abc"`, "["+strings.Repeat(item+",", maxItems)+item+"]", ""), "data.items must contain at most 1000"},
		"lifetime of nothing":      {reserve(`"1"`, `"abc"`, "["+item+"]", `,"reservationTimeoutMinutes":0`), "reservationTimeoutMinutes must be at least 1"},
		"lifetime of a year":       {reserve(`"1"`, `"abc"`, "["+item+"]", `,"reservationTimeoutMinutes":525600`), "reservationTimeoutMinutes must be at most"},
		"amount 0":                 {pay("0", `"a@b.example"`, ""), "data.amount must be at least 1"},
		"amount is a fraction":     {pay("37.5", `"a@b.example"`, ""), "data.amount must not be a number"},
		"amount beyond 64 bits":    {pay("9223372036854775808", `"a@b.example"`, ""), "data.amount must not be a number"},
		"no email":                 {pay("1", `""`, ""), "data.customerEmail must be an email"},
		"email with a name":        {pay("1", `"Ann <a@b.example>"`, ""), "data.customerEmail must be an email"},
		"currency in capitals":     {pay("1", `"a@b.example"`, `,"currency":"USD"`), "data.currency must be 3 lower case"},
		"short payment method":     {pay("1", `"a@b.example"`, `,"paymentMethodId":"pm"`), "data.paymentMethodId must be 3 to 50"},
		"every bad field is named": {reserve(`""`, `"ab"`, `[{"productId":"p","quantity":0}]`, ""), "data.orderId must be 1 to 100 characters long; data.customerId must be 3 to 50 characters long; data.items.0.productId must be 3 to 100 characters long; data.items.0.quantity must be at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(c.body), "usd", newTestID)
			switch {
			case c.reason == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.reason != "" && (err == nil || !strings.Contains(err.Error(), c.reason)):
				t.Errorf("reason %v, expected %s", err, c.reason)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"pattern":"inventory.reservation.requested","data":{"orderId":"o-1","customerId":"cust-1","items":[{"productId":"p-1","quantity":1}]}}`))
	f.Add([]byte(`{"pattern":"payment.process.requested","data":{"orderId":"o-1","customerId":"cust-1","amount":1,"customerEmail":"a@b.example","orderItems":[]}}`))
	f.Add([]byte(`{"pattern":null,"data":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parse(body, "usd", newTestID)
		if err != nil {
			return
		}
		if in.identity == "" || in.command.GetBody() == nil {
			t.Fatalf("accepted %q as %+v", body, in)
		}
		for _, line := range append(in.command.GetRequestReservation().GetLines(), in.command.GetRequestPayment().GetLines()...) {
			if line.GetQuantity() < 1 || line.GetUnitPrice() < 0 {
				t.Fatalf("accepted line %v", line)
			}
		}
	})
}
