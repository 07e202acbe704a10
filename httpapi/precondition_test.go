package httpapi

import (
	"context"
	"testing"

	"github.com/queuecommerce/queuecommerce/messages"
)

func TestIfMatch(t *testing.T) {
	for header, want := range map[string]uint64{`"3"`: 3, `*`: 0, `"7", "8"`: 7, `"8" ,"9"`: impossible, `W/"7"`: impossible, `"abc"`: impossible,
		`"07"`: impossible, `"0"`: impossible, `"18446744073709551615"`: impossible, `"7", *`: 0} {
		for _, c := range [][3]string{{"PATCH", "/orders/" + someID, `{"notes":"x"}`}, {"DELETE", "/orders/" + someID, ""}, {"POST", "/orders/" + someID + "/cancel", ""},
			{"PATCH", "/products/" + someID, `{"price":1}`}, {"DELETE", "/products/" + someID, ""}, {"POST", "/products/prod-1/stock-adjustments", `{"delta":1,"reason":"x"}`},
			{"POST", "/inventory/reservations/o1/release", ""}, {"POST", "/inventory/reservations/o1/confirm", ""},
			{"POST", "/payments/pay_9b3d4e5f60718293/confirm", `{"paymentMethodId":"pm_x"}`}, {"POST", "/payments/pay_9b3d4e5f60718293/refund", ""}} {
			b := newBench(t, nil)
			b.asker.answer = func(ctx context.Context, kind, identity string, cmd *messages.Command) (*messages.Reply, error) {
				if kind == kindClaim {
					return permissive(ctx, kind, identity, cmd)
				}
				return &messages.Reply{Version: 7, Document: []byte(`{}`)}, nil
			}
			b.send(t, c[0], c[1], c[2], "If-Match", header)
			got := b.asker.only(t, func(a asked) bool { return a.cmd.GetId() != "" })
			if got.cmd.GetIfMatch() != want {
				t.Errorf("%s %s with If-Match %s: version %d, want %d", c[0], c[1], header, got.cmd.GetIfMatch(), want)
			}
		}
	}
}

func TestMalformedIfMatch(t *testing.T) {
	b := newBench(t, nil)
	for _, header := range []string{"", "3", `"3`, `"3" "4"`, `"3",`, "W/3", "w/\"3\"", ","} {
		b.send(t, "DELETE", "/orders/"+someID, "", "If-Match", header).want(t, 400).problem(t)
	}
	if n := len(b.asker.all()); n != 0 {
		t.Errorf("%d commands were sent", n)
	}
}

func TestVersionsMeetTheEntity(t *testing.T) {
	b := stocked(t)
	placed := b.send(t, "POST", "/orders", goodOrder).want(t, 201)
	path := placed.Header.Get("Location")
	b.send(t, "PATCH", path, `{"notes":"a"}`, "If-Match", `"1"`).want(t, 412).problem(t)
	changed := b.send(t, "PATCH", path, `{"notes":"a"}`, "If-Match", placed.Header.Get("ETag")).want(t, 200)
	if changed.Header.Get("ETag") != `"3"` {
		t.Errorf("ETag %s", changed.Header.Get("ETag"))
	}
	b.send(t, "PATCH", path, `{"notes":"b"}`, "If-Match", `W/"3"`).want(t, 412).problem(t)
	b.send(t, "PATCH", path, `{"notes":"b"}`, "If-Match", `"1", "3"`).want(t, 200)
	if a := b.send(t, "GET", path, "", "If-None-Match", `"4"`).want(t, 304); len(a.body) != 0 || a.Header.Get("ETag") != `"4"` {
		t.Errorf("304 with %q, %v", a.body, a.Header)
	}
	b.send(t, "GET", path, "", "If-None-Match", `"3", W/"4"`).want(t, 304)
	b.send(t, "GET", path, "", "If-None-Match", `"3"`).want(t, 200)
}
