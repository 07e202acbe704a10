package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// shard is one of the three databases.
type shard int

const (
	orders shard = iota
	inventory
	payments
	shardCount
)

var shardNames = [shardCount]string{"orders", "inventory", "payments"}

// Names of the collections besides the read models.
const (
	journalName   = "journal"
	snapshotsName = "snapshots"
	marksName     = "marks"
	secretsName   = "secrets"
	changesName   = "product_changes"
	membersName   = "members"
)

// shardOfStream says which database holds a stream's journal and snapshot.
func shardOfStream(stream storage.Stream) shard {
	switch stream.Kind() {
	case "product", "claim":
		return inventory
	case "payment", "webhook":
		return payments
	}
	return orders
}

// shardOfCollection says which database holds a read model. Reservations come from order streams and belong to the
// inventory all the same.
func shardOfCollection(collection storage.Collection) (shard, error) {
	switch collection {
	case storage.Orders:
		return orders, nil
	case storage.Products, storage.Reservations:
		return inventory, nil
	case storage.Payments:
		return payments, nil
	}
	return 0, fmt.Errorf("unknown collection %q", collection)
}

var collections = []storage.Collection{storage.Orders, storage.Products, storage.Reservations, storage.Payments}

// uniqueKeys are the answer keys that no two visible documents share.
func uniqueKeys(collection storage.Collection) []string {
	switch collection {
	case storage.Orders:
		return []string{"orderNumber"}
	case storage.Products:
		return []string{"productId", "sku"}
	case storage.Reservations:
		return []string{"orderId", "reservationId"}
	case storage.Payments:
		return []string{"paymentIntentId"}
	}
	return nil
}

// listKeys are the private fields that lists of a collection filter by; each gets an index in list order.
func listKeys(collection storage.Collection) []string {
	switch collection {
	case storage.Orders:
		return []string{keyStatus, keyCustomer}
	case storage.Products:
		return []string{keyCategory, keyActive, keyInStock, keyOrder}
	case storage.Reservations:
		return []string{keyStatus, keyCustomer, keyOrder}
	case storage.Payments:
		return []string{keyStatus, keyCustomer, keyOrder}
	}
	return nil
}

func viewIndexes(collection storage.Collection) []driver.IndexModel {
	newestFirst := bson.D{{Key: keyCreated, Value: -1}, {Key: keyID, Value: -1}}
	models := []driver.IndexModel{
		{Keys: newestFirst},
		{Keys: bson.D{{Key: keyExternal, Value: 1}}, Options: options.Index().SetSparse(true)},
	}
	for _, key := range listKeys(collection) {
		models = append(models, driver.IndexModel{Keys: append(bson.D{{Key: key, Value: 1}}, newestFirst...)})
	}
	for _, key := range uniqueKeys(collection) {
		models = append(models, driver.IndexModel{
			Keys:    bson.D{{Key: key, Value: 1}},
			Options: options.Index().SetUnique(true).SetSparse(true),
		})
	}
	return models
}

// createIndexes is idempotent: the server leaves alone what is there.
func (s *Store) createIndexes(ctx context.Context) error {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	for i := range shardCount {
		byWriter := driver.IndexModel{Keys: bson.D{{Key: "writer", Value: 1}, {Key: "number", Value: 1}}}
		if _, err := s.journals[i].Indexes().CreateOne(ctx, byWriter); err != nil {
			return fmt.Errorf("index %s journal: %w", shardNames[i], err)
		}
		byDue := driver.IndexModel{Keys: bson.D{{Key: keyDue, Value: 1}}, Options: options.Index().SetSparse(true)}
		if _, err := s.snapshots[i].Indexes().CreateOne(ctx, byDue); err != nil {
			return fmt.Errorf("index %s snapshots: %w", shardNames[i], err)
		}
	}
	for _, collection := range collections {
		if _, err := s.views[collection].Indexes().CreateMany(ctx, viewIndexes(collection)); err != nil {
			return fmt.Errorf("index %s: %w", collection, err)
		}
	}
	return nil
}
