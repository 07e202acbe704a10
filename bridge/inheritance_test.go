package bridge

import (
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

// A log that was left with a million entries and many gaps is relayed with little memory.
func TestALongInheritanceNeedsLittleMemory(t *testing.T) {
	f := newFleet(t, "gone")
	const last = 60_000
	var want int
	for number := uint64(1); number <= last; number++ {
		if number%37 != 0 {
			f.write("gone", number)
			want++
		}
	}
	f.gone["gone"] = true
	f.look(false)
	most, ids := 0, map[string]bool{}
	for {
		if err := f.relay.refill(t.Context()); err != nil {
			t.Fatal(err)
		}
		o, ok := f.relay.supply.next()
		if !ok {
			break
		}
		for ; ok; o, ok = f.relay.supply.next() {
			if ids[o.message.ID] {
				t.Fatalf("%s goes twice", o.message.ID)
			}
			ids[o.message.ID] = true
		}
		most = max(most, len(f.relay.supply.estates["gone"].above))
	}
	if len(ids) != want || most > 3*readEntries {
		t.Errorf("%d of %d relayed, up to %d numbers remembered", len(ids), want, most)
	}
	if solid := f.relay.supply.estates["gone"].solid; solid < last-37 {
		t.Errorf("the mark may move to %d", solid)
	}
}

// What one writer left and this version does not understand must not hold up everybody else.
func TestAnInheritanceThatIsNotUnderstoodWaits(t *testing.T) {
	f := newFleet(t, "newer")
	durable(t, f.store, storage.Entry{Stream: "order/4b1c7d2e9f001122", First: 1, Writer: "newer", Number: 1,
		Events: []storage.Event{{Type: "order.split", Schema: 1, At: at.Std(), Data: []byte("{}")}}})
	f.gone["newer"] = true
	f.look(false)
	live := alert(t, "own", 1)
	durable(t, f.store, live)
	f.relay.Committed([]storage.Entry{live})
	if err := f.relay.refill(t.Context()); err == nil {
		t.Fatal("an unknown event was passed over")
	}
	if ids := f.relayed(); !slices.Equal(ids, []string{"product/p-1|1"}) {
		t.Fatalf("own events: %v", ids)
	}
	if found := f.look(true); !slices.Equal(found, []string{"newer"}) {
		t.Errorf("the next look found %v", found)
	}
	if m, _ := f.marks("newer"); m.Relayed != 0 {
		t.Errorf("its mark stands at %d", m.Relayed)
	}
}
