package actors

import (
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

// What became dirty first is stored first, however often it changed since; an order and its payment go together.
func TestProjectionsAreStoredInTurn(t *testing.T) {
	p := newProjector(&Host{})
	defer p.abort()
	for number, stream := range []storage.Stream{"order/z", "order/b", "payment/z", "product/a", "order/z", "payment/b", "order/b"} {
		p.committed([]*batch{{entry: storage.Entry{Stream: stream, First: 1, Events: make([]storage.Event, 1), Number: uint64(number + 1)}}})
	}
	want := []storage.Stream{"order/z", "payment/z", "order/b", "payment/b", "product/a"}
	var got []storage.Stream
	for _, t := range inTurn(p.dirty) {
		got = append(got, t.stream)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What could not be stored keeps its turn and its snapshot, and gives way to what is newer.
func TestProjectionsThatCouldNotBeStoredAreKept(t *testing.T) {
	p := newProjector(&Host{})
	defer p.abort()
	p.dirty["order/a"] = change{since: 9, version: 5}
	p.keep(map[storage.Stream]change{
		"order/a": {since: 3, version: 4, snapshot: []byte("four")}, "order/b": {since: 4, version: 1},
	})
	if a := p.dirty["order/a"]; a.since != 3 || a.version != 5 || string(a.snapshot) != "four" {
		t.Errorf("order/a: got %+v", a)
	}
	if b := p.dirty["order/b"]; b.since != 4 || b.version != 1 {
		t.Errorf("order/b: got %+v", b)
	}
}
