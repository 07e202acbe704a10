package bridge_test

import (
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/bridge"
	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// ship commits the next step of an order's life, by whoever owns it now.
func (s *shop) ship(n int) {
	s.commit(storage.StreamOf("order", domain.OrderIdentity(orderID(n))), 7, []bool{true},
		stored(order.StatusChanged{Number: "ORD-X", Status: order.StatusShipped, At: began}))
}

// An order moves to another member while the first one has lost the broker: what the first one wrote of it leaves first.
func TestAnEntityMovesAwayFromAMemberWithoutABroker(t *testing.T) {
	store := memory.New()
	sub := subscribe(t)
	a, b := newShop(t, store, "a"), newShop(t, store, "b")
	l := newLink(t)
	url := l.url()
	l.cut()
	nobody := func(string) bool { return false }
	config := a.config()
	config.URL, config.Gone = url, nobody
	lagging, _ := a.run(config, store)
	config = b.config()
	config.Gone = nobody
	relay, _ := b.run(config, store)
	a.order(1)
	a.order(2)
	a.order(3)
	b.order(4)
	b.ship(1)
	b.ship(3)
	b.flush(relay, 10*time.Second)
	expected := slices.Concat(b.expected[:6], a.expected[:6], b.expected[6:7], a.expected[12:], b.expected[7:])
	if repeats := sub.heard(expected); repeats != 0 {
		t.Errorf("%d repeats", repeats)
	}
	if mark := a.relayed(); mark != 0 {
		t.Errorf("the mark of the one that lags was moved to %d", mark)
	}
	l.mend()
	a.flush(lagging, 10*time.Second)
	if repeats := sub.heard(slices.Concat(expected, a.expected[6:12])); repeats != 12 {
		t.Errorf("%d repeats of 12", repeats)
	}
}

// A member goes; two others relay what it left, and go on with its orders.
func TestTwoMembersAdoptOne(t *testing.T) {
	store := memory.New()
	sub := subscribe(t)
	a, b, c := newShop(t, store, "a"), newShop(t, store, "b"), newShop(t, store, "c")
	for n := range 40 {
		a.order(n)
	}
	gone := func(writer string) bool { return writer == "a" }
	var relays []*bridge.Relay
	for _, s := range []*shop{b, c} {
		config := s.config()
		config.Gone, config.LookInterval = gone, 20*time.Millisecond
		relay, _ := s.run(config, store)
		relays = append(relays, relay)
	}
	for n := range 40 {
		[]*shop{b, c}[n%2].ship(n)
	}
	b.flush(relays[0], 10*time.Second)
	c.flush(relays[1], 10*time.Second)
	bridgetest.Eventually(t, 5*time.Second, func() bool { return a.relayed() == a.number }, status(relays[0]))
	a.order(100) // it was frozen, and wakes
	bridgetest.Eventually(t, 5*time.Second, func() bool { return a.relayed() == a.number }, status(relays[0]))

	ids, repeats := sub.ids()
	t.Logf("%d messages, %d repeats", len(ids), repeats)
	expected := slices.Concat(a.expected, b.expected, c.expected)
	if len(ids) != len(expected) {
		t.Errorf("%d messages came of %d", len(ids), len(expected))
	}
	newest := map[any]int64{}
	known := map[string]bool{}
	for _, d := range sub.seen {
		sequence := d.Headers["sequence"].(int64)
		if !known[d.MessageId] && sequence < newest[d.Headers["aggregate"]] {
			t.Errorf("%s came after %d", d.MessageId, newest[d.Headers["aggregate"]])
		}
		known[d.MessageId] = true
		newest[d.Headers["aggregate"]] = max(newest[d.Headers["aggregate"]], sequence)
	}
	for _, id := range expected {
		if !known[id] {
			t.Errorf("%s never came", id)
		}
	}
}

// The broker is away while thousands of orders are taken: each event comes in the end, in order.
func TestALongOutageUnderLoad(t *testing.T) {
	s := newShop(t, memory.New(), "member-1")
	sub := subscribe(t)
	l := newLink(t)
	config := s.config()
	config.URL, config.TailEntries = l.url(), 256
	config.Gone = func(string) bool { return false }
	relay, _ := s.run(config, s.store)
	s.order(0)
	s.flush(relay, 5*time.Second)
	l.cut()
	disconnected(t, relay)
	for n := range 3000 {
		s.order(1 + n)
	}
	if behind := relay.Behind(); behind < 11_000 {
		t.Fatalf("%d behind", behind)
	}
	l.mend()
	s.flush(relay, 60*time.Second)
	if repeats := sub.heard(s.expected); repeats != 0 {
		t.Errorf("%d repeats", repeats)
	}
}
