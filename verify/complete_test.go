package verify_test

import (
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
)

func ptr[T any](v T) *T { return &v }

// completeShop is a journal in which everything happens that can happen. The clock is put forward by jump at one order, and
// back at the next.
func completeShop(t testing.TB, jump time.Duration) *shop {
	s := newShop(t, 1)
	s.jump = jump
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	s.catalogue("bolt", "BLT-1", 25, 1000, 10)
	s.catalogue("crate", "CRT-1", 1200, 6, 5)
	s.catalogue("gift", "GFT-1", 0, 10, 0)
	s.catalogue("relic", "RLC-1", 90000, 3, 0)
	catalogueWork(s)
	deliveries(s)
	waysBack(s)
	handPayments(s)
	otherSystems(s)
	writtenOff(s)
	webhooks(s)
	underWay(s)
	return s
}

func catalogueWork(s *shop) {
	bolt := s.products["bolt"]
	at := s.pass(time.Second)
	s.must(s.claim("sku/BLT-2", claim.Acquire{Owner: bolt.Entry.ID, Value: "bolt", Until: at.Add(time.Minute), At: at}))
	s.must(s.product("bolt", product.Update{ID: bolt.Entry.ID, At: at, Changes: product.Updated{Name: ptr("Bolt M8"), SKU: ptr("BLT-2"),
		Price: ptr(int64(30)), Weight: ptr(0.2), Active: ptr(true), Description: ptr("Zinc plated."), Category: ptr("parts"),
		Currency: ptr("usd"), Dimensions: ptr("8 mm")}}))
	s.settleClaims("bolt")
	s.must(s.product("bolt", product.Adjust{MovementID: s.newID(), Reason: "counted", Delta: -10, At: s.pass(time.Second)}))
	s.must(s.product("bolt", product.Update{ID: bolt.Entry.ID, MovementID: s.newID(), Stock: ptr(int64(15)), At: s.pass(time.Second),
		Changes: product.Updated{LowStockThreshold: ptr(int64(20))}}))
	s.must(s.product("bolt", product.Adjust{MovementID: s.newID(), Reason: "delivery", Delta: 1000, At: s.pass(time.Second)}))
	s.must(s.claim("key/abc", claim.Acquire{Owner: "fingerprint", Value: "value", At: s.pass(time.Second)}))
}

// deliveries are orders that reach their buyer.
func deliveries(s *shop) {
	first := s.buy(want{"anvil", 2}, want{"bolt", 10}, want{"anvil", 1})
	id := s.orders[first].OrderID()
	for _, next := range []string{"processing", "shipped", "delivered"} {
		s.must(s.order(first, order.Amend{ID: id, Status: &next, Notes: ptr("now " + next), At: s.pass(time.Hour)}))
	}
	second := s.buy(want{"crate", 1})
	address := s.orders[second].Placed.ShippingAddress
	address.Street = "Street 2"
	s.must(s.order(second, order.Amend{ID: s.orders[second].OrderID(), ShippingAddress: &address, At: s.pass(time.Minute)}))
	for _, identity := range []string{first, second} {
		for _, line := range s.orders[identity].Reservation.Lines {
			s.must(s.product(line.ProductID, product.Forget{OrderIDs: []string{s.orders[identity].OrderID()}, At: s.pass(time.Minute)}))
		}
	}
	// One that needs several attempts, and 3-D Secure.
	slow := s.place("card", want{"anvil", 1})
	s.reserve(slow)
	s.must(s.ask(slow))
	s.provider(slow, payment.OutcomeOpen, 0)
	pay := func() {
		s.must(s.payment(slow, "POST /confirm", payment.Confirm{PaymentIntentID: s.payments[slow].PaymentIntentID(), Method: "pm_card", At: s.pass(time.Second)}))
	}
	pay()
	s.provider(slow, payment.OutcomeDeclined, 1)
	pay()
	s.webhook(slow, payment.RecordWebhook{Type: "payment_intent.payment_failed", Message: "not yet known"})
	s.provider(slow, payment.OutcomeRequiresAction, 2)
	pay()
	s.provider(slow, payment.OutcomeRequiresAction, 3)
	s.webhook(slow, payment.RecordWebhook{Type: "payment_intent.succeeded", Method: "pm_card"})
	s.take(slow)
	s.must(s.order(slow, order.RecordPaid{At: s.pass(step)}))
	// One that costs nothing.
	s.policy.ShippingFlat = 0
	free := s.place("none", want{"gift", 1})
	s.policy.ShippingFlat = 1000
	s.reserve(free)
	s.take(free)
	s.must(s.order(free, order.RecordTaken{At: s.pass(step)}))
	// One whose reservation somebody confirms by hand before it is paid.
	hand := s.place("card", want{"bolt", 3})
	s.reserve(hand)
	s.must(s.order(hand, order.ConfirmReservation{OrderID: s.orders[hand].OrderID(), At: s.pass(time.Second)}))
	s.take(hand)
	s.must(s.order(hand, order.RecordTaken{At: s.pass(step)}))
	s.must(s.ask(hand))
	s.provider(hand, payment.OutcomeOpen, 0)
	s.webhook(hand, payment.RecordWebhook{Type: "payment_intent.processing"})
	s.webhook(hand, payment.RecordWebhook{Type: "payment_intent.succeeded", Method: "pm_card"})
	s.must(s.order(hand, order.RecordPaid{At: s.pass(step)}))
}

// waysBack are orders that are not filled.
func waysBack(s *shop) {
	paid := s.buy(want{"anvil", 1}, want{"bolt", 2})
	s.cancel(paid, "changed my mind")
	s.undo(paid)
	s.work(paid)
	s.must(s.order(paid, order.Hide{ID: s.orders[paid].OrderID(), At: s.pass(time.Second)}))

	unpaid := s.place("card", want{"anvil", 1})
	s.reserve(unpaid)
	s.must(s.ask(unpaid))
	s.provider(unpaid, payment.OutcomeOpen, 0)
	s.cancel(unpaid, "")
	s.undo(unpaid)
	s.work(unpaid)

	declined := s.place("pm_card_chargeDeclined", want{"bolt", 1})
	s.reserve(declined)
	s.must(s.ask(declined))
	s.provider(declined, payment.OutcomeDeclined, 0)
	s.must(s.order(declined, order.RecordDeclined{Message: "payment failed", At: s.pass(step)}))
	s.undo(declined)
	s.work(declined)

	rejected := s.place("pm_gone", want{"bolt", 1})
	s.reserve(rejected)
	s.must(s.ask(rejected))
	s.must(s.payment(rejected, "create/0", payment.RecordRejected{Work: payment.WorkCreate, Message: "no such method", At: s.pass(step)}))
	s.must(s.order(rejected, order.RecordDeclined{Message: "payment failed", At: s.pass(step)}))
	s.undo(rejected)

	short := s.place("card", want{"anvil", 1}, want{"crate", 500})
	s.reserve(short)
	s.undo(short)
	empty := s.place("card", want{"crate", 500})
	s.reserve(empty)

	late := s.place("card", want{"anvil", 1})
	s.reserve(late)
	s.must(s.ask(late))
	s.expire(late)
	s.undo(late)
	s.provider(late, payment.OutcomeSucceeded, 0) // the money comes all the same
	s.work(late)

	slow := s.place("card", want{"anvil", 1}) // does not even get to ask for its payment
	s.reserve(slow)
	s.cancel(slow, "too slow")
	s.undo(slow)
	if err := s.ask(slow); err == nil {
		s.t.Fatal("a void payment was requested")
	}
	lost := s.place("card", want{"anvil", 1})
	s.expire(lost)
	s.undo(lost)
}

// underWay are orders that still have something to do when the journal ends.
func underWay(s *shop) {
	held := s.place("card", want{"anvil", 1})
	s.must(s.hold(held, s.orders[held].Reservation.Lines[0]))
	paying := s.place("card", want{"anvil", 1})
	s.reserve(paying)
	s.must(s.ask(paying))
	s.other("theirs 5", want{"bolt", 5})
}

// handPayments are what people do to payments.
func handPayments(s *shop) {
	paid := s.buy(want{"anvil", 1})
	refund := func(amount *int64, reason string) {
		s.must(s.payment(paid, "POST /refund", payment.GiveBack{PaymentIntentID: s.payments[paid].PaymentIntentID(), Amount: amount, Reason: reason, At: s.pass(time.Second)}))
	}
	refund(ptr(int64(500)), "scratched")
	s.webhook(paid, payment.RecordWebhook{Type: "charge.refunded", AmountRefunded: 500, RefundID: "re_" + paid})
	s.work(paid)
	refund(ptr(int64(700)), "more scratches")
	s.must(s.payment(paid, "refund/1", payment.RecordRejected{Work: payment.WorkRefund, Number: 1, Message: "no", At: s.pass(step)}))
	s.webhook(paid, payment.RecordWebhook{Type: "charge.refunded", AmountRefunded: 800, RefundID: "re_outside"})
	s.webhook(paid, payment.RecordWebhook{Type: "charge.dispute.created", DisputeID: "dp_1"})
	refund(nil, "")

	orderID := "cart 77/b" // of another system, which has its payment here
	identity := domain.OrderIdentity(orderID)
	s.must(s.payment(identity, "POST /payments", payment.Request{Payment: payment.Requested{ID: s.newID(), OrderID: orderID, CustomerID: "customer-77",
		Email: "b@example.com", Amount: 1234, Currency: "eur", Items: []payment.Item{{ProductID: "x", ProductName: "X", Quantity: 1, UnitPrice: 1234}}, At: s.pass(time.Second)}}))
	s.webhook(identity, payment.RecordWebhook{Type: "payment_intent.succeeded", Method: "pm_card"})
}

func otherSystems(s *shop) {
	sold := s.other("theirs 1", want{"bolt", 5}, want{"anvil", 1}, want{"bolt", 2})
	s.reserve(sold)
	s.must(s.order(sold, order.ConfirmReservation{OrderID: "theirs 1", At: s.pass(time.Second)}))
	s.take(sold)
	s.must(s.order(sold, order.RecordTaken{At: s.pass(step)}))
	freed := s.other("theirs 2", want{"bolt", 5})
	s.reserve(freed)
	s.must(s.order(freed, order.Release{OrderID: "theirs 2", Reason: "not needed", At: s.pass(time.Second)}))
	s.undo(freed)
	short := s.other("theirs 3", want{"anvil", 1}, want{"nothing", 5})
	s.reserve(short)
	s.undo(short)
	lapsed := s.other("theirs 4", want{"bolt", 5})
	s.reserve(lapsed)
	s.expire(lapsed)
	s.undo(lapsed)
}

// writtenOff is a sale that is undone when its product is gone.
func writtenOff(s *shop) {
	sold := s.buy(want{"relic", 1})
	s.must(s.product("relic", product.Delete{ID: s.products["relic"].Entry.ID, At: s.pass(time.Second)}))
	s.settleClaims("relic")
	s.cancel(sold, "fake")
	s.undo(sold)
	s.work(sold)
	s.catalogue("relic", "RLC-2", 80000, 2, 0)
}

func webhooks(s *shop) {
	for i, intent := range []string{"pi_stray", "pi_lost"} {
		park := webhook.Park{Notice: webhook.Notice{EventID: "evt_" + intent, Type: "payment_intent.succeeded", IntentID: intent,
			RefundID: "re", DisputeID: "dp", Message: "m", Method: "pm", AmountRefunded: 3, At: s.pass(time.Second)}}
		s.must(s.inbox(intent, park))
		if i == 0 {
			s.must(s.inbox(intent, webhook.RecordDelivered{Count: 1, At: s.pass(time.Second)}))
		}
	}
	s.now = s.inboxes["pi_lost"].Deadline()
	s.must(s.inbox("pi_lost", webhook.Tick{At: s.now}))
}
