package domaintest

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Encoders proves that every event of the codec, and every document, is written byte for byte as encoding/json writes it.
// Each field, at any depth, gets any value: a field that its encoder does not know shows at once. Documents are given as
// zero values.
func Encoders[E Event](t *testing.T, codec domain.Codec[E], documents ...domain.Appender) {
	t.Helper()
	for _, eventType := range codec.Types() {
		zero, err := codec.Decode(eventType, domain.CurrentSchema, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(eventType, func(t *testing.T) {
			alike(t, reflect.TypeOf(zero), func(value any) ([]byte, error) { return codec.Encode(value.(E)) })
		})
	}
	Documents(t, documents...)
}

// Documents proves the same of documents alone.
func Documents(t *testing.T, documents ...domain.Appender) {
	t.Helper()
	for _, document := range documents {
		shape := reflect.TypeOf(document)
		t.Run(shape.Name(), func(t *testing.T) {
			alike(t, shape, func(value any) ([]byte, error) { return value.(domain.Appender).AppendJSON(nil), nil })
		})
	}
}

func alike(t *testing.T, shape reflect.Type, encode func(any) ([]byte, error)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		value := reflect.New(shape).Elem()
		fill(t, value)
		want, err := json.Marshal(value.Interface())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := encode(value.Interface()); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s is written as\n%s (%v), encoding/json writes\n%s", shape, got, err, want)
		}
	})
}

// Texts are any text, with what JSON treats specially made likely.
func Texts() *rapid.Generator[string] {
	special := rapid.SampledFrom([]string{"", "\x00", "\x1f", "\x7f", "\b\f\n\r\t", `"\`, "<>&", "\u2028", "\u2029", "é", "漢", "😀",
		"\ufffd", "\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a plain text", "0000000a0011223344556677"})
	raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) })
	part := rapid.OneOf(special, rapid.String(), raw)
	return rapid.Custom(func(t *rapid.T) string { return part.Draw(t, "text") + part.Draw(t, "more") })
}

// Fill gives what the pointer points to, and all that is in it, any value.
func Fill(t *rapid.T, pointer any) { fill(t, reflect.ValueOf(pointer).Elem()) }

// fill gives the value, and all that is in it, any value. It knows the kinds of fields that stored forms are made of; one
// that it does not know is for whoever adds the first such field.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(Texts().Draw(t, "string"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	case reflect.Float64:
		special := rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1e-7, 1e21, 1 << 53, 1<<53 - 1, 2.5})
		v.SetFloat(rapid.OneOf(special, rapid.Float64()).Draw(t, "float"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 3).Draw(t, "length"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Map:
		if n := rapid.IntRange(-1, 3).Draw(t, "size"); n >= 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range n {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(t, key)
				fill(t, value)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				t.Fatalf("field %s of %s can't be stored", v.Type().Field(i).Name, v.Type())
			}
			fill(t, v.Field(i))
		}
	default:
		t.Fatalf("a %s can't be filled yet", v.Type())
	}
}
