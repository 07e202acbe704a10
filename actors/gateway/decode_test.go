package gateway

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

// alikeDecoded: a webhook means what encoding/json says that it means. What is left behind by an error is not looked at.
func alikeDecoded[T any](t domaintest.TB, payload []byte) {
	t.Helper()
	var got, want T
	err, refusal := decode(payload, &got), json.Unmarshal(payload, &want)
	if (err == nil) != (refusal == nil) {
		t.Fatalf("%q: %v, encoding/json says %v", payload, err, refusal)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is\n%+v, encoding/json reads\n%+v", payload, got, want)
	}
}

// oddities are objects, and pieces of events, in which decoders like to differ.
var oddities = []string{
	`{"id":"a","id":"b","ID":"c"}`, `{"Id":"a"}`, `{"\u0069d":"a"}`, `{"i_d":"a","I-D":"b"}`, `{"ıd":"a"}`, `{"id":null}`, `{"id":"a","id":null}`, `{"id":7}`,
	`{"id":"\ud83d\ude00 \ud83d \u0000"}`, "{\"id\":\"\xff\xc3\"}", "{\"\xff\":1}", `{"amount_refunded":-0}`, `{"amount_refunded":1.0}`, `{"amount_refunded":1e2}`,
	`{"amount_refunded":9223372036854775808}`, `{"amount_refunded":"7"}`, `{"amount_refunded":01}`, `{"amount_refunded":null}`,
	`{"payment_intent":{"id":"a"},"payment_intent":{}}`, `{"payment_intent":{"ID":"a","id":null}}`, `{"payment_intent":7}`, `{"payment_intent":[]}`,
	`{"payment_intent":"\u0061"}`, "{\"payment_intent\":\"\xff\"}", `{"payment_method":null}`, `{"payment_method":{"id":7}}`,
	`{"refunds":{"data":[{"id":"a","created":1},{"id":"b"}],"data":[{"created":2}]}}`, `{"refunds":{"data":null},"refunds":{}}`, `{"refunds":{"data":{}}}`, `{"refunds":[]}`,
	`{"refunds":{"data":[{"id":"a"}],"data":null}}`, `{"refunds":{"data":[null,{"id":"x"}]}}`, `{"refunds":{"data":[{"id":"a"}],"data":[null]}}`,
	`{"last_payment_error":{"code":"a"},"last_payment_error":{"message":"b"}}`, `{"last_payment_error":{"code":"a"},"last_payment_error":null}`, `{"last_payment_error":[]}`,
	`{"metadata":{"orderId":"a"},"metadata":{"paymentIntentId":"b"}}`, `{"metadata":[]}`, `{"metadata":{"orderId":1}}`, `{"data":{"object":{"id":"a"}},"data":{"object":{}}}`,
	`{"data":{"object":7}}`, `{"data":null}`, `{"data":{"object":null}}`, `{"data":{"object":{"id":"a"}},"data":null}`, `{"webhookHead":{"id":"a"}}`, `{"unknown":{"a":[1,{"b":tru}]}}`,
	`{}`, ` {} `, `{} {}`, `{},`, `{`, `{"id"`, `{"id":"a",}`, `null`, `true`, `7`, `"id"`, `[]`, ``, "\ufeff{}", `{"a":` + strings.Repeat("[", 20_000), `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":+1}`,
}

func alikeDecodedAll(t domaintest.TB, payload []byte) {
	alikeDecoded[webhookEvent](t, payload)
	alikeDecoded[webhookHead](t, payload)
	alikeDecoded[webhookObject](t, payload)
}

func TestOddEventsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	for _, odd := range oddities {
		alikeDecodedAll(t, []byte(odd))
		alikeDecodedAll(t, []byte(`{"id":"e","type":"t","data":{"object":`+odd+`}}`))
	}
	rapid.Check(t, func(t *rapid.T) {
		alikeDecodedAll(t, []byte(objects(t, 3)))
	})
}

// objects draws an object of names that mean something, in any case and any number, with any values.
func objects(t *rapid.T, depth int) string {
	names := []string{"id", "ID", "type", "data", "object", "metadata", "orderId", "orderid", "paymentIntentId", "payment_intent", "payment_method",
		"amount_refunded", "refunds", "created", "last_payment_error", "message", "code", "x"}
	values := []string{`null`, `true`, `0`, `-3`, `1.5`, `1e3`, `""`, `"a"`, `"\u00e9"`, `"\ud800"`, "\"\xff\"", `[]`, `{}`, `[null]`}
	var members []string
	for range rapid.IntRange(0, 4).Draw(t, "members") {
		value := rapid.SampledFrom(values).Draw(t, "value")
		if depth > 0 && rapid.Bool().Draw(t, "nested") {
			value = objects(t, depth-1)
			if rapid.IntRange(0, 3).Draw(t, "listed") == 0 {
				value = "[" + value + "," + objects(t, 0) + "]"
			}
		}
		members = append(members, `"`+rapid.SampledFrom(names).Draw(t, "name")+`":`+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func FuzzDecode(f *testing.F) {
	for _, odd := range oddities {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, payload []byte) { alikeDecodedAll(t, payload) })
}
