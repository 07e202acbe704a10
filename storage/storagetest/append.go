package storagetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var appendRules = []rule{
	{"an entry is stored with every field", proveEveryField},
	{"a stream begins at 1 and has no gaps", proveNoGaps},
	{"repeating an entry is a success and stores nothing", proveRepeat},
	{"an old entry may be repeated after newer ones", proveOldRepeat},
	{"the same place by another writer or number is a conflict", proveTakenPlace},
	{"an entry that overlaps another is a conflict", proveOverlap},
	{"entries of one batch succeed and fail independently", proveIndependent},
	{"an empty batch is nothing", proveEmptyBatch},
	{"an entry without events is refused and is no conflict", proveNoEvents},
	{"streams whose names resemble each other are different", proveStreamNames},
	{"data of any size and form comes back byte for byte", proveData},
	{"the caller may use its slices again afterwards", proveSlicesAreCopied},
}

func proveEveryField(t *testing.T, s storage.Store) {
	bare := storage.Entry{Stream: "product/a", First: 1, Writer: writer, Number: 2, Events: []storage.Event{{
		Type: "product.created", Schema: 1, At: t0, Data: []byte(`{}`),
	}}}
	full := entryOf(stream, 1, 3, writer, 1)
	put(t, s, full, bare)
	wantStream(t, s, stream, full)
	wantStream(t, s, "product/a", bare)
	wantStream(t, s, "product/unknown")
}

func proveNoGaps(t *testing.T, s storage.Store) {
	wantConflict(t, s, entryOf(stream, 2, 1, writer, 1))
	put(t, s, entryOf(stream, 1, 2, writer, 2))
	wantConflict(t, s, entryOf(stream, 4, 1, writer, 3))
	put(t, s, entryOf(stream, 3, 1, writer, 4))
	wantStream(t, s, stream, entryOf(stream, 1, 2, writer, 2), entryOf(stream, 3, 1, writer, 4))
}

func proveRepeat(t *testing.T, s storage.Store) {
	e := entryOf(stream, 1, 2, writer, 7)
	for range 3 {
		put(t, s, e)
	}
	wantStream(t, s, stream, e)
	got, err := s.Committed(ctx(t), writer, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantEntries(t, got, e)
}

func proveOldRepeat(t *testing.T, s storage.Store) {
	entries := chain(stream, 200)
	for _, e := range entries {
		put(t, s, e)
	}
	for _, i := range []int{0, 1, 63, 64, 65, 127, 128, 198, 199} {
		put(t, s, entries[i])
		taken := entries[i]
		taken.Writer = "member-2"
		wantConflict(t, s, taken)
	}
	wantStream(t, s, stream, entries...)
}

// chain makes entries of 1, 2, 3, 1, 2, 3, ... events, one after the other.
func chain(stream storage.Stream, count int) []storage.Entry {
	entries := make([]storage.Entry, count)
	first := uint64(1)
	for i := range entries {
		entries[i] = entryOf(stream, first, 1+i%3, writer, uint64(i+1))
		first = entries[i].Last() + 1
	}
	return entries
}

func proveTakenPlace(t *testing.T, s storage.Store) {
	e := entryOf(stream, 1, 1, writer, 5)
	put(t, s, e)
	wantConflict(t, s, entryOf(stream, 1, 1, "member-2", 5))
	wantConflict(t, s, entryOf(stream, 1, 1, writer, 6))
	wantConflict(t, s, entryOf(stream, 1, 1, writer, 4))
	wantStream(t, s, stream, e)
}

func proveOverlap(t *testing.T, s storage.Store) {
	a, b := entryOf(stream, 1, 3, writer, 1), entryOf(stream, 4, 1, writer, 2)
	put(t, s, a)
	put(t, s, b)
	wantConflict(t, s, entryOf(stream, 2, 1, writer, 1))
	wantConflict(t, s, entryOf(stream, 3, 5, writer, 1))
	wantConflict(t, s, entryOf(stream, 1, 9, "member-2", 1))
	wantStream(t, s, stream, a, b)
}

func proveIndependent(t *testing.T, s storage.Store) {
	put(t, s, entryOf("order/taken", 1, 1, "member-2", 1), entryOf("order/known", 1, 1, writer, 1))
	batch := []storage.Entry{
		entryOf("order/new1", 1, 2, writer, 2),
		entryOf("order/taken", 1, 1, writer, 3),
		entryOf("order/new2", 1, 1, writer, 4),
		entryOf("order/gap", 2, 1, writer, 5),
		entryOf("order/known", 1, 1, writer, 1),
		entryOf("order/new3", 1, 1, writer, 6),
	}
	conflict := []bool{false, true, false, true, false, false}
	for i, err := range appendAll(t, s, batch...) {
		if conflict[i] != errors.Is(err, storage.ErrConflict) || (!conflict[i] && err != nil) {
			t.Errorf("%s at %d: got %v, want conflict %v", batch[i].Stream, batch[i].First, err, conflict[i])
		}
	}
	for _, i := range []int{0, 2, 4, 5} {
		wantStream(t, s, batch[i].Stream, batch[i])
	}
	wantStream(t, s, "order/gap")
	wantStream(t, s, "order/taken", entryOf("order/taken", 1, 1, "member-2", 1))
}

func proveEmptyBatch(t *testing.T, s storage.Store) {
	if results := s.Append(ctx(t), nil); len(results) != 0 {
		t.Fatalf("got %v, want no results", results)
	}
}

func proveNoEvents(t *testing.T, s storage.Store) {
	hollow := storage.Entry{Stream: stream, First: 1, Writer: writer, Number: 1}
	good := entryOf("order/good", 1, 1, writer, 2)
	results := appendAll(t, s, hollow, good)
	if results[0] == nil || errors.Is(results[0], storage.ErrConflict) {
		t.Errorf("entry without events: got %v, want an error that is no conflict", results[0])
	}
	if results[1] != nil {
		t.Errorf("its neighbour: got %v", results[1])
	}
	wantStream(t, s, stream)
	wantStream(t, s, "order/good", good)
}

func proveStreamNames(t *testing.T, s storage.Store) {
	names := []storage.Stream{
		"claim/sku/A", "claim/sku/a", "claim/sku", "claim/sku/A/", "claim/sku/A b", "claim/sku/ä", "claim/sku/A|0000000001",
		"claim/sku/A%", "claim/sku/$x", "claim/sku/x.y", "claim/sku/\"'", "claim/email/a@b.c",
	}
	var entries []storage.Entry
	for i, name := range names {
		entries = append(entries, entryOf(name, 1, 1, writer, uint64(i+1)))
	}
	put(t, s, entries...)
	for i, name := range names {
		wantStream(t, s, name, entries[i])
	}
}

func proveData(t *testing.T, s storage.Store) {
	data := []string{
		`{"big":"` + strings.Repeat("0123456789abcdef", 20_000) + `"}`,
		"{\n  \"indented\": true,\t\"unicode\": \"\u00fc\u4e16\u754c\U0001f600\"\n}",
		`{"b":1,"a":2,"a":3,"n":12345678901234567890,"f":1.50}`,
		`{"escaped":"\u0000\"\\"}`,
	}
	e := storage.Entry{Stream: stream, First: 1, Writer: writer, Number: 1}
	for _, d := range data {
		e.Events = append(e.Events, storage.Event{Type: "order.placed", Schema: 1, At: t0, Data: []byte(d)})
	}
	put(t, s, e)
	wantStream(t, s, stream, e)
}

func proveSlicesAreCopied(t *testing.T, s storage.Store) {
	want, lent := entryOf(stream, 1, 2, writer, 1), entryOf(stream, 1, 2, writer, 1)
	put(t, s, lent)
	for i := range lent.Events {
		for j := range lent.Events[i].Data {
			lent.Events[i].Data[j] = 'x'
		}
		lent.Events[i].Type = "overwritten"
	}
	wantStream(t, s, stream, want)
}
