package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/verify"
)

func TestReportCounts(t *testing.T) {
	s := newShop(t, 9)
	s.catalogue("anvil", "ANV-1", 4999, 100, 10)
	s.buy(want{"anvil", 2}) // 2 * 4999, tax 1000, shipping 1000
	back := s.buy(want{"anvil", 1})
	s.cancel(back, "")
	s.undo(back)
	s.reserve(s.other("theirs", want{"anvil", 4}))
	r := clean(t, s.store(), verify.Options{})
	if want := (verify.Stock{Initial: 100, Sold: 3, Restocked: 1, OnHand: 98, Reserved: 4}); r.Stock != want {
		t.Errorf("stock is %+v, want %+v", r.Stock, want)
	}
	first, second := int64(2*4999+1000+1000), int64(4999+500+1000)
	if want := map[string]verify.Money{"usd": {Charged: first + second, RefundsPending: second}}; !reflect.DeepEqual(r.Money, want) {
		t.Errorf("money is %v, want %v", r.Money, want)
	}
	for name, c := range map[string][2]map[string]int64{
		"orders":       {r.Orders, {"confirmed": 1, "cancelled": 1}},
		"reservations": {r.Reservations, {"pending": 1}},
		"payments":     {r.Payments, {"succeeded": 2}},
		"streams":      {r.Streams, {"order": 3, "payment": 2, "product": 1, "claim": 2}},
	} {
		if !reflect.DeepEqual(c[0], c[1]) {
			t.Errorf("%s are %v, want %v", name, c[0], c[1])
		}
	}
	if r.Entries != int64(len(s.entries)) || r.Events != int64(countEvents(s.entries)) || r.Open != 1 || !r.Now.Equal(s.now.Std()) {
		t.Errorf("%d entries, %d events, %d open at %s", r.Entries, r.Events, r.Open, r.Now)
	}
	want := []verify.Writer{{Writer: "member-1", Entries: r.Entries, Highest: s.number, Enlisted: true, Relayed: s.number, Projected: s.number}}
	if !reflect.DeepEqual(r.Writers, want) {
		t.Errorf("writers are %+v, want %+v", r.Writers, want)
	}
}

// oversold is a shop with one violation.
func oversold(t *testing.T) (*shop, verify.Place) {
	s := newShop(t, 5)
	s.catalogue("anvil", "ANV-1", 4999, 100, 0)
	id := s.place("card", want{"anvil", 200})
	held := s.heldFor("anvil", s.orders[id].OrderID(), 200, s.orders[id].Reservation.ExpiresAt)
	return s, s.forceProduct("anvil", held)
}

func TestReportIsForProgramsAndPeople(t *testing.T) {
	s, place := oversold(t)
	report := check(t, s.tape(), verify.Options{})
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var decoded verify.Report
	if err := json.Unmarshal(encoded, &decoded); err != nil || !reflect.DeepEqual(decoded, report) {
		t.Errorf("JSON gives back %+v (%v), want %+v", decoded, err, report)
	}
	if text := `{"guarantee":"G3","stream":"product/anvil","sequence":3,"detail":"oversold: 200 reserved of 100"}`; !strings.Contains(string(encoded), text) {
		t.Errorf("%s is not in %s", text, encoded)
	}
	var b bytes.Buffer
	n, err := report.WriteTo(&b)
	if err != nil || n != int64(b.Len()) || b.String() != report.String() {
		t.Errorf("wrote %d of %d bytes (%v)", n, b.Len(), err)
	}
	for _, line := range []string{"violations          2", "G3  " + place.String() + ": oversold: 200 reserved of 100", "on hand"} {
		if !strings.Contains(report.String(), line) {
			t.Errorf("%q is not in\n%s", line, report)
		}
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestReportSaysThatItCouldNotBeWritten(t *testing.T) {
	if n, err := (verify.Report{}).WriteTo(fullDisk{}); n != 0 || !errors.Is(err, errFull) {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestLimitBoundsTheListNotTheCount(t *testing.T) {
	s := completeShop(t, 0)
	tape := s.tape()
	tape.entries = append(append(tape.entries[:0:0], tape.entries...), tape.entries...)
	report := check(t, tape, verify.Options{Limit: 7})
	if want := 2 * len(s.entries); len(report.Violations) != 7 || report.ViolationCount != want {
		t.Errorf("%d listed of %d, want 7 of %d", len(report.Violations), report.ViolationCount, want)
	}
	if !strings.Contains(report.String(), "and 479 more") {
		t.Errorf("the text does not say how many more:\n%s", report)
	}
}

// TestNothingPersonalIsReported alters what is personal, and looks for it in the report.
func TestNothingPersonalIsReported(t *testing.T) {
	s := completeShop(t, 0)
	for i, e := range s.entries {
		for j, event := range e.Events {
			if !bytes.Contains(event.Data, []byte("ada@example.com")) {
				continue
			}
			tape := s.tape()
			tape.entries = append(tape.entries[:0:0], tape.entries...)
			e.Events = append(e.Events[:0:0], e.Events...)
			e.Events[j].Data = bytes.ReplaceAll(event.Data, []byte("ada@example.com"), []byte("eve@example.com"))
			tape.entries[i] = e
			if text := check(t, tape, verify.Options{}).String(); strings.Contains(text, "@example.com") {
				t.Fatalf("%s %d: an address is in the report:\n%s", e.Stream, e.First, text)
			}
		}
	}
}
