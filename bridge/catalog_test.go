package bridge

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	orderID  = "68b1f2a04b1c7d2e9f001122"
	identity = "4b1c7d2e9f001122"
	number   = "ORD-9CE7TBMZ00922"
	intentID = "pay_4b1c7d2e9f001122"
)

var at = domain.At(time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC))

var lines = []order.Line{{ProductID: "p-1", ProductName: "Mug <\"blue\">", Quantity: 2, UnitPrice: 1250}}

const lineJSON = `{"productId":"p-1","productName":"Mug <\"blue\">","quantity":2,"unitPrice":1250}`

type golden struct {
	name    string
	stream  storage.Stream
	event   interface{ EventType() string }
	pattern string
	data    string
}

// Every rule of the catalogue, with the data that subscribers get, key by key.
var goldens = []golden{
	{"placed", "order/" + identity, order.Placed{ID: orderID, Number: number,
		Customer: order.Customer{CustomerID: "cust-1", Email: "ann@example.com", FirstName: "Ann", LastName: "Lee"},
		Items:    []order.Item{{ProductID: "p-1", ProductName: "Mug <\"blue\">", Quantity: 2, UnitPrice: 1250, TotalPrice: 2500}},
		Subtotal: 2500, Tax: 250, ShippingCost: 1000, Total: 3750, Currency: "usd", PaymentMethod: "pm_card_visa", At: at},
		"order.created", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","customerId":"cust-1","total":3750,"currency":"usd","items":[` + lineJSON + `],"createdAt":"2026-03-04T05:06:07.089Z"}`},
	{"reservation requested", "order/" + identity, order.ReservationRequested{ID: orderID, ReservationID: "RES-1", OrderID: orderID,
		CustomerID: "cust-1", Lines: lines, TimeoutMinutes: 15, ExpiresAt: at.Add(15 * time.Minute), At: at},
		"inventory.reservation.requested", `{"orderId":"` + orderID + `","customerId":"cust-1","items":[` + lineJSON + `],"reservationTimeoutMinutes":15,"timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"reserved", "order/" + identity, order.Reserved{OrderID: orderID, ReservationID: "RES-1", CustomerID: "cust-1", Lines: lines,
		ExpiresAt: at.Add(15 * time.Minute), At: at},
		"inventory.reserved", `{"orderId":"` + orderID + `","reservationId":"RES-1","customerId":"cust-1","items":[{"productId":"p-1","productName":"Mug <\"blue\">","quantity":2,"unitPrice":1250,"reservedQuantity":2}],"expiresAt":"2026-03-04T05:21:07.089Z","timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"reservation failed", "order/" + identity, order.ReservationFailed{OrderID: orderID, CustomerID: "cust-1", Reason: "insufficient stock", Undo: true,
		Shortages: []order.Shortage{{ProductID: "p-1", ProductName: "Mug", RequestedQuantity: 2, AvailableQuantity: 1}}, At: at},
		"inventory.reservation.failed", `{"orderId":"` + orderID + `","customerId":"cust-1","insufficientItems":[{"productId":"p-1","productName":"Mug","requestedQuantity":2,"availableQuantity":1}],"reason":"insufficient stock","timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"released", "order/" + identity, order.ReservationReleased{OrderID: orderID, ReservationID: "RES-1", CustomerID: "cust-1", Lines: lines, Reason: "reservation expired", Expired: true, At: at},
		"inventory.released", `{"orderId":"` + orderID + `","reservationId":"RES-1","customerId":"cust-1","items":[{"productId":"p-1","quantity":2}],"reason":"reservation expired","timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"reservation confirmed", "order/" + identity, order.ReservationConfirmed{OrderID: orderID, ReservationID: "RES-1", CustomerID: "cust-1", Lines: lines, At: at},
		"inventory.confirmed", `{"orderId":"` + orderID + `","reservationId":"RES-1","customerId":"cust-1","items":[` + lineJSON + `],"timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"payment requested", "order/" + identity, order.PaymentRequested{OrderID: orderID, CustomerID: "cust-1", Email: "ann@example.com", Amount: 3750, Currency: "usd", Lines: lines, Method: "pm_card_visa", At: at},
		"payment.process.requested", `{"orderId":"` + orderID + `","customerId":"cust-1","amount":3750,"currency":"usd","customerEmail":"ann@example.com","orderItems":[` + lineJSON + `],"paymentMethodId":"pm_card_visa","timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"payment requested, not charged at once", "order/" + identity, order.PaymentRequested{OrderID: orderID, CustomerID: "cust-1", Email: "ann@example.com", Amount: 3750, Currency: "usd", Lines: lines, At: at},
		"payment.process.requested", `{"orderId":"` + orderID + `","customerId":"cust-1","amount":3750,"currency":"usd","customerEmail":"ann@example.com","orderItems":[` + lineJSON + `],"timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"confirmed", "order/" + identity, order.Confirmed{Number: number, At: at},
		"order.updated", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","status":"confirmed","updatedAt":"2026-03-04T05:06:07.089Z"}`},
	{"status changed", "order/" + identity, order.StatusChanged{Number: number, Status: order.StatusShipped, At: at},
		"order.updated", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","status":"shipped","updatedAt":"2026-03-04T05:06:07.089Z"}`},
	{"amended", "order/" + identity, order.Amended{Number: number, Status: order.StatusPending, At: at},
		"order.updated", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","status":"pending","updatedAt":"2026-03-04T05:06:07.089Z"}`},
	{"cancelled by the shop", "order/" + identity, order.Cancelled{Number: number, CustomerID: "cust-1", Reason: "x", Failure: "reservation expired", Expired: true, At: at},
		"order.cancelled", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","customerId":"cust-1","reason":"reservation expired","cancelledAt":"2026-03-04T05:06:07.089Z"}`},
	{"cancelled by the buyer", "order/" + identity, order.Cancelled{Number: number, CustomerID: "cust-1", Reason: "changed my mind", At: at},
		"order.cancelled", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","customerId":"cust-1","reason":"changed my mind","cancelledAt":"2026-03-04T05:06:07.089Z"}`},
	{"cancelled without a reason", "order/" + identity, order.Cancelled{Number: number, CustomerID: "cust-1", At: at},
		"order.cancelled", `{"orderId":"` + orderID + `","orderNumber":"` + number + `","customerId":"cust-1","reason":"order cancelled","cancelledAt":"2026-03-04T05:06:07.089Z"}`},
	{"low stock", "product/p-1", product.LowStock{ProductID: "p-1", ProductName: "Mug", Available: 3, Threshold: 10, At: at},
		"inventory.low_stock_alert", `{"productId":"p-1","productName":"Mug","currentStock":3,"threshold":10,"timestamp":"2026-03-04T05:06:07.089Z"}`},
	{"intent created", "payment/" + identity, payment.IntentCreated{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 3750, Currency: "usd", IntentID: "pi_1", ClientSecret: "pi_1_secret_x", At: at},
		"payment.intent.created", `{"paymentIntentId":"` + intentID + `","orderId":"` + orderID + `","customerId":"cust-1","amount":3750,"currency":"usd","status":"pending","createdAt":"2026-03-04T05:06:07.089Z"}`},
	{"payment succeeded", "payment/" + identity, payment.Succeeded{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 3750, Currency: "usd", IntentID: "pi_1", Method: "pm_card_visa", Attempt: 1, At: at},
		"payment.confirmed", `{"paymentIntentId":"` + intentID + `","orderId":"` + orderID + `","customerId":"cust-1","amount":3750,"currency":"usd","stripePaymentIntentId":"pi_1","paidAt":"2026-03-04T05:06:07.089Z"}`},
	{"payment failed", "payment/" + identity, payment.Failed{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 3750, Currency: "usd", Code: "card_declined", Message: "Your card was declined.", At: at},
		"payment.failed", `{"paymentIntentId":"` + intentID + `","orderId":"` + orderID + `","customerId":"cust-1","amount":3750,"currency":"usd","errorMessage":"Your card was declined.","failedAt":"2026-03-04T05:06:07.089Z"}`},
	{"refunded", "payment/" + identity, payment.Refunded{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 750, Currency: "usd", RefundID: "re_1", Reason: "late", At: at},
		"payment.refunded", `{"paymentIntentId":"` + intentID + `","orderId":"` + orderID + `","customerId":"cust-1","refundAmount":750,"currency":"usd","stripeRefundId":"re_1","refundedAt":"2026-03-04T05:06:07.089Z"}`},
}

// stored is the event as the journal keeps it.
func stored(t testing.TB, event interface{ EventType() string }) storage.Event {
	t.Helper()
	data, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return storage.Event{Type: event.EventType(), Schema: domain.CurrentSchema, At: at.Std(), Data: data}
}

func (g golden) message(t testing.TB) Message {
	t.Helper()
	m, ok, err := Catalogue(Origin{Stream: g.stream, Sequence: 7, OrderID: orderID, Trace: "00-trace-01"}, stored(t, g.event))
	if err != nil || !ok {
		t.Fatalf("catalogue of %s: ok %v, err %v", g.name, ok, err)
	}
	return m
}

func TestCatalogueMessages(t *testing.T) {
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			m := g.message(t)
			want := `{"pattern":"` + g.pattern + `","data":` + strings.ReplaceAll(strings.ReplaceAll(g.data, "<", `\u003c`), ">", `\u003e`) + `}`
			if string(m.Body) != want {
				t.Errorf("body\n got %s\nwant %s", m.Body, want)
			}
			if m.ID != string(g.stream)+"|7" || m.Pattern != g.pattern || m.Aggregate != string(g.stream) || m.Sequence != 7 ||
				m.Traceparent != "00-trace-01" || !m.At.Equal(at.Std()) {
				t.Errorf("properties %+v", m)
			}
			if correlates := g.stream.Kind() != "product"; correlates && m.CorrelationID != orderID || !correlates && m.CorrelationID != "" {
				t.Errorf("correlation id %q", m.CorrelationID)
			}
		})
	}
}

func TestCatalogueIsComplete(t *testing.T) {
	tested := map[string]bool{}
	for _, g := range goldens {
		tested[g.event.EventType()] = true
	}
	for eventType := range rules {
		if !tested[eventType] {
			t.Errorf("%s has no golden message", eventType)
		}
	}
	contract := []string{"inventory.confirmed", "inventory.low_stock_alert", "inventory.released", "inventory.reservation.failed",
		"inventory.reservation.requested", "inventory.reserved", "order.cancelled", "order.created", "order.updated",
		"payment.confirmed", "payment.failed", "payment.intent.created", "payment.process.requested", "payment.refunded"}
	if got := Patterns(); !slices.Equal(got, contract) {
		t.Errorf("patterns %v, contract %v", got, contract)
	}
}

func TestEventsWithoutPublicVersion(t *testing.T) {
	for _, e := range []struct {
		stream storage.Stream
		event  interface{ EventType() string }
	}{
		{"order/" + identity, order.Settled{At: at}}, {"order/" + identity, order.Hidden{At: at}},
		{"product/p-1", product.Held{OrderID: orderID, Quantity: 1}}, {"payment/" + identity, payment.Requested{OrderID: orderID}},
		{"payment/" + identity, payment.Cancelled{At: at}},
	} {
		if m, ok, err := Catalogue(Origin{Stream: e.stream, Sequence: 1}, stored(t, e.event)); ok || err != nil {
			t.Errorf("%s gave %q, err %v", e.event.EventType(), m.Pattern, err)
		}
	}
	if _, ok, err := Catalogue(Origin{Stream: "claim/sku/x", Sequence: 1}, storage.Event{Type: "claim.acquired", Schema: 1, Data: []byte("{}")}); ok || err != nil {
		t.Errorf("an event of another kind: ok %v, err %v", ok, err)
	}
}

func TestCatalogueNeverSkipsWhatItDoesNotUnderstand(t *testing.T) {
	for name, e := range map[string]storage.Event{
		"type of a newer version":   {Type: "order.split", Schema: 1, Data: []byte("{}")},
		"schema of a newer version": {Type: "order.placed", Schema: domain.CurrentSchema + 1, Data: []byte("{}")},
		"damaged data":              {Type: "order.placed", Schema: 1, Data: []byte(`{"id":`)},
	} {
		if _, ok, err := Catalogue(Origin{Stream: "order/" + identity, Sequence: 1}, e); err == nil || ok {
			t.Errorf("%s: ok %v, err %v", name, ok, err)
		}
	}
	_, _, err := Catalogue(Origin{Stream: "order/" + identity, Sequence: 5}, stored(t, order.Confirmed{Number: number, At: at}))
	if !errors.Is(err, ErrNoOrderID) {
		t.Errorf("without the order's id: err %v", err)
	}
}

func TestAliasIsAMessageOfItsOwn(t *testing.T) {
	named := map[string]string{}
	for _, g := range goldens {
		m := g.message(t)
		alias, ok := m.Alias()
		if !ok {
			continue
		}
		named[m.Pattern] = alias.Pattern
		var first, second struct {
			Pattern string
			Data    json.RawMessage
		}
		if err := errors.Join(json.Unmarshal(m.Body, &first), json.Unmarshal(alias.Body, &second)); err != nil {
			t.Fatal(err)
		}
		if second.Pattern != alias.Pattern || string(first.Data) != string(second.Data) {
			t.Errorf("alias body %s of %s", alias.Body, m.Body)
		}
		if alias.ID != m.ID+"|"+alias.Pattern || alias.Sequence != m.Sequence {
			t.Errorf("alias id %q of %q", alias.ID, m.ID)
		}
	}
	if named["inventory.reservation.failed"] != "inventory.insufficient" || named["payment.confirmed"] != "payment.succeeded" || len(named) != 2 {
		t.Errorf("aliases %v", named)
	}
}

func TestMessageIDFitsAMQP(t *testing.T) {
	long := storage.StreamOf("product", strings.Repeat("ü", 100)+"a")
	event := stored(t, product.LowStock{ProductID: "p", At: at})
	ids := map[string]bool{}
	for _, stream := range []storage.Stream{long, long + "b", storage.StreamOf("product", strings.Repeat("x", 180))} {
		m, _, err := Catalogue(Origin{Stream: stream, Sequence: 1 << 62}, event)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.ID)+len("|inventory.insufficient") > 255 {
			t.Errorf("id of %d bytes", len(m.ID))
		}
		ids[m.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("streams share an id: %v", ids)
	}
}

func BenchmarkCatalogue(b *testing.B) {
	for _, g := range goldens[:3] {
		e := stored(b, g.event)
		o := Origin{Stream: g.stream, Sequence: 7}
		b.Run(g.pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Catalogue(o, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
