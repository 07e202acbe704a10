package domain_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

func TestTimeJSON(t *testing.T) {
	for at, want := range map[domain.Time]string{
		0: `null`, 1: `"1970-01-01T00:00:00.001Z"`, t0: `"2023-11-14T22:13:20.000Z"`, t0 + 120: `"2023-11-14T22:13:20.120Z"`,
		-1: `"1969-12-31T23:59:59.999Z"`,
	} {
		data, err := json.Marshal(at)
		if err != nil || string(data) != want {
			t.Errorf("%d is %s (%v), wanted %s", at, data, err, want)
		}
	}
}

func TestTimeIsWrittenInItsLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := domain.Time(rapid.Int64().Draw(t, "at"))
		if got, want := at.String(), at.Std().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Fatalf("%d is written as %s, wanted %s", at, got, want)
		}
	})
}

func TestTimeReadsAnyInstant(t *testing.T) {
	for text, want := range map[string]domain.Time{
		`"2023-11-14T22:13:20.000Z"`: t0, `"2023-11-14T22:13:20Z"`: t0, `"2023-11-14T23:13:20+01:00"`: t0,
		`"2023-11-14T22:13:20.123456789Z"`: t0 + 123, `null`: 0,
	} {
		got := domain.Time(7)
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is %d (%v), wanted %d", text, got, err, want)
		}
	}
}

func TestTimeRefusesWhatIsNoInstant(t *testing.T) {
	for _, text := range []string{`1700000000000`, `""`, `"now"`, `"2023-11-14"`, `"2023-11-14T22:13:20"`, `{}`, `[]`, `true`, `"2023-13-14T22:13:20Z"`} {
		got := domain.Time(7)
		if err := json.Unmarshal([]byte(text), &got); err == nil || got != 7 {
			t.Errorf("%s was read as %d (%v)", text, got, err)
		}
	}
}

func TestTimeTextsSortAsInstantsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instants := rapid.Int64Range(1, 253_402_300_799_999) // until the end of 9999
		a, b := domain.Time(instants.Draw(t, "a")), domain.Time(instants.Draw(t, "b"))
		if (a < b) != (a.String() < b.String()) {
			t.Fatalf("%d %s, %d %s", a, a, b, b)
		}
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back domain.Time
		if err := json.Unmarshal(data, &back); err != nil || back != a {
			t.Fatalf("%d came back as %d (%v)", a, back, err)
		}
		if domain.At(a.Std()) != a {
			t.Fatalf("%d became %d", a, domain.At(a.Std()))
		}
	})
}

func TestTimeNotSet(t *testing.T) {
	var none domain.Time
	if !none.IsZero() || !none.Std().IsZero() || domain.At(time.Time{}) != 0 {
		t.Fatal("not set is not kept")
	}
	data, err := json.Marshal(struct {
		At domain.Time `json:"at,omitzero"`
	}{})
	if err != nil || string(data) != `{}` {
		t.Fatalf("not set is written as %s (%v)", data, err)
	}
}

func TestTimeCutsWhatIsFiner(t *testing.T) {
	if got := domain.At(t0.Std().Add(1_999_999 * time.Nanosecond)); got != t0+1 {
		t.Errorf("got %d, wanted %d", got, t0+1)
	}
	if got := t0.Add(1_999 * time.Microsecond); got != t0+1 {
		t.Errorf("got %d, wanted %d", got, t0+1)
	}
}

func FuzzTime(f *testing.F) {
	f.Add([]byte(`"2023-11-14T22:13:20.000Z"`))
	f.Add([]byte(`null`))
	f.Add([]byte(`"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var at domain.Time
		if at.UnmarshalJSON(data) != nil {
			return
		}
		text, err := at.MarshalJSON()
		var again domain.Time
		if err != nil || again.UnmarshalJSON(text) != nil || again != at {
			t.Errorf("%s was read as %d, written as %s, read as %d", data, at, text, again)
		}
	})
}
