package verify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// replaced sets one top level field of an event.
func replaced(t testing.TB, data []byte, field string, value any) []byte {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	fields[field] = encoded
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// again verifies a journal that was decoded before.
func (s *shop) again(journal verify.Decoded) verify.Report {
	return verify.RunDecoded(journal, s.tape().marks, verify.Options{})
}

func has(report verify.Report, g verify.Guarantee, place verify.Place) bool {
	return slices.ContainsFunc(report.Violations, func(v verify.Violation) bool { return v.Guarantee == g && names(v, place) })
}

// TestEveryDroppedEntryIsNoticed removes each entry once. In the middle of a stream it leaves a gap; at the end of one
// the other streams contradict, or at least the writer's numbers have a gap, or its mark is beyond its last entry.
func TestEveryDroppedEntryIsNoticed(t *testing.T) {
	s := completeShop(t, 0)
	journal := verify.Decode(s.entries...)
	for i, e := range s.entries {
		report := s.again(slices.Delete(slices.Clone(journal), i, i+1))
		goesOn := slices.ContainsFunc(s.entries, func(o storage.Entry) bool { return o.Stream == e.Stream && o.First > e.Last() })
		switch {
		case goesOn && !has(report, verify.G1, verify.Place{Stream: e.Stream, Sequence: e.Last() + 1}):
			t.Errorf("%s %d is dropped, and the next entry is not reported:\n%s", e.Stream, e.First, report)
		case i == len(s.entries)-1 && report.OK():
			t.Errorf("the last entry, which was published, is dropped, and nobody notices")
		case i < len(s.entries)-1 && report.Writers[0].Missing != 1:
			t.Errorf("%s %d is dropped, and %d numbers are missing, want 1", e.Stream, e.First, report.Writers[0].Missing)
		}
	}
}

func TestEveryDuplicatedEntryIsNoticed(t *testing.T) {
	s := completeShop(t, 0)
	journal := verify.Decode(s.entries...)
	for i, e := range s.entries {
		report := s.again(append(slices.Clone(journal), journal[i]))
		place := verify.Place{Stream: e.Stream, Sequence: e.First}
		if report.ViolationCount != 2 || !has(report, verify.G1, place) {
			t.Errorf("entry %d, %s, comes twice: want its sequence and its number reported:\n%s", i, place, report)
		}
	}
}

// TestEverySwapIsNoticed exchanges each entry with the next one of its stream: in the order of the scan, and in content.
func TestEverySwapIsNoticed(t *testing.T) {
	s := completeShop(t, 0)
	journal := verify.Decode(s.entries...)
	swaps := 0
	for i, e := range s.entries {
		j := slices.IndexFunc(s.entries, func(o storage.Entry) bool { return o.Stream == e.Stream && o.First == e.Last()+1 })
		if j < 0 {
			continue
		}
		swaps++
		swapped := slices.Clone(journal)
		swapped[i], swapped[j] = swapped[j], swapped[i]
		if report := s.again(swapped); !has(report, verify.G1, verify.Place{Stream: e.Stream, Sequence: e.First}) {
			t.Errorf("%s %d comes after the entry that follows it:\n%s", e.Stream, e.First, report)
		}
		first, second := e, s.entries[j]
		first.Events, second.Events = second.Events, first.Events
		second.First = first.Last() + 1
		swapped[i], swapped[j] = verify.Decode(first)[0], verify.Decode(second)[0]
		report := s.again(swapped)
		found := append(report.Violations, report.Warnings...)
		if !slices.ContainsFunc(found, func(v verify.Violation) bool { return v.Stream == e.Stream }) && !interchangeable(e, s.entries[j]) {
			t.Errorf("%s: events of %d and %d are exchanged, and nobody notices:\n%s", e.Stream, e.First, s.entries[j].First, report)
		}
	}
	if swaps < 100 {
		t.Fatalf("only %d swaps", swaps)
	}
}

// interchangeable says that nothing tells in which order the two happened but their instants: two changes of the
// catalogue entry, or a message about a webhook between two steps of a payment.
func interchangeable(a, b storage.Entry) bool {
	loose := func(e storage.Entry) bool {
		return slices.Contains([]string{"payment.disputed", "payment.noticed", "payment.refund_requested", "payment.refund_rejected",
			"payment.void_requested", "order.amended", "order.hidden",
			"product.updated", "product.forgotten", "product.claims_settled", "product.deleted"}, e.Events[0].Type)
	}
	return loose(a) || loose(b)
}

func TestDamageIsNoticed(t *testing.T) {
	s := completeShop(t, 0)
	journal := verify.Decode(s.entries...)
	for name, damage := range map[string]func(e *storage.Entry){
		"cut off":             func(e *storage.Entry) { e.Events[0].Data = e.Events[0].Data[:len(e.Events[0].Data)-2] },
		"empty":               func(e *storage.Entry) { e.Events[0].Data = nil },
		"null":                func(e *storage.Entry) { e.Events[0].Data = []byte("null") },
		"an empty object":     func(e *storage.Entry) { e.Events[0].Data = []byte("{}") },
		"a field too many":    func(e *storage.Entry) { e.Events[0].Data = replaced(t, e.Events[0].Data, "discount", 5) },
		"no instant":          func(e *storage.Entry) { e.Events[0].Data = replaced(t, e.Events[0].Data, "at", nil) },
		"another kind's type": func(e *storage.Entry) { e.Events[0].Type = "order.placed2" },
		"another schema":      func(e *storage.Entry) { e.Events[0].Schema = 99 },
		"no number":           func(e *storage.Entry) { e.Number = 0 },
		"another's number":    func(e *storage.Entry) { e.Number = e.Number%uint64(len(s.entries)) + 1 },
		"no events":           func(e *storage.Entry) { e.Events = nil },
		"one event less":      func(e *storage.Entry) { e.Events = e.Events[:len(e.Events)-1] },
	} {
		for i, e := range s.entries {
			goesOn := slices.ContainsFunc(s.entries, func(o storage.Entry) bool { return o.Stream == e.Stream && o.First > e.Last() })
			if name == "one event less" && (len(e.Events) == 1 || !goesOn) { // as if it had not happened yet
				continue
			}
			place := verify.Place{Stream: e.Stream, Sequence: e.First}
			damaged := slices.Clone(journal)
			e.Events = slices.Clone(e.Events)
			damage(&e)
			damaged[i] = verify.Decode(e)[0]
			report := s.again(damaged)
			if !slices.ContainsFunc(report.Violations, func(v verify.Violation) bool { return v.Stream == place.Stream || names(v, place) }) &&
				!(name == "another's number" && report.ViolationCount > 0) {
				t.Errorf("%s: %s is not noticed:\n%s", place, name, report)
			}
		}
	}
}

// TestAnEventInAnotherStreamIsNoticed gives each entry to another stream of its kind.
func TestAnEventInAnotherStreamIsNoticed(t *testing.T) {
	s := completeShop(t, 0)
	journal := verify.Decode(s.entries...)
	for i, e := range s.entries {
		if e.First != 1 || strings.HasPrefix(string(e.Stream), "claim/") { // a claim's events do not say what is claimed
			continue
		}
		e.Stream += "0"
		moved := slices.Clone(journal)
		moved[i] = verify.Decode(e)[0]
		report := s.again(moved)
		if !slices.ContainsFunc(report.Violations, func(v verify.Violation) bool { return v.Stream == e.Stream }) {
			t.Errorf("%s began as another stream, and nobody notices:\n%s", e.Stream, report)
		}
	}
}

func TestUnknownKindIsFollowed(t *testing.T) {
	s := completeShop(t, 0)
	tape := s.tape()
	stranger := func(first, number uint64) storage.Entry {
		return storage.Entry{Stream: "cart/1", First: first, Writer: "member-2", Number: number, Events: []storage.Event{{Type: "cart.filled", Schema: 1, At: s.now.Std(), Data: []byte("{}")}}}
	}
	tape.entries = append(slices.Clone(tape.entries), stranger(1, 1), stranger(2, 2))
	if report := clean(t, tape, verify.Options{}); report.WarningCount != 1 || report.Streams["cart"] != 1 {
		t.Errorf("want one warning, and one stream of that kind:\n%s", report)
	}
	tape.entries = append(tape.entries, stranger(4, 3))
	if report := check(t, tape, verify.Options{}); !has(report, verify.G1, verify.Place{Stream: "cart/1", Sequence: 4}) {
		t.Errorf("a gap is not noticed:\n%s", report)
	}
}
