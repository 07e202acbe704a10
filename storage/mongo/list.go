package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

type snapshotDocument struct {
	Stream   string     `bson:"_id"`
	Version  int64      `bson:"_version"`
	Snapshot []byte     `bson:"snapshot"`
	Due      *time.Time `bson:"due"`
}

// Snapshot returns the stored projection of a stream without its documents.
func (s *Store) Snapshot(ctx context.Context, stream storage.Stream) (storage.Projection, error) {
	if err := s.gate.enter(ctx); err != nil {
		return storage.Projection{}, err
	}
	defer s.gate.leave()
	var found snapshotDocument
	err := s.snapshots[shardOfStream(stream)].FindOne(ctx, bson.D{{Key: keyID, Value: string(stream)}}).Decode(&found)
	if errors.Is(err, driver.ErrNoDocuments) {
		return storage.Projection{}, fmt.Errorf("snapshot %s: %w", stream, storage.ErrNotFound)
	}
	if err != nil {
		return storage.Projection{}, fmt.Errorf("snapshot %s: %w", stream, err)
	}
	p := storage.Projection{Stream: stream, Version: uint64(found.Version), Snapshot: found.Snapshot}
	if found.Due != nil {
		p.Due = found.Due.UTC()
	}
	return p, nil
}

// Due merges the three databases by deadline.
func (s *Store) Due(ctx context.Context, at time.Time, limit int) ([]storage.Stream, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit <= 0 {
		return nil, nil
	}
	filter := bson.D{{Key: keyDue, Value: bson.D{{Key: "$lte", Value: bson.NewDateTimeFromTime(at)}}}}
	opts := options.Find().SetSort(bson.D{{Key: keyDue, Value: 1}}).SetLimit(int64(limit)).
		SetProjection(bson.D{{Key: keyDue, Value: 1}})
	var merged []snapshotDocument
	for i, snapshots := range s.snapshots {
		cursor, err := snapshots.Find(ctx, filter, opts)
		if err != nil {
			return nil, fmt.Errorf("due in %s: %w", shardNames[i], err)
		}
		var part []snapshotDocument
		if err := cursor.All(ctx, &part); err != nil {
			return nil, fmt.Errorf("due in %s: %w", shardNames[i], err)
		}
		merged = append(merged, part...)
	}
	slices.SortStableFunc(merged, func(a, b snapshotDocument) int { return a.Due.Compare(*b.Due) })
	streams := make([]storage.Stream, min(limit, len(merged)))
	for i := range streams {
		streams[i] = storage.Stream(merged[i].Stream)
	}
	return streams, nil
}

// Get returns one document.
func (s *Store) Get(ctx context.Context, collection storage.Collection, id string) (storage.Document, error) {
	if err := s.gate.enter(ctx); err != nil {
		return storage.Document{}, err
	}
	defer s.gate.leave()
	view, err := s.view(collection)
	if err != nil {
		return storage.Document{}, err
	}
	raw, err := view.FindOne(ctx, bson.D{{Key: keyID, Value: id}}).Raw()
	if err != nil && !errors.Is(err, driver.ErrNoDocuments) {
		return storage.Document{}, fmt.Errorf("get %s %s: %w", collection, id, err)
	}
	if err == nil {
		if d, err := decodeDocument(collection, raw); err != nil || !d.Hidden {
			return d, err
		}
	}
	return storage.Document{}, fmt.Errorf("get %s %s: %w", collection, id, storage.ErrNotFound)
}

func (s *Store) view(collection storage.Collection) (*driver.Collection, error) {
	if view, ok := s.views[collection]; ok {
		return view, nil
	}
	return nil, fmt.Errorf("unknown collection %q", collection)
}

// List returns a page, read along an index in list order where the filter has one (see listKeys).
func (s *Store) List(
	ctx context.Context, filter storage.Filter, after storage.Position, skip, limit int,
) ([]storage.Document, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	view, err := s.view(filter.Collection)
	if err != nil || limit <= 0 {
		return nil, err
	}
	query := append(queryOf(filter), behind(after)...)
	opts := options.Find().SetSort(bson.D{{Key: keyCreated, Value: -1}, {Key: keyID, Value: -1}}).
		SetSkip(int64(max(skip, 0))).SetLimit(int64(limit))
	documents, err := findDocuments(ctx, view, filter.Collection, query, opts)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", filter.Collection, err)
	}
	return documents, nil
}

func queryOf(filter storage.Filter) bson.D {
	query := bson.D{{Key: keyHidden, Value: false}}
	for _, text := range []struct{ key, value string }{
		{keyStatus, filter.Status}, {keyCustomer, filter.Customer}, {keyOrder, filter.Order},
		{keyExternal, filter.External}, {keyCategory, filter.Category},
	} {
		if text.value != "" {
			query = append(query, bson.E{Key: text.key, Value: text.value})
		}
	}
	if filter.Active != nil {
		query = append(query, bson.E{Key: keyActive, Value: *filter.Active})
	}
	if filter.InStock != nil {
		query = append(query, bson.E{Key: keyInStock, Value: *filter.InStock})
	}
	return query
}

// behind selects what comes after a position. The first condition says nothing that the second does not; it bounds the
// index.
func behind(after storage.Position) bson.D {
	if after.ID == "" && after.Created.IsZero() {
		return nil
	}
	created := bson.NewDateTimeFromTime(after.Created)
	return bson.D{
		{Key: keyCreated, Value: bson.D{{Key: "$lte", Value: created}}},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: keyCreated, Value: bson.D{{Key: "$lt", Value: created}}}},
			bson.D{{Key: keyID, Value: bson.D{{Key: "$lt", Value: after.ID}}}},
		}},
	}
}

func findDocuments(
	ctx context.Context, view *driver.Collection, collection storage.Collection, query bson.D,
	opts options.Lister[options.FindOptions],
) ([]storage.Document, error) {
	cursor, err := view.Find(ctx, query, opts)
	if err != nil {
		return nil, err
	}
	var found []bson.Raw
	if err := cursor.All(ctx, &found); err != nil {
		return nil, err
	}
	documents := make([]storage.Document, len(found))
	for i, raw := range found {
		if documents[i], err = decodeDocument(collection, raw); err != nil {
			return nil, err
		}
	}
	return documents, nil
}
