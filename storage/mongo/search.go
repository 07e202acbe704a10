package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Count reads the catalogue's counters.
func (s *Store) Count(ctx context.Context, filter storage.Filter) (int64, error) {
	if err := s.gate.enter(ctx); err != nil {
		return 0, err
	}
	defer s.gate.leave()
	if filter.Collection != storage.Products || filter.Status != "" || filter.Customer != "" || filter.Order != "" ||
		filter.External != "" {
		return 0, errors.New("count: only products are counted, by category, active and in stock")
	}
	var total int64
	if err := s.catalogue.use(ctx, func() { total = s.catalogue.count(filter) }); err != nil {
		return 0, fmt.Errorf("count %s: %w", filter.Collection, err)
	}
	return total, nil
}

// Search ranks products by how many of the words stand in the name, then newest first. Words are runs of letters,
// digits and marks in lower case; accents count, and there is no stemming. A product that changes between the ranking
// and the reading of its document may be missing from the result.
func (s *Store) Search(ctx context.Context, text string, limit int) ([]storage.Document, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit <= 0 {
		return nil, nil
	}
	var ids []string
	if err := s.catalogue.use(ctx, func() { ids = s.catalogue.search(text, limit) }); err != nil {
		return nil, fmt.Errorf("search products: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	query := bson.D{{Key: keyID, Value: bson.D{{Key: "$in", Value: ids}}}}
	found, err := findDocuments(ctx, s.views[storage.Products], storage.Products, query, options.Find())
	if err != nil {
		return nil, fmt.Errorf("search products: %w", err)
	}
	byID := make(map[string]storage.Document, len(found))
	for _, d := range found {
		byID[d.ID] = d
	}
	ranked := make([]storage.Document, 0, len(ids))
	for _, id := range ids {
		if d, there := byID[id]; there && d.Active && !d.Hidden {
			ranked = append(ranked, d)
		}
	}
	return ranked, nil
}
