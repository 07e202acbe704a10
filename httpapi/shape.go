package httpapi

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// shape is a compiled huma schema: what a value of a body or parameter must look like. It is exactly as strict as the
// OpenAPI document says, and stricter in what JSON Schema can't say: integers are exact and inside int64, no text holds
// U+0000 or a lone surrogate, no name is given twice.
type shape struct {
	kind          string // one of huma's Type constants; empty: anything
	format        string
	properties    map[string]property // object
	required      []string            // object, in the order of the struct
	minProperties int
	items         *shape // array
	minItems      int
	maxItems      int // -1: no limit
	minLength     int // text, in characters
	maxLength     int // -1: no limit
	pattern       *regexp.Regexp
	patternText   string
	enum          []string
	minimum       float64
	maximum       float64
}

// property of an object.
type property struct {
	*shape
	name  string
	bit   uint64 // its place in a set of names
	field int    // its place in the struct
}

// compile turns the schema of a type into a shape, following references. Request types are not recursive.
func compile(registry huma.Registry, s *huma.Schema, of reflect.Type) *shape {
	if s.Ref != "" {
		s = registry.SchemaFromRef(s.Ref)
	}
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	out := &shape{kind: s.Type, format: s.Format, required: slices.Clone(s.Required), maxItems: -1, maxLength: -1,
		minimum: math.Inf(-1), maximum: math.Inf(1)}
	setInt(&out.minProperties, s.MinProperties)
	setInt(&out.minItems, s.MinItems)
	setInt(&out.maxItems, s.MaxItems)
	setInt(&out.minLength, s.MinLength)
	setInt(&out.maxLength, s.MaxLength)
	if s.Minimum != nil {
		out.minimum = *s.Minimum
	}
	if s.Maximum != nil {
		out.maximum = *s.Maximum
	}
	if s.Pattern != "" {
		out.pattern, out.patternText = regexp.MustCompile(s.Pattern), s.PatternDescription
	}
	for _, value := range s.Enum {
		out.enum = append(out.enum, fmt.Sprint(value))
	}
	if s.Items != nil {
		out.items = compile(registry, s.Items, of.Elem())
	}
	if s.Type == huma.TypeObject {
		if len(s.Properties) > 64 {
			panic("httpapi: a request type has more properties than a set of names can hold")
		}
		out.properties = make(map[string]property, len(s.Properties))
		for i := range of.NumField() {
			field := of.Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			out.properties[name] = property{shape: compile(registry, s.Properties[name], field.Type), name: name, bit: 1 << i, field: i}
		}
	}
	return out
}

func setInt(field *int, value *int) {
	if value != nil {
		*field = *value
	}
}

// checkText adds what is wrong with a decoded text.
func (s *shape) checkText(text string, length int, add func(complaint string)) {
	switch {
	case len(s.enum) > 0 && !slices.Contains(s.enum, text):
		add("must be one of: " + strings.Join(s.enum, ", "))
	case length < s.minLength && s.minLength == 1:
		add("must not be empty")
	case length < s.minLength:
		add("must be at least " + strconv.Itoa(s.minLength) + " characters")
	case s.maxLength >= 0 && length > s.maxLength:
		add("must be at most " + strconv.Itoa(s.maxLength) + " characters")
	case s.format == "email" && !isEmail(text):
		add("must be an email address")
	case s.pattern != nil && !s.pattern.MatchString(text):
		add("must be " + s.patternText)
	}
}

// integer reads an integer's literal and adds what is wrong with it.
func (s *shape) integer(literal []byte, add func(complaint string)) int64 {
	if bytes.ContainsAny(literal, ".eE") {
		add("must be an integer number")
		return 0
	}
	value, err := strconv.ParseInt(string(literal), 10, 64)
	if err != nil {
		add("is out of range")
		return 0
	}
	s.checkRange(float64(value), add)
	return value
}

// number reads a number's literal and adds what is wrong with it.
func (s *shape) number(literal []byte, add func(complaint string)) float64 {
	value, err := strconv.ParseFloat(string(literal), 64)
	if err != nil {
		add("is out of range")
		return 0
	}
	s.checkRange(value, add)
	return value
}

func (s *shape) checkRange(value float64, add func(complaint string)) {
	switch {
	case value < s.minimum:
		add("must be at least " + strconv.FormatFloat(s.minimum, 'f', -1, 64))
	case value > s.maximum:
		add("must be at most " + strconv.FormatFloat(s.maximum, 'f', -1, 64))
	}
}

// isEmail accepts what mail servers on the internet accept: an unquoted local part and a domain with a dot.
func isEmail(text string) bool {
	if len(text) > 254 {
		return false
	}
	at := strings.LastIndexByte(text, '@')
	if at < 1 || at > 64 {
		return false
	}
	local, host := text[:at], text[at+1:]
	if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") ||
		strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),:;<>@[\]`, r) }) {
		return false
	}
	if !strings.Contains(host, ".") {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.ContainsFunc(label, func(r rune) bool {
				return r < 0x80 && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
			}) {
			return false
		}
	}
	return true
}

// notEmpty is the schema of a change: at least one property.
func notEmpty(s *huma.Schema) *huma.Schema {
	one := 1
	s.MinProperties = &one
	return s
}
