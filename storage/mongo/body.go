package mongo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// instantLayout is how answers write instants; texts of exactly this form under a key like createdAt are kept as dates.
const instantLayout = "2006-01-02T15:04:05.000Z"

// fieldsOf turns a JSON object into fields. Whatever has no faithful counterpart (odd keys, odd numbers) is left out or
// changed: the caller compares what bodyOf makes of the result with the original.
func fieldsOf(body []byte) (bson.D, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := decodeValue(decoder, "")
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	fields, ok := value.(bson.D)
	if !ok {
		return nil, fmt.Errorf("not an object")
	}
	return fields, nil
}

func decodeValue(decoder *json.Decoder, key string) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return decodeObject(decoder)
		}
		return decodeArray(decoder, key)
	case json.Number:
		if n, err := strconv.ParseInt(string(t), 10, 64); err == nil {
			return n, nil
		}
		return t.Float64()
	case string:
		if strings.HasSuffix(key, "At") && len(t) == len(instantLayout) {
			if instant, err := time.Parse(instantLayout, t); err == nil {
				return bson.NewDateTimeFromTime(instant), nil
			}
		}
		return t, nil
	}
	return token, nil
}

func decodeObject(decoder *json.Decoder) (bson.D, error) {
	fields, seen := bson.D{}, map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		value, err := decodeValue(decoder, key)
		if err != nil {
			return nil, err
		}
		if !seen[key] && storable(key) {
			seen[key] = true
			fields = append(fields, bson.E{Key: key, Value: value})
		}
	}
	_, err := decoder.Token()
	return fields, err
}

func storable(key string) bool {
	return key != "" && key[0] != '$' && !strings.ContainsAny(key, ".\x00")
}

func decodeArray(decoder *json.Decoder, key string) (bson.A, error) {
	values := bson.A{}
	for decoder.More() {
		value, err := decodeValue(decoder, key)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	_, err := decoder.Token()
	return values, err
}

// bodyOf turns a document back into JSON, without our private fields.
func bodyOf(document bson.Raw) ([]byte, error) {
	answers := func(key string) bool { return key == keyID || key[0] != '_' }
	return appendObject(make([]byte, 0, len(document)), document, answers)
}

func appendObject(out []byte, document bson.Raw, wanted func(key string) bool) ([]byte, error) {
	elements, err := document.Elements()
	if err != nil {
		return nil, err
	}
	out = append(out, '{')
	for _, element := range elements {
		key := element.Key()
		if !wanted(key) {
			continue
		}
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		if out, err = appendText(out, key); err != nil {
			return nil, err
		}
		out = append(out, ':')
		if out, err = appendValue(out, element.Value()); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return append(out, '}'), nil
}

func anyKey(string) bool { return true }

func appendValue(out []byte, value bson.RawValue) ([]byte, error) {
	switch value.Type {
	case bson.TypeString:
		return appendText(out, value.StringValue())
	case bson.TypeInt64:
		return strconv.AppendInt(out, value.Int64(), 10), nil
	case bson.TypeInt32:
		return strconv.AppendInt(out, int64(value.Int32()), 10), nil
	case bson.TypeDouble:
		number, err := json.Marshal(value.Double())
		return append(out, number...), err
	case bson.TypeBoolean:
		return strconv.AppendBool(out, value.Boolean()), nil
	case bson.TypeDateTime:
		out = append(out, '"')
		return append(value.Time().UTC().AppendFormat(out, instantLayout), '"'), nil
	case bson.TypeNull:
		return append(out, "null"...), nil
	case bson.TypeEmbeddedDocument:
		return appendObject(out, value.Document(), anyKey)
	case bson.TypeArray:
		return appendArray(out, value.Array())
	}
	return nil, fmt.Errorf("field of type %s", value.Type)
}

func appendArray(out []byte, array bson.RawArray) ([]byte, error) {
	values, err := array.Values()
	if err != nil {
		return nil, err
	}
	out = append(out, '[')
	for i, value := range values {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendValue(out, value); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

func appendText(out []byte, text string) ([]byte, error) {
	quoted, err := json.Marshal(text)
	return append(out, quoted...), err
}
