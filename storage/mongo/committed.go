package mongo

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// scanPage is how many entries a scan reads at a time; each page is a call of its own, so a scan may take hours.
const scanPage = 500

// Committed merges the writer's entries of the three databases by number.
func (s *Store) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if limit <= 0 || after > math.MaxInt64 {
		return nil, nil // no number is that high
	}
	var merged []storage.Entry
	filter := bson.D{{Key: "writer", Value: writer}, {Key: "number", Value: bson.D{{Key: "$gt", Value: int64(after)}}}}
	opts := options.Find().SetSort(bson.D{{Key: "number", Value: 1}}).SetLimit(int64(limit))
	for i, journal := range s.journals {
		part, err := find(ctx, journal, filter, opts)
		if err != nil {
			return nil, fmt.Errorf("committed by %s above %d in %s: %w", writer, after, shardNames[i], err)
		}
		merged = append(merged, part...)
	}
	slices.SortStableFunc(merged, func(a, b storage.Entry) int { return cmp.Compare(a.Number, b.Number) })
	return merged[:min(limit, len(merged))], nil
}

// Scan visits one database after the other, by stream and sequence.
func (s *Store) Scan(ctx context.Context, visit func(storage.Entry) error) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	opts := options.Find().SetSort(bson.D{{Key: keyID, Value: 1}}).SetLimit(scanPage)
	for i, journal := range s.journals {
		for last := ""; ; {
			page, err := find(ctx, journal, bson.D{{Key: keyID, Value: bson.D{{Key: "$gt", Value: last}}}}, opts)
			if err != nil {
				return fmt.Errorf("scan %s after %q: %w", shardNames[i], last, err)
			}
			for _, e := range page {
				if err := visit(e); err != nil {
					return err
				}
				last = entryID(e.Stream, e.First)
			}
			if len(page) < scanPage {
				break
			}
		}
	}
	return nil
}
