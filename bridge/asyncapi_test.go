package bridge

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func document(t *testing.T) map[string]any {
	t.Helper()
	raw, err := AsyncAPI("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	var d map[string]any
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// resolve follows a local reference; the test fails when it leads nowhere.
func resolve(t *testing.T, d map[string]any, v any) map[string]any {
	t.Helper()
	m, _ := v.(map[string]any)
	target, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	var at any = d
	for _, step := range strings.Split(strings.TrimPrefix(target, "#/"), "/") {
		at = at.(map[string]any)[step]
		if at == nil {
			t.Fatalf("reference %s leads nowhere", target)
		}
	}
	return resolve(t, d, at)
}

func TestAsyncAPIListsExactlyTheCatalogue(t *testing.T) {
	d := document(t)
	addresses := map[string][]string{}
	for name, v := range d["operations"].(map[string]any) {
		operation := v.(map[string]any)
		channel := resolve(t, d, operation["channel"])
		addresses[operation["action"].(string)] = append(addresses[operation["action"].(string)], channel["address"].(string))
		for _, m := range operation["messages"].([]any) {
			if resolve(t, d, m)["name"] != channel["address"] {
				t.Errorf("operation %s has another channel's message", name)
			}
		}
	}
	slices.Sort(addresses["send"])
	slices.Sort(addresses["receive"])
	if !slices.Equal(addresses["send"], Patterns()) {
		t.Errorf("sends %v, catalogue %v", addresses["send"], Patterns())
	}
	if !slices.Equal(addresses["receive"], []string{patternReserve, patternPay}) {
		t.Errorf("receives %v", addresses["receive"])
	}
}

// The fields that AsyncAPI 3.0.0 requires, and the values that it allows.
func TestAsyncAPIStructure(t *testing.T) {
	d := document(t)
	info := d["info"].(map[string]any)
	if d["asyncapi"] != "3.0.0" || info["title"] == "" || info["version"] != "1.2.3" {
		t.Errorf("head %v %v", d["asyncapi"], info)
	}
	for name, v := range d["channels"].(map[string]any) {
		channel := v.(map[string]any)
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || channel["description"] == "" {
			t.Errorf("channel %s: %v", name, channel)
		}
		for _, m := range channel["messages"].(map[string]any) {
			message := resolve(t, d, m)
			if resolve(t, d, message["payload"])["type"] != "object" || resolve(t, d, message["headers"])["type"] != "object" {
				t.Errorf("message of %s: %v", name, message)
			}
		}
	}
	for name, v := range d["operations"].(map[string]any) {
		if action := v.(map[string]any)["action"]; action != "send" && action != "receive" {
			t.Errorf("operation %s has action %v", name, action)
		}
	}
}

func TestGoldenMessagesFitTheirSchemas(t *testing.T) {
	d := document(t)
	schemas := d["components"].(map[string]any)["schemas"].(map[string]any)
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			schema := schemas["send"+camel(g.pattern)].(map[string]any)
			var value any
			if err := json.Unmarshal(g.message(t).Body, &value); err != nil {
				t.Fatal(err)
			}
			for _, problem := range misfits("$", schema, value) {
				t.Error(problem)
			}
			object := value.(map[string]any)["data"].(map[string]any)
			for key := range object {
				if key == "paymentMethodId" {
					continue
				}
				removed := object[key]
				delete(object, key)
				if len(misfits("$", schema, value)) == 0 {
					t.Errorf("the schema does not miss %s", key)
				}
				object[key] = removed
			}
			object["more"] = 1
			if len(misfits("$", schema, value)) == 0 {
				t.Error("the schema does not name every key")
			}
		})
	}
}

// misfits compares a value with a schema of the kind that schemaOf makes; keys that the schema does not name are misfits.
func misfits(path string, schema map[string]any, value any) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, path+": "+fmt.Sprintf(format, args...)) }
	if constant, ok := schema["const"]; ok && value != constant {
		bad("%v is not %v", value, constant)
	}
	if enum, ok := schema["enum"].([]any); ok && !slices.Contains(enum, value) {
		bad("%v is not one of %v", value, enum)
	}
	switch schema["type"] {
	case "string":
		text, ok := value.(string)
		if !ok {
			bad("%v is no text", value)
		}
		if schema["format"] == "date-time" {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", text); err != nil {
				bad("%v", err)
			}
		}
	case "integer":
		if n, ok := value.(float64); !ok || n != float64(int64(n)) {
			bad("%v is no integer", value)
		}
	case "array":
		elements, ok := value.([]any)
		if !ok {
			bad("%v is no array", value)
		}
		for i, element := range elements {
			problems = append(problems, misfits(fmt.Sprintf("%s.%d", path, i), schema["items"].(map[string]any), element)...)
		}
	case "object":
		object, _ := value.(map[string]any)
		properties := schema["properties"].(map[string]any)
		for _, key := range schema["required"].([]any) {
			if _, ok := object[key.(string)]; !ok {
				bad("%v is missing", key)
			}
		}
		for key, v := range object {
			if properties[key] == nil {
				bad("%s is not described", key)
				continue
			}
			problems = append(problems, misfits(path+"."+key, properties[key].(map[string]any), v)...)
		}
	default:
		bad("schema without a type")
	}
	return problems
}
