package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/gateway"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
)

const webhookSecret = "whsec_test"

var webhookKey = gateway.NewWebhookKey(webhookSecret)

func TestPaymentOfAnotherSystemsOrder(t *testing.T) {
	b := newBench(t, nil)
	a := b.send(t, "POST", "/payments", goodPayment).want(t, 201)
	asked := b.asker.only(t, func(a asked) bool { return a.cmd.GetRequestPayment() != nil })
	p := asked.cmd.GetRequestPayment()
	if asked.kind != kindPayment || asked.identity != "x:erp-77" || !domain.IsID(p.GetId()) || p.GetAmount() != 2100 || p.GetCustomerEmail() != "ada@example.com" ||
		len(p.GetLines()) != 1 || p.GetLines()[0].GetQuantity() != 2 || p.GetMethod() != "" {
		t.Errorf("asked %v", asked)
	}
	if a.Header.Get("Location") != "/payments/"+domain.PaymentIntentID("erp-77") {
		t.Errorf("Location %q", a.Header.Get("Location"))
	}
}

// payable plays the order's saga: the payment appears while the request waits.
type payable struct {
	order       order.Document
	appearsIn   int // reads of the order until it has asked for its payment
	payableIn   int // reads of the payment until the provider knows it
	cancelled   bool
	unknownness int // reads of the payment that find none yet
}

func (p *payable) answer(_ context.Context, kind, _ string, cmd *messages.Command) (*messages.Reply, error) {
	switch {
	case kind == kindClaim:
		c := cmd.GetAcquireClaim()
		return &messages.Reply{Detail: &messages.Reply_Claim{Claim: &messages.Claim{Owner: c.GetOwner(), Value: c.GetValue()}}}, nil
	case cmd.GetGetOrder() != nil:
		d := p.order
		if p.appearsIn--; p.appearsIn <= 0 {
			d.PaymentIntentID = domain.PaymentIntentID(d.ID)
			if p.cancelled {
				d.Status = order.StatusCancelled
			}
		}
		return document(d, 3)
	case cmd.GetGetPayment() != nil:
		if p.unknownness--; p.unknownness >= 0 {
			return refusal(2, "payment_not_found", "not yet"), nil
		}
		d := payment.Document{PaymentIntentID: domain.PaymentIntentID(p.order.ID), Status: payment.StatusPending}
		if p.payableIn--; p.payableIn <= 0 {
			d.StripeClientSecret = "pi_1_secret"
		}
		return document(d, 4)
	}
	return nil, fmt.Errorf("not expected: %v", cmd)
}

func orderedPayment() (*payable, string) {
	d := order.Document{ID: someID, Total: 2100, Currency: "usd", Status: order.StatusPending, Customer: order.Customer{CustomerID: "cust-1", Email: "ada@example.com"}}
	return &payable{order: d, appearsIn: 3, payableIn: 2, unknownness: 1}, strings.Replace(goodPayment, "erp-77", someID, 1)
}

func TestPaymentOfAnOrderHereIsTheOrdersOwn(t *testing.T) {
	p, body := orderedPayment()
	b := newBench(t, nil)
	b.asker.answer = p.answer
	a := b.send(t, "POST", "/payments", body, "Idempotency-Key", "k").want(t, 201)
	if d := a.object(t); d["stripeClientSecret"] != "pi_1_secret" || a.Header.Get("ETag") != `"4"` {
		t.Errorf("payment %v", d)
	}
	for _, asked := range b.asker.all() {
		if asked.cmd.GetRequestPayment() != nil {
			t.Error("the front end asked for a second payment")
		}
	}
}

func TestPaymentOfAnOrderHereMustBeTheSame(t *testing.T) {
	for from, to := range map[string]string{`"amount":2100`: `"amount":2099`, `"usd"`: `"eur"`, "cust-1": "cust-2", "ada@": "eve@"} {
		p, body := orderedPayment()
		b := newBench(t, nil)
		b.asker.answer = p.answer
		if got := b.send(t, "POST", "/payments", strings.Replace(body, from, to, 1)).want(t, 409).problem(t); got.Code != "payment_differs" {
			t.Errorf("%s: %+v", to, got)
		}
	}
}

func TestPaymentOfACancelledOrder(t *testing.T) {
	p, body := orderedPayment()
	p.cancelled = true
	b := newBench(t, nil)
	b.asker.answer = p.answer
	if got := b.send(t, "POST", "/payments", body).want(t, 409).problem(t); got.Code != "order_not_payable" {
		t.Errorf("problem %+v", got)
	}
}

func TestPaymentOfAHiddenOrder(t *testing.T) {
	b := newBench(t, nil)
	data, _ := order.Codec.Encode(order.Placed{ID: someID})
	b.past.append(storage.StreamOf(kindOrder, domain.OrderIdentity(someID)), storage.Event{Type: "order.placed", Schema: 1, Data: data})
	b.asker.answer = func(_ context.Context, kind, _ string, _ *messages.Command) (*messages.Reply, error) {
		if kind == kindOrder {
			return refusal(2, "order_not_found", "hidden"), nil
		}
		return nil, fmt.Errorf("a hidden order must not get a payment")
	}
	_, body := orderedPayment()
	if got := b.send(t, "POST", "/payments", body).want(t, 409).problem(t); got.Code != "order_not_payable" {
		t.Errorf("problem %+v", got)
	}
}

func TestPaymentOfAnOrderThatReservesForLong(t *testing.T) {
	p, body := orderedPayment()
	p.appearsIn = 1 << 30
	b := newBench(t, func(c *Config) { c.Limits.Payment = 50e6 })
	b.asker.answer = p.answer
	a := b.send(t, "POST", "/payments", body).want(t, 503)
	if a.problem(t); a.Header.Get("Retry-After") != "1" {
		t.Error("no Retry-After")
	}
}

func TestPaymentThatItsOrderAlreadyNamesIsFound(t *testing.T) {
	p, _ := orderedPayment()
	p.appearsIn, p.unknownness = 0, 3
	b := newBench(t, nil)
	b.asker.answer = p.answer
	a := b.send(t, "GET", "/payments/"+domain.PaymentIntentID(someID), "").want(t, 200)
	if d := a.object(t); d["paymentIntentId"] != domain.PaymentIntentID(someID) {
		t.Errorf("payment %v", d)
	}
}

func TestPaymentThatNoOrderNamesIsNotWaitedFor(t *testing.T) {
	p, _ := orderedPayment()
	p.appearsIn, p.unknownness = 1000, 1000
	b := newBench(t, nil)
	b.asker.answer = p.answer
	b.send(t, "GET", "/payments/"+domain.PaymentIntentID(someID), "").want(t, 404)
	if n := len(b.asker.all()); n != 2 {
		t.Errorf("%d questions, want one to the payment and one to the order", n)
	}
}

func TestPaymentOfAnOrderThatWasGivenUpBeforeIsNotWaitedFor(t *testing.T) {
	p, _ := orderedPayment()
	p.appearsIn, p.unknownness, p.cancelled = 0, 1000, true
	b := newBench(t, nil)
	b.asker.answer = p.answer
	b.send(t, "GET", "/payments/"+domain.PaymentIntentID(someID), "").want(t, 404)
}

func TestPaymentCommands(t *testing.T) {
	const id = "pay_9b3d4e5f60718293"
	b := newBench(t, nil)
	b.send(t, "GET", "/payments/"+id, "").want(t, 200)
	b.send(t, "POST", "/payments/"+id+"/confirm", `{"paymentMethodId":"pm_card_visa"}`).want(t, 200)
	b.send(t, "POST", "/payments/"+id+"/refund", `{"amount":500,"reason":"broken"}`).want(t, 200)
	b.send(t, "POST", "/payments/"+id+"/refund", "").want(t, 200)
	all := b.asker.all()
	for _, a := range all {
		if a.kind != kindPayment || a.identity != "9b3d4e5f60718293" {
			t.Errorf("asked %v", a)
		}
	}
	if all[0].cmd.GetGetPayment().GetPaymentIntentId() != id || all[1].cmd.GetConfirmPayment().GetMethod() != "pm_card_visa" ||
		all[2].cmd.GetRefundPayment().GetAmount() != 500 || all[3].cmd.GetRefundPayment().Amount != nil {
		t.Errorf("asked %v", all)
	}
	if left := all[1].cmd.GetDeadline() - noon.UnixMilli(); left == 0 {
		t.Error("no deadline")
	}
}

func TestReservationCommands(t *testing.T) {
	b := newBench(t, nil)
	b.send(t, "GET", "/inventory/reservations/erp%2F77", "").want(t, 200)
	b.send(t, "POST", "/inventory/reservations/"+someID+"/release", `{"reason":"no show"}`).want(t, 200)
	b.send(t, "POST", "/inventory/reservations/"+someID+"/confirm", "").want(t, 200)
	all := b.asker.all()
	if all[0].identity != "x:erp/77" || all[0].cmd.GetGetReservation().GetOrderId() != "erp/77" || all[1].identity != someID[8:] ||
		all[1].cmd.GetReleaseReservation().GetReason() != "no show" || all[2].cmd.GetConfirmReservation().GetOrderId() != someID {
		t.Errorf("asked %v", all)
	}
}

// webhook sends a signed event.
func (b *bench) webhook(t *testing.T, event string) answered {
	t.Helper()
	return b.send(t, "POST", "/payments/webhook/stripe", event, gateway.SignatureHeader, webhookKey.Sign([]byte(event), noon))
}

func eventOf(kind, intent, metadata string) string {
	return fmt.Sprintf(`{"id":"evt_1","type":%q,"data":{"object":{"id":%q,"metadata":%s}}}`, kind, intent, metadata)
}

func TestWebhookReachesItsPayment(t *testing.T) {
	b := newBench(t, nil)
	if a := b.webhook(t, eventOf(gateway.TypeSucceeded, "pi_1", `{"paymentIntentId":"pay_9b3d4e5f60718293"}`)).want(t, 200); string(a.body) != `{"received":true}` {
		t.Errorf("answer %s", a.body)
	}
	if a := b.asker.all()[0]; a.kind != kindPayment || a.identity != "9b3d4e5f60718293" {
		t.Errorf("asked %v", a)
	}
	stored, _ := json.Marshal(map[string]string{"paymentIntentId": "pay_1111111111111111"})
	b.views.documents = []storage.Document{{Body: stored}}
	b.webhook(t, eventOf(gateway.TypeSucceeded, "pi_2", "{}")).want(t, 200)
	found := false
	for _, a := range b.asker.all() {
		e := a.cmd.GetRecordGatewayEvent()
		if a.kind == kindPayment && e.GetIntentId() == "pi_2" {
			found = a.identity == "1111111111111111" && e.GetEventId() == "evt_1" && e.GetType() == gateway.TypeSucceeded
		}
	}
	if filter := b.views.filters[len(b.views.filters)-1]; !found || filter.External != "pi_2" || filter.Collection != storage.Payments {
		t.Errorf("asked %v, filters %v", b.asker.all(), b.views.filters)
	}
}

func TestWebhookOfAnUnknownIntentIsParked(t *testing.T) {
	b := newBench(t, nil)
	b.asker.answer = func(_ context.Context, kind, _ string, _ *messages.Command) (*messages.Reply, error) {
		if kind == kindPayment {
			return refusal(2, "payment_not_found", "no payment"), nil
		}
		return &messages.Reply{}, nil
	}
	b.webhook(t, eventOf(gateway.TypeSucceeded, "pi_9", "{}")).want(t, 200)
	parked := b.asker.only(t, func(a asked) bool { return a.cmd.GetParkWebhook() != nil })
	if parked.kind != kindWebhook || parked.identity != "pi_9" || parked.cmd.GetParkWebhook().GetEvent().GetEventId() != "evt_1" {
		t.Errorf("asked %v", parked)
	}
}

func TestWebhookFromInside(t *testing.T) {
	b := newBench(t, nil)
	event := []byte(eventOf(gateway.TypeSucceeded, "pi_9", `{"orderId":"erp-77"}`))
	if err := b.Webhook(t.Context(), event, webhookKey.Sign(event, noon)); err != nil {
		t.Fatal(err)
	}
	if a := b.asker.all()[0]; a.identity != "x:erp-77" || a.cmd.GetCause() != "POST /payments/webhook/stripe" {
		t.Errorf("asked %v", a)
	}
	if err := b.Webhook(t.Context(), event, "t=1,v1=00"); err == nil {
		t.Error("a wrong signature was accepted")
	}
	b.asker.answer = replies(refusal(7, "retry", "again"))
	if err := b.Webhook(t.Context(), event, webhookKey.Sign(event, noon)); err == nil {
		t.Error("claims to have recorded an event that it has not")
	}
}

func TestWebhookThatMeansNothingHere(t *testing.T) {
	b := newBench(t, nil)
	b.webhook(t, `{"id":"evt_1","type":"customer.created","data":{"object":{"id":"cus_1"}}}`).want(t, 200)
	if n := len(b.asker.all()); n != 0 {
		t.Errorf("%d commands", n)
	}
}

func TestWebhookRefusals(t *testing.T) {
	event := eventOf(gateway.TypeSucceeded, "pi_1", "{}")
	good := webhookKey.Sign([]byte(event), noon)
	b := newBench(t, nil)
	for _, signature := range []string{"", "t=1,v1=00", gateway.NewWebhookKey("whsec_other").Sign([]byte(event), noon),
		webhookKey.Sign([]byte(event), noon.Add(-gateway.DefaultTolerance-1e9)), webhookKey.Sign([]byte(event+" "), noon)} {
		if p := b.send(t, "POST", "/payments/webhook/stripe", event, gateway.SignatureHeader, signature).want(t, 400).problem(t); p.Code != "webhook_signature" {
			t.Errorf("%q: %+v", signature, p)
		}
	}
	if p := b.send(t, "POST", "/payments/webhook/stripe", "[]", gateway.SignatureHeader, webhookKey.Sign([]byte("[]"), noon)).want(t, 400).problem(t); p.Code != "webhook_payload" {
		t.Errorf("problem %+v", p)
	}
	if n := len(b.asker.all()); n != 0 {
		t.Errorf("%d commands", n)
	}
	unconfigured := newBench(t, func(c *Config) { c.WebhookSecret = "" })
	unconfigured.send(t, "POST", "/payments/webhook/stripe", event, gateway.SignatureHeader, good).want(t, 400).problem(t)
}

func TestWebhookThatIsNotDurableIsSentAgain(t *testing.T) {
	for name, answer := range map[string]func(context.Context, string, string, *messages.Command) (*messages.Reply, error){
		"away":    func(context.Context, string, string, *messages.Command) (*messages.Reply, error) { return nil, errAway },
		"retry":   replies(refusal(7, "retry", "again")),
		"refused": replies(refusal(3, "strange", "no")),
	} {
		b := newBench(t, nil)
		b.asker.answer = answer
		if a := b.webhook(t, eventOf(gateway.TypeSucceeded, "pi_1", "{}")).want(t, 503); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", name)
		}
	}
	b := newBench(t, nil)
	b.views.err = errAway
	b.webhook(t, eventOf(gateway.TypeSucceeded, "pi_1", "{}")).want(t, 503)
}
