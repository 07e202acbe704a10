package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime"
	"sync"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
	"github.com/queuecommerce/queuecommerce/storage"
)

// decoded is an entry whose events were decoded.
type decoded struct {
	entry  storage.Entry
	events []decodedEvent
}

type decodedEvent struct {
	value   any         // nil: the event can't be read
	at      domain.Time // the instant in its data
	problem string
}

// read scans the journal. Decoding is most of the work and needs no state, so batches of entries are decoded beside each
// other; they are folded in the order of the scan.
func (a *audit) read(ctx context.Context, store Store) error {
	const batchSize = 256
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type batch struct {
		entries []storage.Entry
		decoded chan []decoded // takes one value without waiting
	}
	workers := runtime.GOMAXPROCS(0)
	work, ordered := make(chan *batch, workers), make(chan *batch, 2*workers)
	var decoders, scanner sync.WaitGroup
	for range workers {
		decoders.Go(func() {
			for b := range work {
				b.decoded <- decodeAll(b.entries)
			}
		})
	}
	var scanErr error
	scanner.Go(func() {
		defer close(ordered)
		defer close(work)
		next := &batch{}
		submit := func() error {
			next.decoded = make(chan []decoded, 1)
			for _, queue := range []chan *batch{ordered, work} {
				select {
				case queue <- next:
				case <-ctx.Done():
					next.decoded <- nil
					return ctx.Err()
				}
			}
			next = &batch{}
			return nil
		}
		scanErr = store.Scan(ctx, func(e storage.Entry) error {
			if next.entries = append(next.entries, e); len(next.entries) == batchSize {
				return submit()
			}
			return nil
		})
		if scanErr == nil && len(next.entries) > 0 {
			scanErr = submit()
		}
	})
	for b := range ordered {
		for _, d := range <-b.decoded {
			a.entry(&d)
		}
	}
	scanner.Wait()
	decoders.Wait()
	return scanErr
}

func decodeAll(entries []storage.Entry) []decoded {
	out := make([]decoded, len(entries))
	for i, e := range entries {
		out[i] = decoded{entry: e, events: make([]decodedEvent, len(e.Events))}
		for j, event := range e.Events {
			out[i].events[j] = decode(e.Stream.Kind(), event)
		}
	}
	return out
}

func decode(kind string, e storage.Event) decodedEvent {
	switch kind {
	case kindOrder:
		return decodeBy(order.Codec, e)
	case kindProduct:
		return decodeBy(product.Codec, e)
	case kindPayment:
		return decodeBy(payment.Codec, e)
	case kindClaim:
		return decodeBy(claim.Codec, e)
	case kindWebhook:
		return decodeBy(webhook.Codec, e)
	}
	return decodedEvent{value: struct{}{}}
}

func decodeBy[E interface{ EventType() string }](codec domain.Codec[E], e storage.Event) decodedEvent {
	value, err := codec.Decode(e.Type, e.Schema, e.Data)
	if err != nil {
		return decodedEvent{problem: "the event can't be read: " + err.Error()}
	}
	d := decodedEvent{value: value}
	d.at, _ = reflect.ValueOf(value).FieldByName("At").Interface().(domain.Time)
	if d.at == 0 {
		d.problem = "the event does not say when it happened"
	}
	if e.Schema == domain.CurrentSchema {
		again, err := codec.Encode(value)
		if err == nil {
			err = contains(again, e.Data)
		}
		if err != nil {
			d.problem = "the event holds something that its type does not have: " + err.Error()
		}
	}
	return d
}

// contains returns an error unless everything that stored says is in again. What again says beyond it is the zero value
// of a field that this version has added.
func contains(again, stored []byte) error {
	if bytes.Equal(again, stored) {
		return nil
	}
	var now, then any
	if err := unmarshalExact(again, &now); err != nil {
		return err
	}
	if err := unmarshalExact(stored, &then); err != nil {
		return err
	}
	return part("", then, now)
}

func unmarshalExact(data []byte, into *any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

func part(path string, then, now any) error {
	switch t := then.(type) {
	case map[string]any:
		n, ok := now.(map[string]any)
		for key, value := range t {
			if _, has := n[key]; !has || !ok {
				return fmt.Errorf("%s.%s", path, key)
			}
			if err := part(path+"."+key, value, n[key]); err != nil {
				return err
			}
		}
		return nil
	case []any:
		n, ok := now.([]any)
		if !ok || len(n) != len(t) {
			return fmt.Errorf("%s", path)
		}
		for i := range t {
			if err := part(fmt.Sprintf("%s.%d", path, i), t[i], n[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if then != now {
		return fmt.Errorf("%s", path)
	}
	return nil
}
