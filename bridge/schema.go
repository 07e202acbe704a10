package bridge

import (
	"reflect"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// schemaOf describes a data type as JSON Schema. The type's struct tags say the rest: doc is the description, enum the
// allowed values, and omitempty makes a key optional.
func schemaOf(t reflect.Type) map[string]any {
	if t == reflect.TypeFor[domain.Time]() {
		return map[string]any{"type": "string", "format": "date-time", "description": "ISO-8601 UTC with milliseconds"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Int64:
		return map[string]any{"type": "integer", "format": "int64"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Struct:
		return objectOf(t)
	}
	panic("bridge: no schema for " + t.String()) // a test describes every type
}

func objectOf(t reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		schema := schemaOf(field.Type)
		if doc := field.Tag.Get("doc"); doc != "" {
			schema["description"] = doc
		}
		if enum := field.Tag.Get("enum"); enum != "" {
			schema["enum"] = strings.Split(enum, ",")
		}
		properties[name] = schema
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}
