package domain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Event is what the events of every package have: a name for their type that never changes, and their stored form, which
// is what encoding/json makes of the struct, because that is what reads it back.
type Event interface {
	EventType() string
	Appender
}

// Codec turns the events of one package into stored form and back. E is the package's event interface.
type Codec[E interface{ EventType() string }] struct {
	shapes map[string]shape
	encode func(E) []byte
}

// shape is the struct of one type of event.
type shape struct {
	reflect.Type
	read reader
}

// NewCodec makes a codec for these events; each is given as its zero value. Two of one type are a mistake of the program
// and panic, and so is a field of a kind that plain.go does not know.
func NewCodec[E Event](events ...E) Codec[E] {
	shapes := make(map[string]shape, len(events))
	for _, e := range events {
		if _, ok := shapes[e.EventType()]; ok {
			panic("codec: two events of type " + e.EventType())
		}
		t := reflect.TypeOf(e)
		shapes[e.EventType()] = shape{t, readerOf(t)}
	}
	return Codec[E]{shapes: shapes, encode: JSON[E]}
}

// CurrentSchema is the version of the stored shape that Encode writes. When a shape changes in a way that old data does
// not fit, the number rises and Decode turns the old shape into the new one.
const CurrentSchema = 1

// Encode returns the event as JSON. It refuses an event that Decode would not give back, and panics where a number is not
// finite: JSON has no form for it.
func (c Codec[E]) Encode(event E) ([]byte, error) {
	if c.shapes[event.EventType()].Type != reflect.TypeOf(event) {
		return nil, fmt.Errorf("encode %s: %T is not an event of this codec", event.EventType(), event)
	}
	return c.encode(event), nil
}

// Decode returns the event that Encode wrote, also one of an older schema.
func (c Codec[E]) Decode(eventType string, schema int, data []byte) (E, error) {
	var none E
	shape, ok := c.shapes[eventType]
	if !ok || schema < 1 || schema > CurrentSchema {
		return none, fmt.Errorf("decode %s schema %d: unknown to this version", eventType, schema)
	}
	value, ok := shape.plain(data)
	if !ok {
		var err error
		if value, err = shape.any(data); err != nil {
			return none, fmt.Errorf("decode %s: %w", eventType, err)
		}
	}
	return value.Interface().(E), nil
}

// plain reads what Encode usually writes.
func (s shape) plain(data []byte) (value reflect.Value, ok bool) {
	value = reflect.New(s.Type).Elem()
	rest, ok := s.read(data, value)
	return value, ok && len(rest) == 0
}

// any reads every JSON object.
func (s shape) any(data []byte) (reflect.Value, error) {
	value := reflect.New(s.Type)
	if !bytes.HasPrefix(data, []byte("{")) { // null would pass as an event without data
		return value, errors.New("not a JSON object")
	}
	err := json.Unmarshal(data, value.Interface())
	return value.Elem(), err
}

// Types lists every event type of the codec, sorted.
func (c Codec[E]) Types() []string { return slices.Sorted(maps.Keys(c.shapes)) }
