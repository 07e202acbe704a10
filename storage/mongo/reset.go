package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Reset puts the marks back first: if it breaks off, everything is projected again all the same.
func (s *Store) Reset(ctx context.Context) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	ctx, cancel := unhurried(ctx)
	defer cancel()
	back := bson.D{{Key: "$set", Value: bson.D{{Key: "projected", Value: int64(0)}}}}
	if _, err := s.marks.UpdateMany(ctx, bson.D{}, back); err != nil {
		return fmt.Errorf("reset marks: %w", err)
	}
	// Snapshots go before the documents that they vouch for.
	for i, snapshots := range s.snapshots {
		if _, err := snapshots.DeleteMany(ctx, bson.D{}); err != nil {
			return fmt.Errorf("reset %s snapshots: %w", shardNames[i], err)
		}
	}
	for _, collection := range collections {
		if _, err := s.views[collection].DeleteMany(ctx, bson.D{}); err != nil {
			return fmt.Errorf("reset %s: %w", collection, err)
		}
	}
	return s.changes.announceAll(ctx)
}
