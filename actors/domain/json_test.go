package domain_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

// part has every kind of field once; whole has it in every place.
type (
	part struct {
		Text  string      `json:"text"`
		Int   int64       `json:"int"`
		Uint  uint64      `json:"uint"`
		Float float64     `json:"float"`
		Bool  bool        `json:"bool"`
		Time  domain.Time `json:"time"`
		Texts []string    `json:"texts"`

		OptionalText  string      `json:"optionalText,omitempty"`
		OptionalInt   int64       `json:"optionalInt,omitempty"`
		OptionalFloat float64     `json:"optionalFloat,omitempty"`
		OptionalTrue  bool        `json:"optionalTrue,omitempty"`
		OptionalTime  domain.Time `json:"optionalTime,omitzero"`
	}
	whole struct {
		OnlyIfSet *part    `json:"onlyIfSet,omitempty"`
		Nested    part     `json:"nested"`
		List      []part   `json:"list"`
		Pointer   *float64 `json:"pointer,omitempty"`
		Nullable  *part    `json:"nullable"`

		Map map[string]part `json:"map"`
	}
	empty struct{}
)

func (p part) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("text", p.Text)
	o.Int("int", p.Int)
	o.Uint("uint", p.Uint)
	o.Float("float", p.Float)
	o.Bool("bool", p.Bool)
	o.Time("time", p.Time)
	o.Texts("texts", p.Texts)
	o.OptionalText("optionalText", p.OptionalText)
	o.OptionalInt("optionalInt", p.OptionalInt)
	o.OptionalFloat("optionalFloat", p.OptionalFloat)
	o.OptionalTrue("optionalTrue", p.OptionalTrue)
	o.OptionalTime("optionalTime", p.OptionalTime)
	return o.Close()
}

func (w whole) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	domain.Optional(&o, "onlyIfSet", w.OnlyIfSet, domain.Nested)
	domain.Nested(&o, "nested", w.Nested)
	domain.List(&o, "list", w.List)
	domain.Optional(&o, "pointer", w.Pointer, (*domain.Object).Float)
	domain.Nullable(&o, "nullable", w.Nullable, domain.Nested)
	domain.Map(&o, "map", w.Map)
	return o.Close()
}

func (empty) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	return o.Close()
}

func TestObjectsAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	domaintest.Encoders(t, codec, part{}, whole{}, empty{})
}

func TestObjectIsWrittenBehindWhatIsThere(t *testing.T) {
	if got := (opened{Name: "lamps"}).AppendJSON([]byte(`[{},`)); string(got) != `[{},{"name":"lamps"}` {
		t.Fatalf("wrote %s", got)
	}
}

func TestNumbersThatAreNotFinitePanic(t *testing.T) {
	for _, number := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v was written", number)
				}
			}()
			o := domain.Open(nil)
			o.Float("weight", number)
		}()
	}
}

func TestFloats(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Map(rapid.Int64Range(-1<<54, 1<<54), func(n int64) float64 { return float64(n) })
		sameFloat(t, rapid.OneOf(whole, rapid.Float64()).Draw(t, "number"))
	})
	for _, number := range []float64{0, math.Copysign(0, -1), 1 << 53, 1<<53 - 1, -(1 << 53), 1e20, 1e21, 1e-6, 1e-7, 0.1} {
		sameFloat(t, number)
	}
}

func sameFloat(t domaintest.TB, number float64) {
	o := domain.Open(nil)
	o.Float("n", number)
	if got, want := string(o.Close()), domaintest.JSON(t, map[string]float64{"n": number}); got != want {
		t.Fatalf("%v is written as %s, encoding/json writes %s", number, got, want)
	}
}

// Each character alone, and behind one that is not ASCII, so that no other one decides for it.
func TestEveryCharacter(t *testing.T) {
	for r := rune(0); r < 0x11000; r++ {
		sameText(t, string(r))
		sameText(t, "é"+string(r))
	}
	for c := range 256 {
		sameText(t, string([]byte{byte(c)}))
		sameText(t, "é"+string([]byte{byte(c)})+"é")
	}
}

func sameText(t *testing.T, text string) {
	o := domain.Open(nil)
	o.Text("t", text)
	want, err := json.Marshal(struct {
		T string `json:"t"`
	}{text})
	if got := o.Close(); err != nil || string(got) != string(want) {
		t.Errorf("%q is written as %s, encoding/json writes %s (%v)", text, got, want, err)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "lamps", "é", "<b>\"&\\", "\x00\x1f\x7f", "\u2028\u2029\ufffd", "\xff", "\xed\xa0\x80", "a\xc3", "漢字 \n"} {
		f.Add(seed)
	}
	f.Fuzz(sameText)
}
