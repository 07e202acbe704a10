package domain

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// What Object wrote is read back here, in one pass and without a look-up of keys. Only the plain form is understood: the
// fields in the order of the struct, no white space, no escapes. All else, such as what another version of the program
// wrote, is left to encoding/json, and what is understood means the same there: no event depends on who reads it.

// reader reads a value from the start of b into v, which is zero, and returns what follows. Not ok: it is not plain, and
// v is spoilt.
type reader func(b []byte, v reflect.Value) (rest []byte, ok bool)

// readerOf is how values of that type are read. It knows the kinds of fields that events are made of; another one is a
// mistake of the program and panics. The type must not contain itself.
func readerOf(t reflect.Type) reader {
	if t == reflect.TypeFor[Time]() {
		return readTime
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		panic(fmt.Sprintf("codec: a %s reads itself", t))
	}
	switch t.Kind() {
	case reflect.String:
		return readText
	case reflect.Bool:
		return readBool
	case reflect.Int, reflect.Int64:
		return readInt
	case reflect.Float64:
		return readFloat
	case reflect.Pointer:
		return pointerReader(t.Elem())
	case reflect.Slice:
		return listReader(t)
	case reflect.Struct:
		return objectReader(t)
	}
	panic(fmt.Sprintf("codec: a %s can't be read", t))
}

// readText reads what appendText wrote without an escape.
func readText(b []byte, v reflect.Value) (rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(`"`))
	end := bytes.IndexByte(b, '"')
	if !ok || end < 0 {
		return nil, false
	}
	text := string(b[:end])
	v.SetString(text)
	return b[end+1:], plain(text)
}

func readBool(b []byte, v reflect.Value) (rest []byte, ok bool) {
	if rest, ok = bytes.CutPrefix(b, []byte("true")); ok {
		v.SetBool(true)
		return rest, true
	}
	return bytes.CutPrefix(b, []byte("false"))
}

func readInt(b []byte, v reflect.Value) (rest []byte, ok bool) {
	n, rest, ok := whole(b)
	if !ok || v.OverflowInt(n) {
		return nil, false
	}
	v.SetInt(n)
	return rest, true
}

// readFloat reads whole numbers, which most are.
func readFloat(b []byte, v reflect.Value) (rest []byte, ok bool) {
	n, rest, ok := whole(b)
	v.SetFloat(float64(n))
	return rest, ok
}

// whole reads a number without a fraction. What else may follow in JSON's numbers follows as something unexpected.
func whole(b []byte) (n int64, rest []byte, ok bool) {
	const safe = 15 // digits: no overflow, and exact as a float
	digits, negative := bytes.CutPrefix(b, []byte("-"))
	length := 0
	for ; length < len(digits) && '0' <= digits[length] && digits[length] <= '9'; length++ {
		n = 10*n + int64(digits[length]-'0')
	}
	if length == 0 || length > safe || digits[0] == '0' && (length > 1 || negative) {
		return 0, nil, false
	}
	if negative {
		n = -n
	}
	return n, digits[length:], true
}

func readTime(b []byte, v reflect.Value) (rest []byte, ok bool) {
	if rest, ok = bytes.CutPrefix(b, []byte("null")); ok {
		return rest, true
	}
	text, ok := bytes.CutPrefix(b, []byte(`"`))
	length := bytes.IndexByte(text, '"')
	if !ok || length < 0 {
		return nil, false
	}
	var t Time
	err := t.UnmarshalJSON(b[:length+2])
	v.SetInt(int64(t))
	return text[length+1:], err == nil
}

func pointerReader(t reflect.Type) reader {
	read := readerOf(t)
	return func(b []byte, v reflect.Value) ([]byte, bool) {
		v.Set(reflect.New(t))
		return read(b, v.Elem())
	}
}

func listReader(t reflect.Type) reader {
	read := readerOf(t.Elem())
	return func(b []byte, v reflect.Value) (rest []byte, ok bool) {
		if rest, ok = bytes.CutPrefix(b, []byte("null")); ok {
			return rest, true
		}
		if rest, ok = bytes.CutPrefix(b, []byte("[]")); ok {
			v.Set(reflect.MakeSlice(t, 0, 0))
			return rest, true
		}
		rest, ok = bytes.CutPrefix(b, []byte("["))
		for more := ok; more && ok; {
			v.Grow(1)
			v.SetLen(v.Len() + 1)
			if rest, ok = read(rest, v.Index(v.Len()-1)); ok {
				rest, more = bytes.CutPrefix(rest, []byte(","))
			}
		}
		if !ok {
			return nil, false
		}
		return bytes.CutPrefix(rest, []byte("]"))
	}
}

// field is one key of an object.
type field struct {
	index []int  // of the struct's field, through what is embedded
	key   []byte // with a comma before and a colon behind
	read  reader
}

func objectReader(t reflect.Type) reader {
	fields := fieldsOf(t, nil)
	return func(b []byte, v reflect.Value) (rest []byte, ok bool) {
		if rest, ok = bytes.CutPrefix(b, []byte("{")); !ok {
			return nil, false
		}
		comma := 1 // there is none before the first
		for i := range fields {
			value, found := bytes.CutPrefix(rest, fields[i].key[comma:])
			if !found {
				continue // not set; a key that is out of order is met by the bracket
			}
			if rest, ok = fields[i].read(value, v.FieldByIndex(fields[i].index)); !ok {
				return nil, false
			}
			comma = 0
		}
		return bytes.CutPrefix(rest, []byte("}"))
	}
}

// fieldsOf lists the fields in the order in which they are written.
func fieldsOf(t reflect.Type, path []int) (fields []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(path[:len(path):len(path)], i)
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct:
			fields = append(fields, fieldsOf(f.Type, index)...)
		case key == "" || key == "-" || options == "string" || !f.IsExported():
			panic(fmt.Sprintf("codec: field %s of %s has no key of its own", f.Name, t))
		default:
			fields = append(fields, field{index: index, key: []byte("," + strconv.Quote(key) + ":"), read: readerOf(f.Type)})
		}
	}
	return fields
}
