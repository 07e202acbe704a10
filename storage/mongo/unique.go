package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/queuecommerce/queuecommerce/storage"
)

// vacate makes room for a row in the unique indexes: every other document that holds one of its values loses the field
// and with it the place in the index, and keeps its answer whole in _body. Which of the two documents lags behind the
// journal is not known here and does not matter: both answers stay as they were saved, and the next save of either
// writes all its fields again.
func (s *Store) vacate(ctx context.Context, collection storage.Collection, r row) error {
	view := s.views[collection]
	for _, key := range uniqueKeys(collection) {
		value, err := r.document.LookupErr(key)
		if err != nil {
			continue
		}
		holder, err := view.FindOne(ctx, bson.D{{Key: key, Value: value}}).Raw()
		if errors.Is(err, driver.ErrNoDocuments) {
			continue
		}
		if err != nil {
			return fmt.Errorf("find the holder of %s: %w", key, err)
		}
		if id, _ := holder.Lookup(keyID).StringValueOK(); id == r.id {
			continue
		}
		if err := takeOut(ctx, view, holder, key); err != nil {
			return fmt.Errorf("take %s from its holder: %w", key, err)
		}
	}
	return nil
}

func takeOut(ctx context.Context, view *driver.Collection, holder bson.Raw, key string) error {
	body, err := storedBody(holder)
	if err != nil {
		return err
	}
	// The version guards the answer that was just read: a save in between wins.
	same := bson.D{{Key: keyID, Value: holder.Lookup(keyID)}, {Key: keyVersion, Value: holder.Lookup(keyVersion)}}
	_, err = view.UpdateOne(ctx, same, bson.D{
		{Key: "$set", Value: bson.D{{Key: keyBody, Value: bson.Binary{Data: body}}}},
		{Key: "$unset", Value: bson.D{{Key: key, Value: ""}}},
	})
	return err
}
