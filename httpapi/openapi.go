package httpapi

import (
	"fmt"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

const description = `Orders, stock and payments that can't be wrong.

Every route is served at / and, identically, under /api/v1. Money is an integer in the currency's minor unit. Unknown
properties of a body are refused; unknown query parameters are ignored. A success of a write means that it is durable.

Send an Idempotency-Key with every POST and PATCH: the same key with the same request gives the same answer, also in
parallel and after a crash; with another request it gives 409.

Lists are newest first; the next page is the Link header with rel="next". Its cursor is opaque.`

// newOpenAPI is the document before its operations are added.
func newOpenAPI(version string) *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[domain.Time](), reflect.TypeFor[time.Time]())
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "QueueCommerce", Version: version, Description: description},
		Servers: []*huma.Server{{URL: "/"}, {URL: "/api/v1"}},
		Tags: []*huma.Tag{{Name: "orders"}, {Name: "products"}, {Name: "stock"}, {Name: "reservations"},
			{Name: "payments"}, {Name: "health"}},
		Components: &huma.Components{Schemas: registry, Parameters: sharedParameters(), Responses: map[string]*huma.Response{}},
	}
	problem := registry.Schema(reflect.TypeFor[Problem](), true, "")
	for status, text := range problemTexts {
		api.Components.Responses["Problem"+strconv.Itoa(status)] = problemResponse(status, text, problem)
	}
	return api
}

// schemaName names a type after its package where it is one of the rules' documents, and drops "Body" of requests.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := t.Name()
	if name == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	if strings.Contains(t.PkgPath(), "/actors/") {
		name = strings.TrimSuffix(name, "Document")
		if pkg := path.Base(t.PkgPath()); !strings.EqualFold(pkg, name) {
			name = pkg + strings.ToUpper(name[:min(1, len(name))]) + name[min(1, len(name)):]
		}
	}
	name = strings.TrimSuffix(name, "Body")
	return strings.ToUpper(name[:1]) + name[1:]
}

func text(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: description}
}

func sharedParameters() map[string]*huma.Param {
	length := 255
	one := 1
	return map[string]*huma.Param{
		"IdempotencyKey": {Name: "Idempotency-Key", In: "header", Description: "The client's name for this intent.",
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &length}, Example: "b1946ac92492d2347c6235b4d2611184"},
		"IfMatch": {Name: "If-Match", In: "header", Description: "Only act on this version: an ETag that was answered before, or *.",
			Schema: text(""), Example: `"3"`},
		"Prefer": {Name: "Prefer", In: "header", Description: "wait=N answers when the order has left pending, or after N seconds (30 at most) with the state so far.",
			Schema: text(""), Example: "wait=10"},
	}
}

var problemTexts = map[int]string{
	http.StatusBadRequest:          "The request is malformed; message names every bad field.",
	http.StatusPaymentRequired:     "The card was declined.",
	http.StatusNotFound:            "Unknown, hidden or malformed id.",
	http.StatusConflict:            "A rule forbids it in this state, it is a duplicate, or the Idempotency-Key was used for another request.",
	http.StatusPreconditionFailed:  "If-Match names another version.",
	http.StatusServiceUnavailable:  "A dependency did not answer in time; send the same request again.",
	http.StatusInternalServerError: "A fault of the server.",
}

func problemResponse(status int, text string, schema *huma.Schema) *huma.Response {
	title := http.StatusText(status)
	example := map[string]any{"type": problemURN + "example", "title": title, "status": status, "detail": text,
		"instance": "/orders", "code": "example", "statusCode": status, "error": title, "message": text}
	if status == http.StatusBadRequest {
		const complaint = "items.0.quantity must be at least 1"
		example["type"], example["code"], example["detail"] = problemURN+"validation_failed", "validation_failed", complaint
		example["message"] = []string{complaint}
	}
	r := &huma.Response{Description: text, Content: map[string]*huma.MediaType{problemType: {Schema: schema, Example: example}}}
	if status == http.StatusServiceUnavailable {
		r.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
	}
	return r
}

// document makes the operation's description. Parameters and body are added from its request type.
func (o *operation) document(s *Server) *huma.Operation {
	d := &huma.Operation{OperationID: o.id, Method: o.method, Path: o.path, Tags: []string{o.tag},
		Summary: o.summary, Description: o.description, Responses: map[string]*huma.Response{}}
	for name, wanted := range map[string]bool{"IdempotencyKey": o.keyed, "IfMatch": o.matched, "Prefer": o.prefers} {
		if wanted {
			d.Parameters = append(d.Parameters, &huma.Param{Ref: "#/components/parameters/" + name})
		}
	}
	success := &huma.Response{Description: http.StatusText(o.status), Headers: o.headers()}
	if o.answer != nil {
		schema := s.document.Components.Schemas.Schema(reflect.TypeOf(o.answer), true, "")
		if o.array {
			schema = &huma.Schema{Type: huma.TypeArray, Items: schema}
		}
		success.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
	}
	d.Responses[strconv.Itoa(o.status)] = success
	if o.tagged && o.method == http.MethodGet {
		d.Responses["304"] = &huma.Response{Description: "If-None-Match names the current version."}
	}
	refusals := append([]int{http.StatusInternalServerError, http.StatusServiceUnavailable}, o.refusals...)
	if o.method != http.MethodDelete && o.tag != "health" {
		refusals = append(refusals, http.StatusBadRequest)
	}
	for _, status := range refusals {
		d.Responses[strconv.Itoa(status)] = &huma.Response{Ref: fmt.Sprintf("#/components/responses/Problem%d", status)}
	}
	return d
}

func (o *operation) headers() map[string]*huma.Param {
	headers := map[string]*huma.Param{}
	if o.tagged {
		headers["ETag"] = &huma.Param{Description: "Version of the entity.", Schema: text(""), Example: `"3"`}
	}
	if o.located {
		headers["Location"] = &huma.Param{Description: "Path of what was made.", Schema: text("")}
	}
	if o.linked {
		headers["Link"] = &huma.Param{Description: `The next page, rel="next"; absent on the last one.`, Schema: text("")}
	}
	if o.prefers {
		headers["Preference-Applied"] = &huma.Param{Description: "The preference that was honoured.", Schema: text("")}
	}
	return headers
}

// finish puts right what huma's tags can't say: nothing is ever null, answers may gain properties where requests may
// not, and a problem's message is one text or several.
func finish(api *huma.OpenAPI) *huma.OpenAPI {
	schemas := api.Components.Schemas.Map()
	asked := map[string]bool{}
	for _, item := range api.Paths {
		for _, o := range []*huma.Operation{item.Post, item.Patch} {
			if o != nil && o.RequestBody != nil {
				gather(schemas, o.RequestBody.Content["application/json"].Schema, asked)
			}
		}
	}
	for name, schema := range schemas {
		settle(schema)
		if !asked[name] {
			schema.AdditionalProperties = nil
		}
	}
	message := schemas["Problem"].Properties["message"]
	message.OneOf = []*huma.Schema{text(""), {Type: huma.TypeArray, Items: text("")}}
	schemas["TimelineEvent"].Properties["data"].Type = huma.TypeObject
	return api
}

// gather adds the names of all schemas that s consists of.
func gather(schemas map[string]*huma.Schema, s *huma.Schema, names map[string]bool) {
	if s.Ref != "" {
		name := path.Base(s.Ref)
		names[name] = true
		s = schemas[name]
	}
	if s.Items != nil {
		gather(schemas, s.Items, names)
	}
	for _, property := range s.Properties {
		gather(schemas, property, names)
	}
}

func settle(s *huma.Schema) {
	s.Nullable = false
	for _, property := range s.Properties {
		settle(property)
	}
	if s.Items != nil {
		settle(s.Items)
	}
}
