package mongo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	settleBatch    = 256
	settleAttempts = 8
)

// settle writes rows until each is stored at its version or a higher one. It trusts what it reads back, not what the
// writes answer, so it is right for lost answers, for documents that others delete or write meanwhile, and for servers
// that count differently. Before a second attempt it calls vacate for each row that is still missing.
func settle(
	ctx context.Context, collection *driver.Collection, rows map[string]row, vacate func(context.Context, row) error,
) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(rows)), settleBatch) {
		if err := settleSome(ctx, collection, rows, ids, vacate); err != nil {
			return err
		}
	}
	return nil
}

func settleSome(
	ctx context.Context, collection *driver.Collection, rows map[string]row, ids []string,
	vacate func(context.Context, row) error,
) error {
	for attempt := range settleAttempts {
		stored, err := versionsOf(ctx, collection, ids)
		if err != nil {
			return err
		}
		var absent, older []row
		for _, id := range ids {
			switch version, there := stored[id]; {
			case !there:
				absent = append(absent, rows[id])
			case version < rows[id].version:
				older = append(older, rows[id])
			}
		}
		if len(absent)+len(older) == 0 {
			return nil
		}
		if attempt > 0 && vacate != nil {
			for _, r := range append(slices.Clone(absent), older...) {
				if err := vacate(ctx, r); err != nil {
					return err
				}
			}
		}
		if err := errors.Join(insertRows(ctx, collection, absent), replaceRows(ctx, collection, older)); err != nil {
			return err
		}
	}
	return fmt.Errorf("other writers came in between %d times", settleAttempts)
}

// versionsOf returns the stored versions of those documents that are there.
func versionsOf(ctx context.Context, collection *driver.Collection, ids []string) (map[string]uint64, error) {
	versions := make(map[string]uint64, len(ids))
	for part := range slices.Chunk(ids, settleBatch) {
		filter := bson.D{{Key: keyID, Value: bson.D{{Key: "$in", Value: part}}}}
		cursor, err := collection.Find(ctx, filter, options.Find().SetProjection(bson.D{{Key: keyVersion, Value: 1}}))
		if err != nil {
			return nil, err
		}
		var found []struct {
			ID      string `bson:"_id"`
			Version int64  `bson:"_version"`
		}
		if err := cursor.All(ctx, &found); err != nil {
			return nil, err
		}
		for _, f := range found {
			versions[f.ID] = uint64(f.Version)
		}
	}
	return versions, nil
}

func insertRows(ctx context.Context, collection *driver.Collection, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	documents := make([]any, len(rows))
	for i, r := range rows {
		documents[i] = r.document
	}
	_, err := collection.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	return exceptDuplicates(err)
}

func replaceRows(ctx context.Context, collection *driver.Collection, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	models := make([]driver.WriteModel, len(rows))
	for i, r := range rows {
		older := bson.D{{Key: keyID, Value: r.id}, {Key: keyVersion, Value: bson.D{{Key: "$lt", Value: int64(r.version)}}}}
		if r.change != nil {
			models[i] = driver.NewUpdateOneModel().SetFilter(older).SetUpdate(r.change)
		} else {
			models[i] = driver.NewReplaceOneModel().SetFilter(older).SetReplacement(r.document)
		}
	}
	_, err := collection.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	return exceptDuplicates(err)
}

// exceptDuplicates drops an error that consists of duplicate keys only: the next look at the versions says what to do.
func exceptDuplicates(err error) error {
	var bulk driver.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil || len(bulk.WriteErrors) == 0 {
		return err
	}
	for _, failed := range bulk.WriteErrors {
		if !driver.IsDuplicateKeyError(failed.WriteError) {
			return err
		}
	}
	return nil
}
