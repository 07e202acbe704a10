package verify_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// world lets many sagas run beside each other, in an order that chance decides: steps are interrupted and begun again as
// after a crash, messages come twice and late, and people interfere.
type world struct {
	*shop
	sagas    []string
	products []string
	held     map[string]int  // how many lines the running step has held
	crashed  map[string]bool // an earlier step may have held more
}

func newWorld(t testing.TB, seed uint64, memberCount int) *world {
	w := &world{shop: newShop(t, seed), products: []string{"anvil", "bolt", "crate"}, held: map[string]int{}, crashed: map[string]bool{}}
	if memberCount > 0 {
		w.joinMembers(memberCount)
	}
	for i, p := range w.products {
		w.catalogue(p, fmt.Sprintf("SKU-%d", i), int64(100*i), 30, 5)
	}
	return w
}

func pick[T any](w *world, list []T) T { return list[w.random.IntN(len(list))] }

// allowed drops a refusal: whoever interferes may well come too late.
func (w *world) allowed(err error) {
	if _, refused := domain.AsRefusal(err); err != nil && !refused {
		w.t.Fatal(err)
	}
}

func (w *world) turn() {
	w.pass(time.Duration(1+w.random.IntN(400)) * time.Millisecond)
	if w.members != nil && w.random.IntN(60) == 0 {
		w.members.turnClock()
	}
	if w.members != nil && w.random.IntN(150) == 0 {
		w.members.crash()
	}
	if len(w.sagas) == 0 || w.random.IntN(12) == 0 {
		w.begin()
		return
	}
	if w.random.IntN(15) == 0 {
		w.elapse(0)
	}
	id := pick(w, w.sagas)
	switch w.random.IntN(40) {
	case 0:
		w.allowed(w.order(id, order.Cancel{ID: w.orders[id].OrderID(), Reason: "changed my mind", At: w.now}))
	case 1:
		w.allowed(w.order(id, order.ConfirmReservation{OrderID: w.orders[id].OrderID(), At: w.now}))
	case 2:
		w.allowed(w.order(id, order.Release{OrderID: w.orders[id].OrderID(), Reason: "by hand", At: w.now}))
	case 3:
		status := string(pick(w, []order.Status{order.StatusProcessing, order.StatusShipped, order.StatusDelivered}))
		w.allowed(w.order(id, order.Amend{ID: w.orders[id].OrderID(), Status: &status, Notes: &status, At: w.now}))
	case 4:
		if w.orders[id].Phase == order.PhaseReserving {
			w.held[id], w.crashed[id] = 0, true
		}
	case 5: // a message of an earlier life
		if w.orders[id].Phase == order.PhaseReserving {
			w.crashed[id] = true
		}
		if w.crashed[id] && w.quiet(storage.StreamOf("order", id), w.orders[id].UpdatedAt) < 20*time.Second { // no message is under way for longer
			w.allowed(w.hold(id, pick(w, w.orders[id].Reservation.Lines)))
		}
	case 6:
		w.people(id)
	case 7:
		w.stock()
	case 8:
		w.elapse(time.Duration(w.random.IntN(300)) * time.Second)
	case 9:
		w.notify(id)
	case 10:
		w.allowed(w.order(id, order.Hide{ID: w.orders[id].OrderID(), At: w.now}))
	default:
		w.advance(id)
		w.provide(id)
	}
}

func (w *world) begin() {
	var wants []want
	for range 1 + w.random.IntN(3) {
		if p := pick(w, w.products); w.shop.products[p].Exists {
			wants = append(wants, want{p, int64(1 + w.random.IntN(4))})
		}
	}
	switch {
	case len(wants) == 0:
	case w.random.IntN(5) == 0:
		w.sagas = append(w.sagas, w.other(fmt.Sprintf("theirs %d", len(w.sagas)), wants...))
	default:
		w.policy.ShippingFlat = pick(w, []int64{0, 1000})
		w.sagas = append(w.sagas, w.place(pick(w, []string{"card", "pm_card_visa"}), wants...))
	}
}

// advance takes one step of the order's phase.
func (w *world) advance(id string) {
	o := w.orders[id]
	lines := o.Reservation.Lines
	switch o.Phase {
	case order.PhaseReserving:
		w.reserveOne(id, lines)
	case order.PhasePaying:
		if err := w.ask(id); err != nil {
			w.must(w.order(id, order.RecordDeclined{Message: err.Error(), At: w.now}))
			return
		}
		switch p := w.payments[id]; {
		case p.Status == payment.StatusSucceeded:
			if !o.Sold() {
				w.takeSome(id)
			} else {
				w.must(w.order(id, order.RecordPaid{At: w.now}))
			}
		case p.Final() || (p.Status == payment.StatusFailed && o.PaymentRequested.Method != ""):
			w.must(w.order(id, order.RecordDeclined{Message: "payment failed", At: w.now}))
		}
	case order.PhaseConfirming:
		w.takeSome(id)
	case order.PhaseUndoing:
		if w.random.IntN(3) == 0 { // as far as a crash lets it
			w.allowed(w.giveBack(id, pick(w, lines)))
			return
		}
		w.undo(id)
	case order.PhaseNone:
		if w.random.IntN(4) == 0 {
			w.allowed(w.product(pick(w, lines).ProductID, product.Forget{OrderIDs: []string{o.OrderID()}, At: w.now}))
		}
	}
}

func (w *world) reserveOne(id string, lines []order.Line) {
	i := w.held[id]
	if i == len(lines) {
		w.must(w.order(id, order.RecordReserved{At: w.now}))
		return
	}
	if err := w.hold(id, lines[i]); err != nil {
		short := order.Shortage{ProductID: lines[i].ProductID, ProductName: lines[i].ProductName, RequestedQuantity: lines[i].Quantity}
		w.must(w.order(id, order.RecordShortage{Shortages: []order.Shortage{short}, Undo: i > 0 || w.crashed[id], At: w.now}))
		return
	}
	w.held[id]++
}

// takeSome takes the lines, or a part of them before a crash.
func (w *world) takeSome(id string) {
	o := w.orders[id]
	for _, line := range o.Reservation.Lines {
		if w.random.IntN(4) == 0 {
			return
		}
		w.must(w.product(line.ProductID, product.Take{OrderID: o.OrderID(), At: w.pass(step)}))
	}
	if o.Phase == order.PhaseConfirming {
		w.must(w.order(id, order.RecordTaken{At: w.now}))
	} else {
		w.must(w.order(id, order.RecordPaid{At: w.now}))
	}
}

// provide answers one call of the payment, if it has one to make.
func (w *world) provide(id string) {
	p := w.payments[id]
	if p == nil || w.random.IntN(2) == 0 {
		return
	}
	outcomes := []payment.Outcome{payment.OutcomeSucceeded, payment.OutcomeSucceeded, payment.OutcomeDeclined, payment.OutcomeRequiresAction, payment.OutcomeProcessing}
	switch work, number := p.Due(); work {
	case payment.WorkCreate:
		if p.Requested.Method == "" {
			outcomes = []payment.Outcome{payment.OutcomeOpen}
		}
		w.provider(id, pick(w, outcomes), 0)
	case payment.WorkConfirm:
		w.provider(id, pick(w, outcomes), number)
	case payment.WorkCancel, payment.WorkResolve:
		w.provider(id, pick(w, []payment.Outcome{payment.OutcomeCanceled, payment.OutcomeSucceeded}), number)
	case payment.WorkRefund:
		if w.random.IntN(6) == 0 {
			w.must(w.payment(id, "", payment.RecordRejected{Work: work, Number: number, Message: "no", At: w.now}))
			return
		}
		w.must(w.payment(id, "", payment.RecordRefunded{Index: number, RefundID: fmt.Sprintf("re_%s_%d", id, number), At: w.now}))
	}
}

// people pay and refund by hand.
func (w *world) people(id string) {
	p := w.payments[id]
	if p == nil || !p.Exists() {
		return
	}
	amount := int64(1 + w.random.IntN(500))
	w.allowed(w.payment(id, "", payment.Confirm{PaymentIntentID: p.PaymentIntentID(), Method: "pm_card", At: w.now}))
	w.allowed(w.payment(id, "", payment.GiveBack{PaymentIntentID: p.PaymentIntentID(), Amount: &amount, Reason: "by hand", At: w.now}))
}

// notify sends any webhook, true or late or both.
func (w *world) notify(id string) {
	if w.payments[id] == nil || !w.payments[id].Exists() {
		return
	}
	kind := pick(w, []string{"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.requires_action",
		"payment_intent.canceled", "charge.refunded", "charge.dispute.created"})
	w.webhook(id, payment.RecordWebhook{Type: kind, DisputeID: "dp", RefundID: "re", Message: pick(w, []string{"no funds", "lost card"}),
		AmountRefunded: int64(w.random.IntN(2000))})
}

// stock moves by hand; now and then a product goes, and comes again.
func (w *world) stock() {
	id := pick(w, w.products)
	p := w.shop.products[id]
	switch {
	case !p.Exists:
		w.catalogue(id, fmt.Sprintf("SKU-%d", w.random.IntN(1<<30)), 250, 20, 5)
	case w.random.IntN(5) == 0:
		w.allowed(w.product(id, product.Delete{ID: p.Entry.ID, At: w.now}))
		w.settleClaims(id)
	case w.random.IntN(3) == 0:
		price, threshold := int64(w.random.IntN(900)), int64(w.random.IntN(20))
		w.allowed(w.product(id, product.Update{ID: p.Entry.ID, At: w.now, Changes: product.Updated{Price: &price, LowStockThreshold: &threshold}}))
	default:
		w.allowed(w.product(id, product.Adjust{MovementID: w.newID(), Reason: "counted", Delta: int64(w.random.IntN(30) - 10), At: w.now}))
	}
}

// elapse lets time go by, and everybody do at once what is due then.
func (w *world) elapse(d time.Duration) {
	w.pass(d)
	for _, id := range w.sagas {
		w.must(w.order(id, order.Tick{At: w.now}))
		if w.orders[id].Phase == order.PhaseUndoing {
			w.undo(id)
		}
	}
	for _, id := range w.products {
		p := w.shop.products[id]
		holding, remembered := p.Unattended(w.clock("product", id))
		orders := append(holding, remembered...)
		slices.Sort(orders) // the state is a map
		for _, orderID := range orders {
			if !w.orders[domain.OrderIdentity(orderID)].Holds() {
				w.must(w.product(id, product.Return{OrderID: orderID, HoldOnly: true, Reason: "abandoned by its order", At: w.now}))
			}
		}
	}
}

// TestRealRulesAreClean is about false alarms: whatever the real rules do, however it is mixed, is no violation; neither
// is what a crash leaves behind at any point.
func TestRealRulesAreClean(t *testing.T) {
	seeds := 60
	if testing.Short() {
		seeds = 10
	}
	var total int64
	for seed := range seeds {
		w := newWorld(t, uint64(seed), 0)
		for range 600 {
			w.turn()
		}
		total += clean(t, w.tape(), verify.Options{}).Events
		for range 4 {
			cut := w.tape()
			cut.entries = cut.entries[:1+w.random.IntN(len(cut.entries)-1)]
			cut.marks = nil
			clean(t, cut, verify.Options{})
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d events", total)
}
