package mongo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/queuecommerce/queuecommerce/storage"
)

func idAt(n int) string { return fmt.Sprintf("%024x", n) }

// productAt is the projection of one product, as complete as the shop's own.
func productAt(n int, version uint64, sku string) storage.Projection {
	body := fmt.Appendf(nil, `{"_id":%q,"productId":"p-%d","name":"Lamp %d","price":%d,"weight":0.25,"sku":%q,`+
		`"isActive":true,"createdAt":"2025-03-14T09:26:53.589Z","version":%d}`, idAt(n), n, n, 100*version, sku, version)
	return storage.Projection{
		Stream: storage.StreamOf("product", fmt.Sprint("p-", n)), Version: version, Snapshot: []byte(`{}`),
		Documents: []storage.Document{{
			Collection: storage.Products, ID: idAt(n), Created: t0, Order: fmt.Sprint("p-", n), External: sku,
			Category: "lamps", Active: true, InStock: true, Title: fmt.Sprint("Lamp ", n), Text: "Gives light", Body: body,
		}},
	}
}

func mustSave(t *testing.T, s *Store, projections ...storage.Projection) {
	t.Helper()
	if err := s.Save(t.Context(), projections, "", 0); err != nil {
		t.Fatal(err)
	}
}

func wantAnswer(t *testing.T, s *Store, want storage.Document) {
	t.Helper()
	got, err := s.Get(t.Context(), want.Collection, want.ID)
	if err != nil || sortedJSON(t, got.Body) != sortedJSON(t, want.Body) {
		t.Fatalf("get %s: got %s, %v, want %s", want.ID, got.Body, err, want.Body)
	}
}

// sortedJSON forgives what the double does and MongoDB does not: it keeps a replaced document's fields in their old order.
func sortedJSON(t *testing.T, body []byte) string {
	t.Helper()
	var value map[string]json.RawMessage
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

func wantActive(t *testing.T, s *Store, want int64) {
	t.Helper()
	yes := true
	got, err := s.Count(t.Context(), storage.Filter{Collection: storage.Products, Active: &yes})
	if err != nil || got != want {
		t.Fatalf("count active products: got %d, %v, want %d", got, err, want)
	}
}

func openTwo(t *testing.T) (a, b *Store) {
	t.Helper()
	prefix := server.Prefix(t)
	a, b = open(t, server.URI(), prefix), open(t, server.URI(), prefix)
	t.Cleanup(func() {
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	})
	return a, b
}

func TestAnswersComeBackToTheByte(t *testing.T) {
	s, _ := openTwo(t)
	for i, body := range []string{
		`{"_id":"1","total":9007199254740993,"weight":0.25,"small":1e-7,"big":1e+21,"ok":true,"none":null}`,
		`{"_id":"1","createdAt":"2025-03-14T09:26:53.589Z","deep":[{"paidAt":"1969-12-31T23:59:59.001Z"},[],{}]}`,
		`{"z":1,"a":{"y":2,"b":[3,"x",4.5]},"_id":"last"}`,
		`{"price":1.50,"other":1.0,"exponent":1E3,"minus":-0,"huge":12345678901234567890}`,
		`{"a.b":1,"$set":{"c":2},"_private":3,"_version":99,"_body":"mine","":4,"_id":7}`,
		`{ "spaced" : [ 1 , 2 ] }`,
		`{"twice":1,"twice":2}`,
		`{"createdAt":"2025-03-14T09:26:53.5Z","updatedAt":"yesterday","paidAt":5,"text":"2025-03-14T09:26:53.589Z"}`,
		`{"html":"<a href=\"x\">&amp;</a>","escaped":"\u003c\u00fc","nul":"\u0000","emoji":"😀"}`,
		`[1,2]`, `"text"`, `null`, ``, `not json`,
	} {
		d := storage.Document{Collection: storage.Orders, ID: idAt(i + 1), Created: t0, Body: []byte(body)}
		mustSave(t, s, storage.Projection{
			Stream: storage.StreamOf("order", fmt.Sprint(i)), Version: 1, Documents: []storage.Document{d},
		})
		if got, err := s.Get(t.Context(), d.Collection, d.ID); err != nil || !bytes.Equal(got.Body, d.Body) {
			t.Errorf("got %s, %v, want %s", got.Body, err, d.Body)
		}
	}
}

func TestAnswersAreFieldsInTheDatabase(t *testing.T) {
	s, _ := openTwo(t)
	mustSave(t, s, productAt(1, 3, "sku-1"))
	raw, err := s.views[storage.Products].FindOne(t.Context(), bson.D{{Key: "sku", Value: "sku-1"}}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if price, ok := raw.Lookup("price").Int64OK(); !ok || price != 300 {
		t.Errorf("price is %v, want the integer 300", raw.Lookup("price"))
	}
	if created, ok := raw.Lookup("createdAt").TimeOK(); !ok || !created.Equal(t0) {
		t.Errorf("createdAt is %v, want the date %v", raw.Lookup("createdAt"), t0)
	}
	if _, err := raw.LookupErr(keyBody); err == nil {
		t.Error("an ordinary answer is stored twice")
	}
}

func TestFieldsThatAnAnswerLosesAreGone(t *testing.T) {
	s, _ := openTwo(t)
	p := productAt(1, 1, "sku-1")
	mustSave(t, s, p)
	p.Version, p.Documents[0].Body = 2, []byte(fmt.Sprintf(`{"_id":%q,"name":"Lamp"}`, idAt(1)))
	mustSave(t, s, p)
	wantAnswer(t, s, p.Documents[0])
}

func TestUniqueIndexesHold(t *testing.T) {
	s, _ := openTwo(t)
	for _, collection := range collections {
		for _, key := range uniqueKeys(collection) {
			view := s.views[collection]
			if _, err := view.InsertOne(t.Context(), bson.D{{Key: keyID, Value: key + "1"}, {Key: key, Value: "x"}}); err != nil {
				t.Fatal(err)
			}
			_, err := view.InsertOne(t.Context(), bson.D{{Key: keyID, Value: key + "2"}, {Key: key, Value: "x"}})
			if !driver.IsDuplicateKeyError(err) {
				t.Errorf("%s: a second document with the same %s: got %v, want a duplicate", collection, key, err)
			}
		}
	}
}

func TestSaveGoesThroughWhenViewsLagBehindTheClaims(t *testing.T) {
	a, b := openTwo(t)
	first := productAt(1, 1, "sku-1")
	mustSave(t, a, first)
	second := productAt(2, 1, "sku-1") // product 1 gave it up, which is not projected yet
	mustSave(t, b, second)
	wantAnswer(t, a, first.Documents[0])
	wantAnswer(t, a, second.Documents[0])
	moved := productAt(1, 2, "sku-9")
	mustSave(t, a, moved)
	wantAnswer(t, b, moved.Documents[0])
	wantAnswer(t, b, second.Documents[0])

	swapped := []storage.Projection{productAt(1, 3, "sku-1"), productAt(2, 2, "sku-9")}
	mustSave(t, a, swapped...)
	for _, p := range swapped {
		wantAnswer(t, b, p.Documents[0])
	}
	bySKU := storage.Filter{Collection: storage.Products, External: "sku-9"}
	byExternal, err := b.List(t.Context(), bySKU, storage.Position{}, 0, 5)
	if err != nil || len(byExternal) != 1 || byExternal[0].ID != idAt(2) {
		t.Errorf("products with sku-9: got %v, %v, want product 2", byExternal, err)
	}
}

func TestHiddenDocumentsGiveUpTheirUniqueValues(t *testing.T) {
	s, _ := openTwo(t)
	gone := productAt(1, 1, "sku-1")
	mustSave(t, s, gone)
	gone.Version, gone.Documents[0].Hidden = 2, true
	mustSave(t, s, gone)
	heir := productAt(2, 1, "sku-1")
	mustSave(t, s, heir)
	wantAnswer(t, s, heir.Documents[0])
	raw, err := s.views[storage.Products].FindOne(t.Context(), bson.D{{Key: "sku", Value: "sku-1"}}).Raw()
	if err != nil || raw.Lookup(keyID).StringValue() != idAt(2) {
		t.Errorf("holder of the sku: got %v, %v, want product 2", raw, err)
	}
}

func TestSnapshotWithoutStateLeavesTheStoredOne(t *testing.T) {
	s, _ := openTwo(t)
	const stream = storage.Stream("order/a")
	mustSave(t, s, storage.Projection{Stream: stream, Version: 2, Snapshot: []byte("two"), Due: t0})
	mustSave(t, s,
		storage.Projection{Stream: stream, Version: 5, Due: t0.Add(time.Second)},
		storage.Projection{Stream: stream, Version: 1, Snapshot: []byte("one")})
	got, err := s.Snapshot(t.Context(), stream)
	if err != nil || got.Version != 5 || string(got.Snapshot) != "two" || !got.Due.Equal(t0.Add(time.Second)) {
		t.Fatalf("got %+v, %v, want version 5 with the state of version 2", got, err)
	}
	mustSave(t, s,
		storage.Projection{Stream: stream, Version: 7},
		storage.Projection{Stream: stream, Version: 6, Snapshot: []byte("six")})
	got, err = s.Snapshot(t.Context(), stream)
	if err != nil || got.Version != 7 || string(got.Snapshot) != "six" || !got.Due.IsZero() {
		t.Fatalf("got %+v, %v, want version 7 with the state of version 6 and no deadline", got, err)
	}
}

func TestCatalogueFollowsOtherMembers(t *testing.T) {
	a, b := openTwo(t)
	wantActive(t, b, 0)
	mustSave(t, a, productAt(1, 1, "sku-1"))
	wantActive(t, b, 1)
	renamed := productAt(1, 2, "sku-1")
	renamed.Documents[0].Title = "Candle"
	mustSave(t, a, renamed)
	for text, want := range map[string][]string{"candle": {idAt(1)}, "lamp": nil} {
		found, err := b.Search(t.Context(), text, 5)
		var ids []string
		for _, d := range found {
			ids = append(ids, d.ID)
		}
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("search %s at the other member: got %v, %v, want %v", text, ids, err, want)
		}
	}
	var many []storage.Projection
	for n := range keptChanges + 50 { // more than one announcement names
		many = append(many, productAt(100+n, 1, fmt.Sprint("sku-", 100+n)))
	}
	mustSave(t, a, many...)
	wantActive(t, b, keptChanges+51)
	wantActive(t, a, keptChanges+51)
	if err := a.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantActive(t, b, 0)
	mustSave(t, b, productAt(1, 1, "sku-1"))
	wantActive(t, a, 1)
}

func TestEachKindHasItsDatabase(t *testing.T) {
	s, _ := openTwo(t)
	for kind, want := range map[string]shard{
		"order": orders, "product": inventory, "claim": inventory, "payment": payments, "webhook": payments, "cart": orders,
	} {
		e := entryAt(storage.StreamOf(kind, "x"), 1, 1, "m1", 1)
		mustAppend(t, s, e)
		for i, journal := range s.journals {
			n, err := journal.CountDocuments(t.Context(), bson.D{{Key: "stream", Value: string(e.Stream)}})
			if err != nil || (n == 1) != (shard(i) == want) {
				t.Errorf("%s in %s: got %d, %v", e.Stream, shardNames[i], n, err)
			}
		}
	}
	want := map[storage.Collection]shard{
		storage.Orders: orders, storage.Products: inventory, storage.Reservations: inventory, storage.Payments: payments,
	}
	for collection, i := range want {
		if got := s.views[collection].Database().Name(); got != s.journals[i].Database().Name() {
			t.Errorf("%s is in %s", collection, got)
		}
	}
}
