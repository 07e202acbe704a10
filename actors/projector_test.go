package actors

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

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

// saves is a store that remembers what is saved.
type saves struct {
	storage.Store
	versions map[storage.Stream]uint64
	mark     uint64
	streams  []storage.Stream // of the last call
}

func (s *saves) Save(_ context.Context, projections []storage.Projection, _ string, mark uint64) error {
	s.streams, s.mark = nil, mark
	for _, p := range projections {
		s.streams, s.versions[p.Stream] = append(s.streams, p.Stream), p.Version
	}
	return nil
}

// bare is a state that shows nothing.
type bare struct{}

func (bare) documents() ([]storage.Document, error) { return nil, nil }

// A product that is sold all the time is stored once a second, an order at once. The mark, from which a crash has it made
// again, never passes a change that was not stored, and in the end all is.
func TestBusyProductsAreStoredOnceASecond(t *testing.T) {
	store := &saves{versions: map[storage.Stream]uint64{}}
	p := newProjector(&Host{Config: Config{Store: store}})
	defer p.abort()
	committed := map[uint64]storage.Entry{}
	number, versions := uint64(0), map[storage.Stream]uint64{}
	commit := func(stream storage.Stream) {
		number++
		versions[stream]++
		committed[number] = storage.Entry{Stream: stream, First: versions[stream], Events: make([]storage.Event, 1), Number: number}
		p.committed([]*batch{{entry: committed[number], frozen: bare{}}})
	}
	var stored []int
	for flush := 1; flush <= 13; flush++ {
		order := storage.Stream(fmt.Sprint("order/", flush))
		commit("product/often")
		commit(order)
		if flush == 8 {
			commit("product/once")
		}
		p.flush(flush == 13)
		assert.Contains(t, store.streams, order)
		assert.Equal(t, flush == 8, slices.Contains(store.streams, "product/once"))
		if slices.Contains(store.streams, "product/often") {
			stored = append(stored, flush)
		}
		for n := uint64(1); n <= store.mark; n++ {
			assert.GreaterOrEqual(t, store.versions[committed[n].Stream], committed[n].First, "flush %d: entry %d is not in the read models, and the mark is %d", flush, n, store.mark)
		}
	}
	assert.Equal(t, []int{1, 5, 10, 13}, stored)
	assert.Equal(t, number, store.mark)
	assert.Equal(t, versions, store.versions)
}

func TestNotTooManyProductsWait(t *testing.T) {
	p := newProjector(&Host{})
	defer p.abort()
	for flush := range 2 {
		dirty := map[storage.Stream]change{}
		for n := range 2 * maxOften {
			dirty[storage.Stream(fmt.Sprint("product/", n))] = change{since: uint64(n + 1)}
		}
		p.postpone(dirty, 10_000)
		assert.Len(t, p.dirty, flush*maxOften)
	}
}
