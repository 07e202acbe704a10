package httpapi

import (
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/valyala/fasthttp"
)

// binding fills a request type from a request: fields tagged path or query, and the field Body. It is compiled once per
// route. Fields are texts, int64, bool, or pointers to those where "not given" matters.
type binding struct {
	path     []param
	query    []param
	body     *shape
	index    int // of the field Body, -1: none
	optional bool
}

type param struct {
	name     string
	field    int
	shape    *shape
	required bool
}

// bindingOf compiles a request type and adds its parameters and body to the operation's documentation.
func bindingOf(registry huma.Registry, input reflect.Type, op *huma.Operation, optional bool) *binding {
	b := &binding{index: -1, optional: optional}
	for i := range input.NumField() {
		field := input.Field(i)
		if field.Name == "Body" {
			schema := registry.Schema(field.Type, true, "")
			b.index, b.body = i, compile(registry, schema, field.Type)
			op.RequestBody = &huma.RequestBody{Required: !optional,
				Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
			continue
		}
		p := param{name: field.Tag.Get("path"), field: i, required: field.Tag.Get("required") == "true"}
		place := "path"
		if p.name == "" {
			place, p.name = "query", field.Tag.Get("query")
		}
		schema := huma.SchemaFromField(registry, field, "")
		schema.Nullable = false
		p.shape = compile(registry, schema, field.Type)
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.name, In: place, Description: schema.Description,
			Required: place == "path" || p.required, Schema: schema})
		if place == "path" {
			b.path = append(b.path, p)
		} else {
			b.query = append(b.query, p)
		}
	}
	return b
}

// bindPath fills path parameters. A malformed one can't name anything: not found.
func (b *binding) bindPath(target reflect.Value, value func(name string) string) error {
	for i := range b.path {
		p := &b.path[i]
		text, err := url.PathUnescape(value(p.name))
		if err != nil || !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
			return notFound("not_found", "there is nothing under this path")
		}
		malformed := false
		p.shape.checkText(text, utf8.RuneCountInString(text), func(string) { malformed = true })
		if malformed {
			return notFound("not_found", "there is nothing under this path")
		}
		target.Field(p.field).SetString(strings.Clone(text))
	}
	return nil
}

// bindQuery fills query parameters, coercing numbers and flags. Parameters that the operation does not know are ignored.
func (b *binding) bindQuery(target reflect.Value, args *fasthttp.Args) error {
	var complaints []string
	for i := range b.query {
		p := &b.query[i]
		values := args.PeekMulti(p.name)
		add := func(complaint string) { complaints = append(complaints, p.name+" "+complaint) }
		switch {
		case len(values) > 1:
			add("must be given once")
		case len(values) == 1:
			p.bind(target.Field(p.field), string(values[0]), add)
		case p.required:
			add("is required")
		}
	}
	if len(complaints) > 0 {
		return invalid(complaints...)
	}
	return nil
}

func (p *param) bind(field reflect.Value, text string, add func(complaint string)) {
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		add("must be valid UTF-8 without U+0000")
		return
	}
	if text == "" && p.shape.kind == huma.TypeString && !p.required && len(p.shape.enum) == 0 {
		return // a filter that was left empty does not filter
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch p.shape.kind {
	case huma.TypeInteger:
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			add("must be an integer number")
			return
		}
		p.shape.checkRange(float64(value), add)
		field.SetInt(value)
	case huma.TypeBoolean:
		switch text {
		case "true", "1":
			field.SetBool(true)
		case "false", "0":
		default:
			add("must be true or false")
		}
	default:
		p.shape.checkText(text, utf8.RuneCountInString(text), add)
		field.SetString(text)
	}
}

// bindBody checks and decodes a body.
func (b *binding) bindBody(target reflect.Value, request *fasthttp.Request) error {
	if b.index < 0 {
		return nil
	}
	if len(request.Header.ContentEncoding()) > 0 && !strings.EqualFold(string(request.Header.ContentEncoding()), "identity") {
		return badRequest("content_encoding", "a body must not be compressed")
	}
	body := request.Body()
	if len(body) == 0 {
		if b.optional {
			return nil
		}
		return invalid("the body is required")
	}
	if !isJSONType(string(request.Header.ContentType())) {
		return badRequest("content_type", "the content type must be application/json")
	}
	if complaints := readJSON(body, b.body, target.Field(b.index)); len(complaints) > 0 {
		return invalid(complaints...)
	}
	return nil
}

// isJSONType accepts application/json and what is built on it; a body without a type is taken to be JSON.
func isJSONType(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "" || media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
}
