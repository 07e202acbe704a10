package mongo

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// catalogue is what counting and searching need of every product, in memory: loaded at first use, then kept up by
// reading the products that any store announced since (one small read per call, and nothing else while nothing changes).
// It costs about a kilobyte per product, only in members that count or search. It holds every Save that returned before
// the call, whichever member made it.
type catalogue struct {
	changes  *changes
	products *driver.Collection
	seed     maphash.Seed
	turn     chan struct{} // held while the fields below are used

	loaded time.Time // when the announcements were last looked at; zero: never
	seen   map[string]int64
	slots  map[string]uint32
	rows   []catalogued
	byAge  []uint32 // slots, oldest first, then by id from the lowest
	counts map[bucket]int64
	words  *wordIndex
}

// catalogued is one product.
type catalogued struct {
	ID      string    `bson:"_id"`
	Version int64     `bson:"_version"`
	Created time.Time `bson:"_created"`
	Hidden  bool      `bson:"_hidden"`
	Bucket  bucket    `bson:",inline"`
	Title   string    `bson:"_title"`
	Text    string    `bson:"_text"`

	texts uint64 // hash of what the words are made of
}

// bucket is what products are counted by.
type bucket struct {
	Category string `bson:"_category"`
	Active   bool   `bson:"_active"`
	InStock  bool   `bson:"_inStock"`
}

const cataloguePage = 1000

func newCatalogue(changes *changes, products *driver.Collection) *catalogue {
	return &catalogue{changes: changes, products: products, seed: maphash.MakeSeed(), turn: make(chan struct{}, 1)}
}

// use brings the catalogue up to date and calls f, which must not keep what it sees.
func (c *catalogue) use(ctx context.Context, f func()) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	if err := c.refresh(ctx); err != nil {
		return fmt.Errorf("refresh catalogue: %w", err)
	}
	f()
	return nil
}

func (c *catalogue) refresh(ctx context.Context) error {
	now := time.Now()
	announced, err := c.changes.load(ctx)
	if err != nil {
		return err
	}
	changed, known := c.changedSince(announced)
	if known && now.Sub(c.loaded) < trustedFor {
		err = c.follow(ctx, changed)
	} else {
		err = c.load(ctx)
	}
	if err != nil {
		return err
	}
	c.loaded, c.seen = now, map[string]int64{}
	for _, a := range announced {
		c.seen[a.Store] = a.Count
	}
	return nil
}

// changedSince names the products that were announced since the last look; known is false when there are too many.
func (c *catalogue) changedSince(announced []changesDocument) (changed []string, known bool) {
	for _, a := range announced {
		seen := c.seen[a.Store]
		if seen < a.From {
			return nil, false
		}
		for _, r := range a.Recent {
			if r.Count > seen {
				changed = append(changed, r.Product)
			}
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed), true
}

func (c *catalogue) clear() {
	c.slots, c.rows, c.byAge = map[string]uint32{}, nil, nil
	c.counts, c.words = map[bucket]int64{}, newWordIndex()
}

func (c *catalogue) load(ctx context.Context) error {
	c.loaded = time.Time{} // an error leaves it unusable
	c.clear()
	for last := ""; ; {
		page, err := c.find(ctx, bson.D{{Key: "$gt", Value: last}})
		if err != nil {
			return err
		}
		for _, product := range page {
			c.put(product)
			last = product.ID
		}
		if len(page) < cataloguePage {
			return nil
		}
	}
}

func (c *catalogue) follow(ctx context.Context, changed []string) error {
	for ids := range slices.Chunk(changed, cataloguePage) {
		page, err := c.find(ctx, bson.D{{Key: "$in", Value: ids}})
		if err != nil {
			return err
		}
		for _, product := range page {
			c.put(product)
		}
	}
	return nil
}

func (c *catalogue) find(ctx context.Context, ids bson.D) ([]catalogued, error) {
	fields := bson.D{}
	for _, key := range []string{
		keyVersion, keyCreated, keyHidden, keyCategory, keyActive, keyInStock, keyTitle, keyText,
	} {
		fields = append(fields, bson.E{Key: key, Value: 1})
	}
	opts := options.Find().SetSort(bson.D{{Key: keyID, Value: 1}}).SetLimit(cataloguePage).SetProjection(fields)
	cursor, err := c.products.Find(ctx, bson.D{{Key: keyID, Value: ids}}, opts)
	if err != nil {
		return nil, err
	}
	var page []catalogued
	err = cursor.All(ctx, &page)
	return page, err
}

func (c *catalogue) put(product catalogued) {
	slot, there := c.slots[product.ID]
	if !there {
		slot = uint32(len(c.rows))
		c.slots[product.ID] = slot
		c.rows = append(c.rows, catalogued{Hidden: true})
	}
	before := c.rows[slot]
	if there && before.Version >= product.Version {
		return
	}
	if !before.Hidden {
		c.counts[before.Bucket]--
	}
	if !product.Hidden {
		c.counts[product.Bucket]++
	}
	title, text := "", ""
	if product.Bucket.Active && !product.Hidden {
		title, text = product.Title, product.Text
	}
	product.texts = maphash.Comparable(c.seed, [2]string{title, text})
	if before.texts != product.texts { // rarely: most changes are of stock
		c.words.put(slot, title, text)
	}
	product.Title, product.Text = "", "" // only their words are needed
	c.rows[slot] = product
	if there && before.Created.Equal(product.Created) {
		return
	}
	if there {
		c.byAge = slices.DeleteFunc(c.byAge, func(s uint32) bool { return s == slot })
	}
	place, _ := slices.BinarySearchFunc(c.byAge, slot, c.compareAge)
	c.byAge = slices.Insert(c.byAge, place, slot)
}

func (c *catalogue) compareAge(a, b uint32) int {
	x, y := &c.rows[a], &c.rows[b]
	return cmp.Or(x.Created.Compare(y.Created), strings.Compare(x.ID, y.ID))
}

func (c *catalogue) count(filter storage.Filter) int64 {
	var total int64
	for b, count := range c.counts {
		if (filter.Category == "" || filter.Category == b.Category) &&
			(filter.Active == nil || *filter.Active == b.Active) && (filter.InStock == nil || *filter.InStock == b.InStock) {
			total += count
		}
	}
	return total
}

// search returns the ids of the best matches: by how many words stand in the name, then newest first. It goes through the
// products by age, so that nothing needs to be sorted, and ends where no better one can follow.
func (c *catalogue) search(text string, limit int) []string {
	h := c.words.search(text, len(c.rows))
	if h.words == 0 {
		return nil
	}
	ranked := make([][]string, h.words+1) // by how many words stand in the name
	for _, slot := range slices.Backward(c.byAge) {
		named := h.named[slot]
		if !h.found.has(slot) || len(ranked[named]) == limit {
			continue
		}
		ranked[named] = append(ranked[named], c.rows[slot].ID)
		if len(ranked[h.words]) == limit {
			break
		}
	}
	slices.Reverse(ranked)
	ids := slices.Concat(ranked...)
	return ids[:min(limit, len(ids))]
}
