package domain

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Appender writes itself as JSON behind b and returns the longer slice, as encoding/json would write it.
type Appender interface {
	AppendJSON(b []byte) []byte
}

// JSON returns what the value writes, in memory of its own that is no larger than that.
func JSON[A Appender](value A) []byte {
	b := scratch.Get().(*[]byte)
	defer scratch.Put(b)
	*b = value.AppendJSON((*b)[:0])
	return bytes.Clone(*b)
}

// scratch is where a value is written before its size is known; nothing in it outlives that.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// Object writes a JSON object field by field, byte for byte as encoding/json writes a struct with these fields. The
// Optional ones are those with omitempty or omitzero: they leave out a field that is not set. Keys must be plain ASCII.
type Object struct{ b []byte }

// Open begins an object behind b.
func Open(b []byte) Object { return Object{append(b, '{')} }

// Close ends the object and returns everything that has been written.
func (o *Object) Close() []byte { return append(o.b, '}') }

func (o *Object) next() {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
}

func (o *Object) key(key string) {
	o.next()
	o.b = append(o.b, '"')
	o.b = append(o.b, key...)
	o.b = append(o.b, '"', ':')
}

// Text writes a string.
func (o *Object) Text(key, value string) {
	o.key(key)
	o.b = appendText(o.b, value)
}

// Int writes an integer.
func (o *Object) Int(key string, value int64) {
	o.key(key)
	o.b = strconv.AppendInt(o.b, value, 10)
}

// Uint writes an integer that has no sign.
func (o *Object) Uint(key string, value uint64) {
	o.key(key)
	o.b = strconv.AppendUint(o.b, value, 10)
}

// Float writes a number with a fraction. JSON has no form for what is not finite: it panics.
func (o *Object) Float(key string, value float64) {
	o.key(key)
	o.b = appendFloat(o.b, value)
}

// Bool writes true or false.
func (o *Object) Bool(key string, value bool) {
	o.key(key)
	o.b = strconv.AppendBool(o.b, value)
}

// Time writes an instant; one that is not set is null.
func (o *Object) Time(key string, value Time) {
	o.key(key)
	o.b = value.AppendJSON(o.b)
}

// OptionalText writes a string unless it is empty.
func (o *Object) OptionalText(key, value string) {
	if value != "" {
		o.Text(key, value)
	}
}

// OptionalInt writes an integer unless it is 0.
func (o *Object) OptionalInt(key string, value int64) {
	if value != 0 {
		o.Int(key, value)
	}
}

// OptionalFloat writes a number with a fraction unless it is 0.
func (o *Object) OptionalFloat(key string, value float64) {
	if value != 0 {
		o.Float(key, value)
	}
}

// OptionalTrue writes true, or nothing.
func (o *Object) OptionalTrue(key string, value bool) {
	if value {
		o.Bool(key, true)
	}
}

// OptionalTime writes an instant unless it is not set.
func (o *Object) OptionalTime(key string, value Time) {
	if value != 0 {
		o.Time(key, value)
	}
}

// Texts writes a list of strings; nil is null.
func (o *Object) Texts(key string, values []string) {
	o.key(key)
	o.b = appendList(o.b, values, appendText)
}

// Nested writes an object inside the object.
func Nested[T Appender](o *Object, key string, value T) {
	o.key(key)
	o.b = value.AppendJSON(o.b)
}

// List writes a list of objects; nil is null.
func List[T Appender](o *Object, key string, values []T) {
	o.key(key)
	o.b = appendList(o.b, values, func(b []byte, value T) []byte { return value.AppendJSON(b) })
}

// Map writes an object with a field for each of the map's, sorted by their keys, which may be any texts; nil is null.
func Map[T Appender](o *Object, key string, values map[string]T) {
	o.key(key)
	if values == nil {
		o.b = append(o.b, "null"...)
		return
	}
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	inner := Open(o.b)
	for _, key := range keys {
		inner.next()
		inner.b = append(appendText(inner.b, key), ':')
		inner.b = values[key].AppendJSON(inner.b)
	}
	o.b = inner.Close()
}

// Optional writes what the pointer points to, in the way that write says, unless it is nil.
func Optional[T any](o *Object, key string, value *T, write func(o *Object, key string, value T)) {
	if value != nil {
		write(o, key, *value)
	}
}

// Nullable writes what the pointer points to, in the way that write says; nil is null.
func Nullable[T any](o *Object, key string, value *T, write func(o *Object, key string, value T)) {
	if value == nil {
		o.key(key)
		o.b = append(o.b, "null"...)
		return
	}
	write(o, key, *value)
}

func appendList[T any](b []byte, values []T, write func([]byte, T) []byte) []byte {
	if values == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = write(b, value)
	}
	return append(b, ']')
}

// appendText leaves texts that need an escape to encoding/json: they are rare, and it knows them all.
func appendText(b []byte, text string) []byte {
	if !plain(text) {
		return append(b, marshal(text)...)
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"')
}

// plain says whether encoding/json writes the text as it is, between quotes.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			return plainUnicode(text[i:])
		case c < ' ', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

func plainUnicode(text string) bool {
	for _, r := range text {
		switch r {
		case '"', '\\', '<', '>', '&', '\u2028', '\u2029', utf8.RuneError:
			return false
		}
		if r < ' ' {
			return false
		}
	}
	return true
}

// appendFloat writes whole numbers, which most are, by itself.
func appendFloat(b []byte, value float64) []byte {
	const exact = 1 << 53
	if value == math.Trunc(value) && math.Abs(value) < exact && (value != 0 || !math.Signbit(value)) {
		return strconv.AppendInt(b, int64(value), 10)
	}
	return append(b, marshal(value)...)
}

func marshal(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // ours: a number that is not finite must not have passed the rules
	}
	return data
}
