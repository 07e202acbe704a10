package mongo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	keptChanges    = 512            // newest changed products that one announcement names
	announcedFor   = 24 * time.Hour // how long a silent store's announcement is kept
	trustedFor     = time.Hour      // how long a catalogue may go without a look at the announcements
	announcedField = "at"
)

// changes tells the catalogue of every member which products were saved. Each open store keeps one document of its own:
// a counter, and the products of its newest changes. A product is announced after its document is stored and before
// Save returns, again when Save is repeated; so whoever sees the counter sees the document.
type changes struct {
	collection *driver.Collection
	turn       chan struct{} // held while own is used
	own        changesDocument
}

type changesDocument struct {
	Store  string    `bson:"_id"` // one opened store
	Count  int64     `bson:"n"`
	From   int64     `bson:"from"` // Recent holds every product that changed above it
	Recent []change  `bson:"recent"`
	At     time.Time `bson:"at"`
}

type change struct {
	Count   int64  `bson:"n"`
	Product string `bson:"id"` // the document's _id
}

func newChanges(collection *driver.Collection) *changes {
	return &changes{
		collection: collection,
		turn:       make(chan struct{}, 1),
		own:        changesDocument{Store: rand.Text(), Recent: []change{}},
	}
}

func (c *changes) announce(ctx context.Context, products []string) error {
	if len(products) == 0 {
		return nil
	}
	return c.publish(ctx, func() {
		again := func(r change) bool { return slices.Contains(products, r.Product) }
		c.own.Recent = slices.DeleteFunc(c.own.Recent, again)
		for _, product := range products {
			c.own.Count++
			c.own.Recent = append(c.own.Recent, change{Count: c.own.Count, Product: product})
		}
		if excess := len(c.own.Recent) - keptChanges; excess > 0 {
			c.own.From = c.own.Recent[excess-1].Count
			c.own.Recent = slices.Delete(c.own.Recent, 0, excess)
		}
	})
}

// announceAll says that any product may have changed.
func (c *changes) announceAll(ctx context.Context) error {
	return c.publish(ctx, func() {
		c.own.Count++
		c.own.From, c.own.Recent = c.own.Count, []change{}
	})
}

// publish changes the store's own document and writes it. After an error the change is not lost: the next one carries it.
func (c *changes) publish(ctx context.Context, change func()) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	change()
	c.own.At = time.Now()
	older := bson.D{{Key: keyID, Value: c.own.Store}, {Key: "n", Value: bson.D{{Key: "$lt", Value: c.own.Count}}}}
	_, err := c.collection.ReplaceOne(ctx, older, c.own, options.Replace().SetUpsert(true))
	// A duplicate means that this announcement is stored already. An older one that arrives late changes nothing.
	if err != nil && !driver.IsDuplicateKeyError(err) {
		return fmt.Errorf("announce changed products: %w", err)
	}
	return nil
}

func (c *changes) load(ctx context.Context) ([]changesDocument, error) {
	cursor, err := c.collection.Find(ctx, bson.D{})
	if err != nil {
		return nil, fmt.Errorf("load announcements: %w", err)
	}
	var documents []changesDocument
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, fmt.Errorf("load announcements: %w", err)
	}
	return documents, nil
}

// sweep deletes what stores announced that are long gone. No catalogue misses them: it would have been loaded since.
func (c *changes) sweep(ctx context.Context) error {
	old := bson.D{{Key: announcedField, Value: bson.D{{Key: "$lt", Value: time.Now().Add(-announcedFor)}}}}
	if _, err := c.collection.DeleteMany(ctx, old); err != nil {
		return fmt.Errorf("sweep announcements: %w", err)
	}
	return nil
}
