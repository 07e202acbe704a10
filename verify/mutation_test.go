package verify_test

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/verify"
)

// altered is one event with one value changed.
type altered struct {
	entry, event int
	path         string
	was, is      any
	data         []byte
}

// decodeAny decodes an event of any kind, and returns how to encode it again.
func decodeAny(t testing.TB, stream storage.Stream, e storage.Event) (any, func(any) []byte) {
	t.Helper()
	switch stream.Kind() {
	case "order":
		return codecFor(t, order.Codec, e)
	case "product":
		return codecFor(t, product.Codec, e)
	case "payment":
		return codecFor(t, payment.Codec, e)
	case "claim":
		return codecFor(t, claim.Codec, e)
	}
	return codecFor(t, webhook.Codec, e)
}

func codecFor[E event](t testing.TB, codec domain.Codec[E], e storage.Event) (any, func(any) []byte) {
	value, err := codec.Decode(e.Type, e.Schema, e.Data)
	if err != nil {
		t.Fatal(err)
	}
	return value, func(v any) []byte {
		data, err := codec.Encode(v.(E))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

// alterations changes every scalar of the event in every way that there is, one at a time.
func alterations(t testing.TB, entry, index int, stream storage.Stream, e storage.Event) []altered {
	value, encode := decodeAny(t, stream, e)
	event := reflect.New(reflect.TypeOf(value)).Elem()
	event.Set(reflect.ValueOf(value))
	var found []altered
	walk(event, e.Type, func(path string, field reflect.Value) {
		was := reflect.New(field.Type()).Elem()
		was.Set(field)
		for _, other := range others(path, field) {
			if other.Equal(was) {
				continue
			}
			field.Set(other)
			found = append(found, altered{entry, index, path, was.Interface(), other.Interface(), encode(event.Interface())})
		}
		field.Set(was)
	})
	return found
}

func walk(v reflect.Value, path string, visit func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if v.Type().Field(i).Anonymous {
				walk(v.Field(i), path, visit)
			} else {
				walk(v.Field(i), path+" "+name, visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), path, visit)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			kept := v.Elem().Interface()
			walk(v.Elem(), path, visit)
			v.Elem().Set(reflect.ValueOf(kept))
		}
	default:
		visit(path, v)
	}
}

// others are plausible values of the field that it does not have.
func others(path string, field reflect.Value) []reflect.Value {
	var values []any
	switch x := field.Interface().(type) {
	case domain.Time:
		if strings.HasSuffix(path, " at") {
			values = []any{x + 36*3600_000, x - 36*3600_000}
		} else if x != 0 {
			values = []any{x + 1000, x - 1000, x + 36*3600_000}
		}
	case order.Status:
		for _, s := range []order.Status{order.StatusPending, order.StatusConfirmed, order.StatusProcessing, order.StatusShipped, order.StatusDelivered, order.StatusCancelled} {
			if s != x {
				values = append(values, s)
			}
		}
	case string:
		values = []any{x + "1"}
		if x != "" {
			last := byte('0')
			if x[len(x)-1] == '0' {
				last = '1'
			}
			first := byte('1')
			if x[0] == '1' {
				first = '2'
			}
			values = append(values, x[:len(x)-1]+string(last), string(first)+x[1:])
		}
	case int64:
		values = []any{x + 1, x - 1, 2*x + 10}
	case int:
		values = []any{x + 1, x - 1}
	case bool:
		values = []any{!x}
	case float64:
		values = []any{x + 1}
	default:
		panic(fmt.Sprintf("%s: a %T", path, x))
	}
	out := make([]reflect.Value, len(values))
	for i, v := range values {
		out[i] = reflect.ValueOf(v)
	}
	return out
}

// names says whether the violation is about that place.
func names(v verify.Violation, place verify.Place) bool {
	return v.Place == place || (v.Against != nil && *v.Against == place)
}

// TestEveryAlterationIsNoticed changes every value of every event of a complete journal, one at a time.
func TestEveryAlterationIsNoticed(t *testing.T) {
	for clock, jump := range map[string]time.Duration{"steady": 0, "jumping": time.Hour} {
		t.Run(clock, func(t *testing.T) { noticesAll(t, completeShop(t, jump)) })
	}
}

func noticesAll(t *testing.T, s *shop) {
	t.Helper()
	if report := clean(t, s.tape(), verify.Options{}); (s.jump != 0) != (report.WarningCount > 0) {
		t.Fatalf("the clock goes back by %v, and the warnings are %v", s.jump, report.Warnings)
	}
	var all []altered
	for i, e := range s.entries {
		for j, event := range e.Events {
			all = append(all, alterations(t, i, j, e.Stream, event)...)
		}
	}
	journal := verify.Decode(s.entries...)
	noticed := make([]bool, len(all))
	reports := make([]verify.Report, len(all))
	var workers sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for w := range n {
		workers.Go(func() {
			for i := w; i < len(all); i += n {
				noticed[i], reports[i] = notices(s, journal, all[i])
			}
		})
	}
	workers.Wait()
	t.Logf("%d alterations of %d events", len(all), countEvents(s.entries))
	judge(t, s, all, noticed, reports)
}

// notices says whether the alteration is reported with the place where it was made.
func notices(s *shop, journal verify.Decoded, a altered) (bool, verify.Report) {
	entry := s.entries[a.entry]
	entry.Events = slices.Clone(entry.Events)
	entry.Events[a.event].Data = a.data
	journal = slices.Clone(journal)
	journal[a.entry] = verify.Decode(entry)[0]
	place := verify.Place{Stream: entry.Stream, Sequence: entry.First + uint64(a.event)}
	report := verify.RunDecoded(journal, s.tape().marks, verify.Options{})
	found := report.Violations
	if strings.HasSuffix(a.path, " at") { // clocks are no guarantee
		found = append(found, report.Warnings...)
	}
	return slices.ContainsFunc(found, func(v verify.Violation) bool { return names(v, place) }), report
}

func judge(t *testing.T, s *shop, all []altered, noticed []bool, reports []verify.Report) {
	seen, missed, shown := map[string]int{}, map[string]int{}, map[string]int{}
	for i, a := range all {
		seen[a.path]++
		if noticed[i] {
			continue
		}
		missed[a.path]++
		if listed(saidOnce, a.path) || listed(saidOnceAtTimes, a.path) {
			continue
		}
		if shown[a.path]++; shown[a.path] <= 2 {
			e := s.entries[a.entry]
			t.Errorf("%s %d: %s: %v instead of %v is not noticed (of %d violations: %.3v)", e.Stream, e.First+uint64(a.event), a.path, a.is, a.was,
				reports[i].ViolationCount, reports[i].Violations)
		}
	}
	for path := range paths(saidOnce) {
		if missed[path] != seen[path] || seen[path] == 0 {
			t.Errorf("%s is listed as said once, but is noticed %d of %d times", path, seen[path]-missed[path], seen[path])
		}
	}
	for path := range paths(saidOnceAtTimes) {
		if missed[path] == 0 || missed[path] == seen[path] {
			t.Errorf("%s is listed as said once at times, but is noticed %d of %d times", path, seen[path]-missed[path], seen[path])
		}
	}
}

func countEvents(entries []storage.Entry) int {
	n := 0
	for _, e := range entries {
		n += len(e.Events)
	}
	return n
}
