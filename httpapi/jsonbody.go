package httpapi

import (
	"encoding/json"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// walker checks a JSON text against a shape in one pass and gathers every complaint. The text must be valid JSON and
// valid UTF-8, which the caller has made sure of; so the walker only has to find its way.
type walker struct {
	text       string
	at         int
	path       []step
	complaints []string
}

// step on the way to a value: a name or, where the name is empty, an index.
type step struct {
	name  string
	index int
}

// checkJSON returns what is wrong with a body; nothing: it can be decoded into the type that the shape was made of.
func checkJSON(body []byte, s *shape) []string {
	if !utf8.Valid(body) {
		return []string{"the body must be valid UTF-8"}
	}
	if !json.Valid(body) {
		return []string{"the body must be valid JSON"}
	}
	w := walker{text: string(body), path: make([]step, 0, 8)}
	w.value(s)
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

func (w *walker) value(s *shape) {
	w.space()
	switch c := w.text[w.at]; {
	case c == '{' && s.kind == huma.TypeObject:
		w.object(s)
	case c == '[' && s.kind == huma.TypeArray:
		w.array(s)
	case c == '"' && s.kind == huma.TypeString:
		w.str(s)
	case (c == 't' || c == 'f') && s.kind == huma.TypeBoolean:
		w.skip()
	case c == 'n':
		w.skip()
		w.add("must not be null")
	case (c == '-' || c >= '0' && c <= '9') && (s.kind == huma.TypeInteger || s.kind == huma.TypeNumber):
		start := w.at
		w.skip()
		s.checkNumber(w.text[start:w.at], w.add)
	default:
		w.skip()
		w.add(wants(s))
	}
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

func (w *walker) object(s *shape) {
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
		w.push(step{name: name, index: -1})
		p, known := s.properties[name]
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
			w.value(p.shape)
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

func (w *walker) array(s *shape) {
	w.at++ // [
	count := 0
	for w.space(); w.text[w.at] != ']'; w.space() {
		if w.text[w.at] == ',' {
			w.at++
		}
		w.push(step{index: count})
		w.value(s.items)
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

func (w *walker) str(s *shape) {
	text, ok := w.quoted()
	if !ok || strings.IndexByte(text, 0) >= 0 {
		w.add("must not hold U+0000 or half a surrogate pair")
		return
	}
	s.checkText(text, utf8.RuneCountInString(text), w.add)
}

// quoted reads the text at the current place; ok is false when it names half a surrogate pair, which Go's decoder would
// replace in silence.
func (w *walker) quoted() (text string, ok bool) {
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
	if err := json.Unmarshal([]byte(raw), &text); err != nil {
		return "", false
	}
	// A replacement character that nobody sent comes from half a pair.
	sent := strings.Count(raw, "\uFFFD") + strings.Count(strings.ToLower(raw), `\ufffd`)
	return text, strings.Count(text, "\uFFFD") <= sent
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
