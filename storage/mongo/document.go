package mongo

import (
	"bytes"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Private fields. Lists filter by these copies, which mean the same in every collection; the answer's own keys are there
// for people, reports and unique indexes.
const (
	keyID       = "_id"
	keyVersion  = "_version" // of the projection that wrote the document
	keyBody     = "_body"    // the answer to the byte, only where the fields would not give it back
	keyCreated  = "_created"
	keyHidden   = "_hidden"
	keyStatus   = "_status"
	keyCustomer = "_customer"
	keyOrder    = "_order"
	keyExternal = "_external"
	keyCategory = "_category"
	keyActive   = "_active"
	keyInStock  = "_inStock"
	keyTitle    = "_title"
	keyText     = "_text"
	keySnapshot = "snapshot"
	keyDue      = "due"
)

// row is a document on its way into a view.
type row struct {
	id       string
	version  uint64
	document bson.Raw // as it is inserted
	change   bson.D   // how an older one is updated; nil: it is replaced
}

// encodeDocument lays a document out: the answer's keys as fields, then ours. It converts the fields back at once, and
// where that is not the answer to the byte, it keeps the answer as well.
func encodeDocument(d storage.Document, version uint64) (row, error) {
	fields, err := fieldsOf(d.Body)
	if err != nil {
		fields = nil // not a JSON object: kept whole
	}
	unique := uniqueKeys(d.Collection)
	document := bson.D{{Key: keyID, Value: d.ID}}
	for _, field := range fields {
		// A hidden document gives up its place in the unique indexes.
		if field.Key[0] != '_' && !(d.Hidden && slices.Contains(unique, field.Key)) {
			document = append(document, field)
		}
	}
	document = append(document, privateFields(d, version)...)
	raw, err := bson.Marshal(document)
	if err != nil {
		return row{}, fmt.Errorf("document %s %s: %w", d.Collection, d.ID, err)
	}
	if body, err := bodyOf(raw); err != nil || !bytes.Equal(body, d.Body) {
		raw, err = bson.Marshal(append(document, bson.E{Key: keyBody, Value: bson.Binary{Data: d.Body}}))
		if err != nil {
			return row{}, fmt.Errorf("document %s %s: %w", d.Collection, d.ID, err)
		}
	}
	return row{id: d.ID, version: version, document: raw}, nil
}

func privateFields(d storage.Document, version uint64) bson.D {
	fields := bson.D{
		{Key: keyVersion, Value: int64(version)},
		{Key: keyCreated, Value: bson.NewDateTimeFromTime(d.Created)},
		{Key: keyHidden, Value: d.Hidden},
	}
	for _, text := range []struct{ key, value string }{
		{keyStatus, d.Status}, {keyCustomer, d.Customer}, {keyOrder, d.Order}, {keyExternal, d.External},
		{keyCategory, d.Category}, {keyTitle, d.Title}, {keyText, d.Text},
	} {
		if text.value != "" {
			fields = append(fields, bson.E{Key: text.key, Value: text.value})
		}
	}
	if d.Collection == storage.Products {
		fields = append(fields, bson.E{Key: keyActive, Value: d.Active}, bson.E{Key: keyInStock, Value: d.InStock})
	}
	return fields
}

// decodeDocument returns what lists promise: id, creation, status, whether it is hidden, and the answer.
func decodeDocument(collection storage.Collection, raw bson.Raw) (storage.Document, error) {
	d := storage.Document{Collection: collection}
	d.ID, _ = raw.Lookup(keyID).StringValueOK()
	d.Status, _ = raw.Lookup(keyStatus).StringValueOK()
	d.Hidden, _ = raw.Lookup(keyHidden).BooleanOK()
	d.Active, _ = raw.Lookup(keyActive).BooleanOK()
	if created, ok := raw.Lookup(keyCreated).TimeOK(); ok {
		d.Created = created.UTC()
	}
	body, err := storedBody(raw)
	if err != nil {
		return storage.Document{}, fmt.Errorf("document %s %s: %w", collection, d.ID, err)
	}
	d.Body = body
	return d, nil
}

func storedBody(raw bson.Raw) ([]byte, error) {
	if _, kept, ok := raw.Lookup(keyBody).BinaryOK(); ok {
		return bytes.Clone(kept), nil
	}
	return bodyOf(raw)
}
