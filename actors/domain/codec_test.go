package domain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

type event interface{ domain.Event }

type opened struct {
	Name string `json:"name"`
}

type closed struct {
	Score float64 `json:"score"`
}

type unlisted struct{}

type impostor struct{ Other int }

func (opened) EventType() string   { return "shop.opened" }
func (closed) EventType() string   { return "shop.closed" }
func (unlisted) EventType() string { return "shop.unlisted" }
func (impostor) EventType() string { return "shop.opened" }

func (e opened) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Text("name", e.Name)
	return o.Close()
}

func (e closed) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Float("score", e.Score)
	return o.Close()
}

func (unlisted) AppendJSON(b []byte) []byte { return append(b, "{}"...) }
func (impostor) AppendJSON(b []byte) []byte { return append(b, "{}"...) }

var codec = domain.NewCodec[event](opened{}, closed{})

func TestCodecRoundTrip(t *testing.T) {
	data, err := codec.Encode(opened{Name: "lamps"})
	if err != nil || string(data) != `{"name":"lamps"}` {
		t.Fatalf("encoded %s (%v)", data, err)
	}
	back, err := codec.Decode("shop.opened", domain.CurrentSchema, data)
	if err != nil || back != (opened{Name: "lamps"}) {
		t.Fatalf("decoded %#v (%v)", back, err)
	}
}

func TestCodecRefusesToEncodeWhatItCouldNotRead(t *testing.T) {
	for _, e := range []event{unlisted{}, impostor{}, &opened{}} {
		if data, err := codec.Encode(e); err == nil || !strings.Contains(err.Error(), e.EventType()) {
			t.Errorf("%#v was encoded as %s (%v)", e, data, err)
		}
	}
}

// What has been encoded belongs to the caller: it stays when the next event is encoded.
func TestEncodedEventsShareNothing(t *testing.T) {
	first, err := codec.Encode(opened{Name: "lamps"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.Encode(opened{Name: "desks"}); err != nil || string(first) != `{"name":"lamps"}` {
		t.Fatalf("became %s (%v)", first, err)
	}
}

func TestCodecRefusesToDecode(t *testing.T) {
	for _, c := range []struct {
		eventType string
		schema    int
		data      string
	}{
		{"shop.unlisted", 1, `{}`}, {"", 1, `{}`}, {"shop.opened", 0, `{}`}, {"shop.opened", -1, `{}`},
		{"shop.opened", domain.CurrentSchema + 1, `{}`}, {"shop.opened", 1, ``}, {"shop.opened", 1, `null`}, {"shop.opened", 1, `[]`},
		{"shop.opened", 1, `"text"`}, {"shop.opened", 1, `{"name":1}`}, {"shop.opened", 1, `{"name":"a"`}, {"shop.opened", 1, `{} {}`},
	} {
		if e, err := codec.Decode(c.eventType, c.schema, []byte(c.data)); err == nil || e != nil {
			t.Errorf("%s schema %d %s was decoded as %#v", c.eventType, c.schema, c.data, e)
		} else if !strings.Contains(err.Error(), c.eventType) {
			t.Errorf("%v does not name %s", err, c.eventType)
		}
	}
}

func TestCodecPassesOverFieldsOfANewerMember(t *testing.T) {
	back, err := codec.Decode("shop.opened", 1, []byte(`{"name":"lamps","added":{"later":1}}`))
	if err != nil || back != (opened{Name: "lamps"}) {
		t.Fatalf("decoded %#v (%v)", back, err)
	}
}

func TestCodecTypes(t *testing.T) {
	if got := codec.Types(); !slices.Equal(got, []string{"shop.closed", "shop.opened"}) {
		t.Fatalf("types %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("two events of one type were taken")
		}
	}()
	domain.NewCodec[event](opened{}, impostor{})
}

func TestRefusals(t *testing.T) {
	err := fmt.Errorf("place: %w", domain.Errorf(domain.KindConflict, "price_changed", "it is %d", 5))
	refusal, ok := domain.AsRefusal(err)
	if !ok || refusal.Kind != domain.KindConflict || refusal.Error() != "price_changed: it is 5" {
		t.Fatalf("got %#v", refusal)
	}
	for _, err := range []error{nil, errors.New("broken"), json.Unmarshal([]byte("x"), new(int))} {
		if _, ok := domain.AsRefusal(err); ok {
			t.Errorf("%v is taken for a refusal", err)
		}
	}
}

func TestKindNames(t *testing.T) {
	names := map[string]domain.Kind{}
	for k := domain.KindInvalid; k <= domain.KindUnavailable; k++ {
		name := k.String()
		if _, ok := names[name]; ok || strings.HasPrefix(name, "kind(") {
			t.Errorf("kind %d is called %q", int(k), name)
		}
		names[name] = k
	}
	if domain.Kind(99).String() != "kind(99)" {
		t.Errorf("an unknown kind is called %q", domain.Kind(99))
	}
}
