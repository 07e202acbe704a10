package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func described(t *testing.T) (*bench, map[string]any) {
	t.Helper()
	b := newBench(t, nil)
	a := b.send(t, "GET", "/openapi.json", "").want(t, 200)
	return b, a.object(t)
}

// visitOperations calls visit with every operation of the document.
func visitOperations(document map[string]any, visit func(method, path string, operation map[string]any)) {
	paths := document["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, operation := range paths[path].(map[string]any) {
			visit(strings.ToUpper(method), path, operation.(map[string]any))
		}
	}
}

func TestOpenAPIListsEveryRoute(t *testing.T) {
	b, document := described(t)
	if document["openapi"] != "3.1.0" {
		t.Errorf("openapi %v", document["openapi"])
	}
	listed := map[string]bool{}
	ids := map[string]bool{}
	visitOperations(document, func(method, path string, operation map[string]any) {
		listed[method+" "+path] = true
		id, _ := operation["operationId"].(string)
		if id == "" || ids[id] || operation["summary"] == "" || len(operation["tags"].([]any)) != 1 {
			t.Errorf("%s %s: id %q, summary %v, tags %v", method, path, id, operation["summary"], operation["tags"])
		}
		ids[id] = true
	})
	parameter := regexp.MustCompile(`:(\w+)`)
	undocumented := map[string]bool{"/openapi.json": true, "/asyncapi.json": true, "/metrics": true, "/docs": true,
		"/docs/start.js": true, "/docs/swagger-ui-bundle.js": true, "/docs/swagger-ui.css": true}
	for _, r := range b.app.GetRoutes(true) {
		path := parameter.ReplaceAllString(r.Path, "{$1}")
		if r.Method == http.MethodHead || undocumented[path] {
			continue
		}
		if !listed[r.Method+" "+path] {
			t.Errorf("%s %s is served and not described", r.Method, path)
		}
		delete(listed, r.Method+" "+path)
	}
	for route := range listed {
		t.Errorf("%s is described and not served", route)
	}
}

func TestOpenAPIIsWhole(t *testing.T) {
	_, document := described(t)
	resolve := func(ref string) any {
		var at any = document
		for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			object, _ := at.(map[string]any)
			at = object[name]
		}
		return at
	}
	var walk func(place string, node any)
	walk = func(place string, node any) {
		switch n := node.(type) {
		case map[string]any:
			if ref, ok := n["$ref"].(string); ok {
				if resolve(ref) == nil {
					t.Errorf("%s: %s names nothing", place, ref)
				}
				if len(n) != 1 {
					t.Errorf("%s: $ref beside %v", place, n)
				}
			}
			if kind, ok := n["type"].([]any); ok {
				t.Errorf("%s: type %v can be null", place, kind)
			}
			for name, inner := range n {
				walk(place+"/"+name, inner)
			}
		case []any:
			for i, inner := range n {
				walk(fmt.Sprintf("%s/%d", place, i), inner)
			}
		}
	}
	walk("", document)

	visitOperations(document, func(method, path string, operation map[string]any) {
		place := method + " " + path
		var inPath []string
		parameters, _ := operation["parameters"].([]any)
		for _, p := range parameters {
			parameter := p.(map[string]any)
			if ref, ok := parameter["$ref"].(string); ok {
				parameter = resolve(ref).(map[string]any)
			}
			if parameter["schema"] == nil || parameter["name"] == "" {
				t.Errorf("%s: parameter %v", place, parameter)
			}
			if parameter["in"] == "path" {
				inPath = append(inPath, "{"+parameter["name"].(string)+"}")
				if parameter["required"] != true {
					t.Errorf("%s: parameter %v of the path is not required", place, parameter["name"])
				}
			}
		}
		if named := regexp.MustCompile(`\{\w+\}`).FindAllString(path, -1); !slices.Equal(named, inPath) {
			t.Errorf("%s: parameters %v", place, inPath)
		}
		responses := operation["responses"].(map[string]any)
		if responses["500"] == nil || responses["503"] == nil || responses["422"] != nil {
			t.Errorf("%s: responses %v", place, slices.Collect(maps.Keys(responses)))
		}
		if body := operation["requestBody"]; (method == "POST" || method == "PATCH") != (body != nil) {
			t.Errorf("%s: body %v", place, body)
		}
	})
}

func TestOpenAPIRefusesUnknownPropertiesOfRequestsOnly(t *testing.T) {
	_, document := described(t)
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	for name, strict := range map[string]bool{"PlaceOrder": true, "Line": true, "Address": true, "UpdateProduct": true, "RefundPayment": true,
		"Order": false, "OrderItem": false, "Product": false, "Payment": false, "Problem": false} {
		schema := schemas[name].(map[string]any)
		if got := schema["additionalProperties"] == false; got != strict {
			t.Errorf("%s: additionalProperties %v", name, schema["additionalProperties"])
		}
	}
	if fmt.Sprint(schemas["UpdateProduct"].(map[string]any)["minProperties"]) != "1" {
		t.Error("an empty change is not refused")
	}
	created := schemas["Order"].(map[string]any)["properties"].(map[string]any)["createdAt"].(map[string]any)
	if created["type"] != "string" || created["format"] != "date-time" {
		t.Errorf("createdAt is %v", created)
	}
}

// What the document promises of a request is what the server enforces: the schema's own examples are accepted.
func TestOpenAPIExamplesAreAccepted(t *testing.T) {
	b, document := described(t)
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	var example func(schema map[string]any) (any, bool)
	example = func(schema map[string]any) (any, bool) {
		if ref, ok := schema["$ref"].(string); ok {
			return example(schemas[strings.TrimPrefix(ref, "#/components/schemas/")].(map[string]any))
		}
		if examples, ok := schema["examples"].([]any); ok {
			return examples[0], true
		}
		switch schema["type"] {
		case "object":
			object := map[string]any{}
			properties, _ := schema["properties"].(map[string]any)
			for name, property := range properties {
				if value, ok := example(property.(map[string]any)); ok {
					object[name] = value
				}
			}
			return object, true
		case "array":
			item, _ := example(schema["items"].(map[string]any))
			return []any{item}, true
		}
		return nil, false
	}
	b.asker.answer = permissive
	for route, name := range map[string]string{"/orders": "PlaceOrder", "/products": "CreateProduct"} {
		value, _ := example(schemas[name].(map[string]any))
		body, _ := json.Marshal(value)
		b.send(t, "POST", route, string(body)).want(t, 201)
	}
}

func TestDocsWorkOffline(t *testing.T) {
	b, _ := described(t)
	for _, prefix := range []string{"", "/api/v1"} {
		for _, target := range []string{"/docs", "/docs/"} {
			page := b.send(t, "GET", prefix+target, "").want(t, 200)
			if strings.Contains(string(page.body), "//") {
				t.Errorf("the page names another server: %s", page.body)
			}
			policy := page.Header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "connect-src 'self'") || strings.Contains(policy, "http") {
				t.Errorf("policy %q", policy)
			}
			assets := regexp.MustCompile(`(?:src|href|data-description)="(/[^"]+)"`).FindAllStringSubmatch(string(page.body), -1)
			if len(assets) != 4 {
				t.Fatalf("assets %v", assets)
			}
			for _, asset := range assets {
				if !strings.HasPrefix(asset[1], prefix+"/") {
					t.Errorf("asset %s under %s", asset[1], prefix)
				}
				plain := b.send(t, "GET", asset[1], "").want(t, 200)
				if len(plain.body) < 100 {
					t.Errorf("%s has %d bytes", asset[1], len(plain.body))
				}
				if packed := b.send(t, "GET", asset[1], "", "Accept-Encoding", "gzip, br").want(t, 200); packed.Header.Get("Content-Encoding") == "gzip" && len(packed.body) >= len(plain.body) {
					t.Errorf("%s is %d bytes packed, %d plain", asset[1], len(packed.body), len(plain.body))
				}
			}
		}
	}
	if a := b.send(t, "GET", "/asyncapi.json", "").want(t, 200); string(a.body) != `{"asyncapi":"3.0.0"}` {
		t.Errorf("asyncapi %s", a.body)
	}
	newBench(t, func(c *Config) { c.AsyncAPI, c.Metrics = nil, nil }).send(t, "GET", "/metrics", "").want(t, 404)
}
