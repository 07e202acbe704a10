package domain_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

// line and everything have every kind of field, in every place.
type (
	line struct {
		Text string      `json:"text"`
		Int  int         `json:"int,omitempty"`
		Time domain.Time `json:"time"`
	}
	More struct {
		Bool  bool    `json:"bool"`
		Float float64 `json:"float"`
	}
	everything struct {
		Text    string   `json:"text,omitempty"`
		Int     int64    `json:"int"`
		Pointer *int64   `json:"pointer,omitempty"`
		Nested  line     `json:"nested"`
		Maybe   *line    `json:"maybe,omitempty"`
		Lines   []line   `json:"lines"`
		Texts   []string `json:"texts"`
		More
	}
)

func (everything) EventType() string { return "shop.everything" }

func (e everything) AppendJSON(b []byte) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return append(b, data...)
}

var all = domain.NewCodec[event](everything{})

// alike fails unless Decode says of the data what encoding/json says.
func alike(t domaintest.TB, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, []byte("{")) {
		return // see TestCodecRefusesToDecode
	}
	var want everything
	wrong := json.Unmarshal(data, &want)
	got, err := all.Decode("shop.everything", domain.CurrentSchema, data)
	if (err != nil) != (wrong != nil) {
		t.Fatalf("%s: %v, encoding/json says %v", data, err, wrong)
	}
	if err != nil {
		return
	}
	// The texts tell -0 from 0, the values nil from an empty list.
	if text, wanted := domaintest.JSON(t, got), domaintest.JSON(t, want); text != wanted || !reflect.DeepEqual(got, want) {
		t.Fatalf("%s was read as\n%s, by encoding/json as\n%s", data, text, wanted)
	}
}

func stored(t *rapid.T) []byte {
	var e everything
	domaintest.Fill(t, &e)
	data, err := all.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Also of what nobody wrote: a piece is taken out of it, written twice, or replaced by what JSON treats specially.
func TestEventsMeanWhatEncodingJSONSays(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"", " ", "null", "true", "0", "-0", "01", "1.5", "1e3", "-", "99999999999999999999", `"`, `\`, `\"`, ",", ":",
		"{", "}", "[", "]", "{}", "[]", `""`, `"text":"a"`, `"TEXT":"a",`, `"added":{"later":[1]},`, "\x1f", "\xff", "é", "\ufffd", "2026-01-02T03:04:05.678Z"})
	rapid.Check(t, func(t *rapid.T) {
		data := stored(t)
		alike(t, data)
		for range 3 {
			from := rapid.IntRange(0, len(data)).Draw(t, "from")
			to := rapid.IntRange(from, min(from+8, len(data))).Draw(t, "to")
			data = append(append(data[:from:from], pieces.Draw(t, "piece")...), data[to:]...)
			alike(t, data)
		}
	})
}

// plainEvents are read without encoding/json.
var plainEvents = []string{
	`{}`,
	`{"int":0,"nested":{"text":"","time":null},"lines":null,"texts":null,"bool":false}`,
	`{"text":"é","int":-12,"pointer":3,"nested":{"text":"a b","int":1,"time":"2026-01-02T03:04:05.678Z"},"maybe":{"text":"","time":null},` +
		`"lines":[{"text":"a","time":null},{"text":"b","time":null}],"texts":["a","b"],"bool":true,"float":2}`,
	`{"int":999999999999999,"lines":[],"texts":[]}`,
}

func TestPlainEventsAreReadWithoutEncodingJSON(t *testing.T) {
	for _, data := range plainEvents {
		if !all.Plain("shop.everything", []byte(data)) {
			t.Errorf("%s was left to encoding/json", data)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range plainEvents {
		f.Add([]byte(data))
	}
	for _, number := range []string{"-0", "01", "-01", "-", "", "1.5", "1e3", "1000000000000000", "9223372036854775807", "9223372036854775808"} {
		f.Add([]byte(`{"int":` + number + `}`))
		f.Add([]byte(`{"float":` + number + `}`))
	}
	f.Fuzz(func(t *testing.T, data []byte) { alike(t, data) })
}

type (
	keyless  struct{ Text string }
	unsigned struct {
		Count uint64 `json:"count"`
	}
	quoted struct {
		Count int `json:"count,string"`
	}
	odd[T any] struct {
		opened
		Field T `json:"field"`
	}
)

func TestCodecRefusesFieldsThatItCanNotRead(t *testing.T) {
	for _, e := range []event{odd[keyless]{}, odd[unsigned]{}, odd[quoted]{}, odd[map[string]int]{}, odd[json.RawMessage]{}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%T was taken", e)
				}
			}()
			domain.NewCodec(e)
		}()
	}
}
