package httpapi

import (
	"bytes"
	"math/bits"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// walker checks a JSON text against a shape, decodes it and gathers every complaint, all in one pass. The text must be
// valid JSON and valid UTF-8, which the caller has made sure of; so the walker only has to find its way.
type walker struct {
	text       []byte
	at         int
	path       []step
	complaints []string
}

// step on the way to a value: a name or, where the name is empty, an index.
type step struct {
	name  string
	index int
}

// readJSON decodes a body into a zero value of the type that the shape was made of, as encoding/json would, and keeps
// nothing of the body itself. It returns what is wrong with the body; then the value is of no use.
func readJSON(body []byte, s *shape, into reflect.Value) []string {
	if !utf8.Valid(body) {
		return []string{"the body must be valid UTF-8"}
	}
	// Names given twice, and half surrogates, are complained about by the walker, which knows where they are.
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		return []string{"the body must be valid JSON"}
	}
	w := walker{text: body, path: make([]step, 0, 8)}
	w.value(s, into)
	return w.complaints
}

// add writes a complaint about the current place, such as "items.0.quantity must be at least 1".
func (w *walker) add(complaint string) {
	if len(w.complaints) >= maxComplaints {
		return
	}
	w.complaints = append(w.complaints, w.place()+" "+complaint)
}

func (w *walker) place() string {
	if len(w.path) == 0 {
		return "the body"
	}
	var place strings.Builder
	for i, s := range w.path {
		if i > 0 {
			place.WriteByte('.')
		}
		if s.index < 0 {
			place.WriteString(s.name)
		} else {
			place.WriteString(strconv.Itoa(s.index))
		}
	}
	const most = 200 // bytes: a name may be as long as the body
	if place.Len() > most {
		return strings.ToValidUTF8(place.String()[:most], "") + "..."
	}
	return place.String()
}

func (w *walker) push(s step) { w.path = append(w.path, s) }
func (w *walker) pop()        { w.path = w.path[:len(w.path)-1] }

func (w *walker) space() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\r', '\n':
			w.at++
		default:
			return
		}
	}
}

func (w *walker) value(s *shape, into reflect.Value) {
	w.space()
	if into.Kind() == reflect.Pointer {
		into.Set(reflect.New(into.Type().Elem()))
		into = into.Elem()
	}
	switch c := w.text[w.at]; {
	case c == '{' && s.kind == huma.TypeObject:
		w.object(s, into)
	case c == '[' && s.kind == huma.TypeArray:
		w.array(s, into)
	case c == '"' && s.kind == huma.TypeString:
		w.str(s, into)
	case (c == 't' || c == 'f') && s.kind == huma.TypeBoolean:
		w.skip()
		into.SetBool(c == 't')
	case c == 'n':
		w.skip()
		w.add("must not be null")
	case isNumber(c) && s.kind == huma.TypeInteger:
		into.SetInt(s.integer(w.literal(), w.add))
	case isNumber(c) && s.kind == huma.TypeNumber:
		into.SetFloat(s.number(w.literal(), w.add))
	default:
		w.skip()
		w.add(wants(s))
	}
}

func isNumber(first byte) bool { return first == '-' || first >= '0' && first <= '9' }

// literal passes over a number.
func (w *walker) literal() []byte {
	start := w.at
	w.skip()
	return w.text[start:w.at]
}

func wants(s *shape) string {
	switch s.kind {
	case huma.TypeInteger:
		return "must be an integer number"
	case huma.TypeString:
		return "must be a string"
	case huma.TypeBoolean:
		return "must be a boolean"
	case huma.TypeArray:
		return "must be an array"
	case huma.TypeNumber:
		return "must be a number"
	}
	return "must be an object"
}

func (w *walker) object(s *shape, into reflect.Value) {
	w.at++ // {
	var seen uint64
	for w.space(); w.text[w.at] != '}'; w.space() {
		if w.text[w.at] == ',' {
			w.at++
			w.space()
		}
		name, _ := w.quoted()
		w.space()
		w.at++ // :
		p, known := s.properties[string(name)]
		if !known {
			p.name = string(name)
		}
		w.push(step{name: p.name, index: -1})
		switch {
		case !known:
			w.space()
			w.skip()
			w.add("should not exist")
		case seen&p.bit != 0:
			w.space()
			w.skip()
			w.add("is given twice")
		default:
			seen |= p.bit
			w.value(p.shape, into.Field(p.field))
		}
		w.pop()
	}
	w.at++ // }
	for _, name := range s.required {
		if seen&s.properties[name].bit == 0 {
			w.push(step{name: name, index: -1})
			w.add("is required")
			w.pop()
		}
	}
	if bits.OnesCount64(seen) < s.minProperties {
		w.add("must hold at least one property")
	}
}

func (w *walker) array(s *shape, into reflect.Value) {
	w.at++       // [
	into.Grow(1) // an empty list is not a missing one
	count := 0
	for w.space(); w.text[w.at] != ']'; w.space() {
		if w.text[w.at] == ',' {
			w.at++
		}
		w.push(step{index: count})
		w.value(s.items, s.element(into, count))
		w.pop()
		count++
	}
	w.at++ // ]
	switch {
	case count < s.minItems:
		w.add("must contain at least " + strconv.Itoa(s.minItems) + " elements")
	case s.maxItems >= 0 && count > s.maxItems:
		w.add("must contain at most " + strconv.Itoa(s.maxItems) + " elements")
	}
}

// element is where a value of the list goes. Those beyond the limit, which only count, share the place behind it.
func (s *shape) element(list reflect.Value, index int) reflect.Value {
	if s.maxItems >= 0 {
		index = min(index, s.maxItems)
	}
	if index == list.Len() {
		list.Grow(1)
		list.SetLen(index + 1)
	}
	return list.Index(index)
}

func (w *walker) str(s *shape, into reflect.Value) {
	raw, ok := w.quoted()
	if !ok || bytes.IndexByte(raw, 0) >= 0 {
		w.add("must not hold U+0000 or half a surrogate pair")
		return
	}
	text := string(raw)
	s.checkText(text, utf8.RuneCountInString(text), w.add)
	into.SetString(text)
}

// quoted reads the text at the current place, which may be a part of the body; ok is false when it names half a surrogate
// pair, which Go's decoder would replace in silence.
func (w *walker) quoted() (text []byte, ok bool) {
	start := w.at
	plain := true
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			plain = false
			w.at++
		}
	}
	w.at++
	raw := w.text[start:w.at]
	if plain {
		return raw[1 : len(raw)-1], true
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return text, err == nil
}

// skip passes over the value at the current place, whatever it is.
func (w *walker) skip() {
	depth := 0
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case '"':
			for w.at++; w.text[w.at] != '"'; w.at++ {
				if w.text[w.at] == '\\' {
					w.at++
				}
			}
			if depth == 0 {
				w.at++
				return
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return // the end of what surrounds a literal
			}
			if depth--; depth == 0 {
				w.at++
				return
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return // the end of a literal
			}
		}
		w.at++
	}
}
