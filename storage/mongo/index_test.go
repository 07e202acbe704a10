package mongo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

// query is what one command asks a collection for.
type query struct {
	command, database, collection string
	filter, sort                  bson.Raw
}

func (q query) String() string {
	return fmt.Sprintf("%s in %s of %s sorted by %s", q.command, q.collection, q.filter, q.sort)
}

// queriesOf takes a message apart: its body, and the sequences of updates and deletes.
func queriesOf(t *testing.T, frame []byte) []query {
	t.Helper()
	var body bson.Raw
	sequences := map[string][]bson.Raw{}
	for rest := frame[headerSize+4:]; len(rest) > 0; {
		kind, size := rest[0], int(binary.LittleEndian.Uint32(rest[1:]))
		section := rest[1 : 1+size]
		rest = rest[1+size:]
		if kind == 0 {
			body = bson.Raw(section)
			continue
		}
		name, documents, _ := bytes.Cut(section[4:], []byte{0})
		for len(documents) > 0 {
			size := binary.LittleEndian.Uint32(documents)
			sequences[string(name)] = append(sequences[string(name)], bson.Raw(documents[:size]))
			documents = documents[size:]
		}
	}
	elements, err := body.Elements()
	if err != nil {
		t.Fatal(err)
	}
	q := query{command: elements[0].Key(), database: body.Lookup("$db").StringValue()}
	q.collection, _ = elements[0].Value().StringValueOK()
	q.sort, _ = body.Lookup("sort").DocumentOK()
	var queries []query
	switch q.command {
	case "find":
		q.filter, _ = body.Lookup("filter").DocumentOK()
		return []query{q}
	case modify:
		q.filter, _ = body.Lookup("query").DocumentOK()
		return []query{q}
	}
	for _, documents := range sequences {
		for _, document := range documents {
			if filter, ok := document.Lookup("q").DocumentOK(); ok {
				q.filter = filter
				queries = append(queries, q)
			}
		}
	}
	return queries
}

// conditionOf says how a filter restricts a field: "exact", "range" or "".
func conditionOf(filter bson.Raw, field string) string {
	condition, err := filter.LookupErr(field)
	if err != nil {
		return ""
	}
	operators, ok := condition.DocumentOK()
	if !ok {
		return "exact"
	}
	elements, err := operators.Elements()
	if err != nil || len(elements) == 0 {
		return ""
	}
	for _, e := range elements {
		switch e.Key() {
		case "$in":
			return "exact"
		case "$gt", "$gte", "$lt", "$lte":
		default:
			return ""
		}
	}
	return "range"
}

func keysOf(document bson.Raw) (keys []string, ways []int64) {
	elements, _ := document.Elements()
	for _, e := range elements {
		way, _ := e.Value().AsInt64OK()
		keys, ways = append(keys, e.Key()), append(ways, way)
	}
	return keys, ways
}

// served says whether an index leads to what is asked for without a look at anything else, in the order that is asked for.
func served(q query, index bson.Raw) bool {
	keys, ways := keysOf(index)
	equal := 0
	for equal < len(keys) && conditionOf(q.filter, keys[equal]) == "exact" {
		equal++
	}
	if equal > 0 && keys[0] == keyID {
		return true // a few documents at most
	}
	restricted, _ := keysOf(q.filter)
	restricts := func(field string) bool { return field != keyHidden && conditionOf(q.filter, field) != "" } // few are hidden
	bounded := restricts(keys[0]) || !slices.ContainsFunc(restricted, restricts)
	wanted, directions := keysOf(q.sort)
	if len(wanted) == 0 || !bounded {
		return bounded && len(restricted) > 0
	}
	sorted := slices.Equal(wanted, keys[equal:])
	for i := range directions {
		sorted = sorted && directions[i]*directions[0] == ways[equal+i]*ways[equal]
	}
	return sorted
}

func TestEveryQueryHasAnIndex(t *testing.T) {
	w := newWire(t)
	s := open(t, w.uri(), server.Prefix(t))
	t.Cleanup(func() { s.Close() })
	w.obey(nil)
	doEverything(t, s)
	w.mu.Lock()
	requests := w.requests
	w.mu.Unlock()
	small := []string{marksName, secretsName, changesName, membersName} // hardly more documents than members
	seen := map[string]bool{}
	for _, request := range requests {
		for _, q := range queriesOf(t, request) {
			if slices.Contains(small, q.collection) {
				continue
			}
			seen[q.command+" "+q.collection] = true
			if conditionOf(q.filter, keyExternal) == "exact" {
				continue // hardly two documents share one, so that their order costs nothing
			}
			if !slices.ContainsFunc(indexesOf(t, s, q), func(index bson.Raw) bool { return served(q, index) }) {
				t.Errorf("no index for %s", q)
			}
		}
	}
	for _, want := range []string{"find journal", "find snapshots", "update snapshots", "find products", "update products"} {
		if !seen[want] {
			t.Errorf("%s was not seen, only %v", want, seen)
		}
	}
}

func indexesOf(t *testing.T, s *Store, q query) []bson.Raw {
	t.Helper()
	view := s.client.Database(q.database).Collection(q.collection).Indexes()
	specs, err := view.ListSpecifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	indexes := make([]bson.Raw, len(specs))
	for i, spec := range specs {
		indexes[i] = spec.KeysDocument
	}
	return indexes
}

// doEverything calls the store in every way that its callers do, Reset aside, which is for whole collections.
func doEverything(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	_, err := s.Enlist(ctx, "m1")
	for i := range uint64(40) { // further than one window
		mustAppend(t, s, entryAt("product/p-1", i+1, 1, "m1", i+1))
	}
	s.ends = newEnds(10) // as another member, which knows nothing
	mustConflict(t, s, entryAt("product/p-1", 39, 1, "m2", 1))
	read := func(after, before uint64, limit int) {
		_, readErr := s.Read(ctx, "product/p-1", after, limit)
		_, backErr := s.ReadBack(ctx, "product/p-1", before, limit)
		err = errors.Join(err, readErr, backErr)
	}
	read(0, 0, 0)
	read(3, 30, 5)
	read(500, 0, 1)
	long := entryAt("product/long", 1, 100, "m1", 99)
	mustAppend(t, s, long)
	s.ends = newEnds(10)
	mustConflict(t, s, entryAt("product/long", 51, 1, "m2", 2))
	_, committed := s.Committed(ctx, "m1", 7, 10)
	scan := s.Scan(ctx, func(storage.Entry) error { return nil })
	for version := uint64(1); version <= 2; version++ {
		p := productAt(1, version, fmt.Sprint("sku-", version))
		p.Due = t0
		err = errors.Join(err, s.Save(ctx, []storage.Projection{p}, "m1", version))
	}
	taken := productAt(2, 1, "sku-2")
	err = errors.Join(err, s.Save(ctx, []storage.Projection{taken}, "m1", 3))
	_, snapshot := s.Snapshot(ctx, "product/p-1")
	_, due := s.Due(ctx, t0, 10)
	_, get := s.Get(ctx, storage.Products, idAt(1))
	_, count := s.Count(ctx, storage.Filter{Collection: storage.Products})
	_, search := s.Search(ctx, "lamp", 5)
	err = errors.Join(err, committed, scan, snapshot, due, get, count, search, listAll(ctx, s))
	_, writers := s.Writers(ctx)
	if err := errors.Join(err, writers, s.Advance(ctx, "m1", storage.MarkRelayed, 99), s.Advance(ctx, "m1", storage.MarkProjected, 99),
		s.Retire(ctx, "m1"), s.Ping(ctx)); err != nil {
		t.Fatal(err)
	}
}

// listAll lists by every field that each collection can be listed by, first and later pages.
func listAll(ctx context.Context, s *Store) (err error) {
	yes := true
	for _, collection := range collections {
		filters := []storage.Filter{{}, {External: "x"}}
		for _, key := range listKeys(collection) {
			filters = append(filters, map[string]storage.Filter{
				keyStatus: {Status: "x"}, keyCustomer: {Customer: "x"}, keyOrder: {Order: "x"},
				keyCategory: {Category: "x"}, keyActive: {Active: &yes}, keyInStock: {InStock: &yes},
			}[key])
		}
		for _, filter := range filters {
			filter.Collection = collection
			for _, after := range []storage.Position{{}, {Created: t0, ID: strings.Repeat("f", 24)}} {
				_, listErr := s.List(ctx, filter, after, 0, 10)
				err = errors.Join(err, listErr)
			}
		}
	}
	return err
}
