package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"github.com/queuecommerce/queuecommerce/storage"
)

type marksDocument struct {
	ID        string `bson:"_id"` // the writer
	Relayed   int64  `bson:"relayed"`
	Projected int64  `bson:"projected"`
}

// Enlist inserts the writer's marks if they are not there. The writer's last number is the highest that the primary has,
// also when a majority does not hold it yet: a number must not be used twice, skipping one is harmless.
func (s *Store) Enlist(ctx context.Context, writer string) (uint64, error) {
	if err := s.gate.enter(ctx); err != nil {
		return 0, err
	}
	defer s.gate.leave()
	if _, err := s.marks.InsertOne(ctx, marksDocument{ID: writer}); err != nil && !driver.IsDuplicateKeyError(err) {
		return 0, fmt.Errorf("enlist %s: %w", writer, err)
	}
	last, err := s.lastNumber(ctx, writer)
	if err != nil {
		return 0, fmt.Errorf("enlist %s: %w", writer, err)
	}
	return last, nil
}

func (s *Store) lastNumber(ctx context.Context, writer string) (uint64, error) {
	var last uint64
	opts := options.FindOne().SetSort(bson.D{{Key: "number", Value: -1}}).SetProjection(bson.D{{Key: "number", Value: 1}})
	for i, journal := range s.journals {
		var newest entryDocument
		here := journal.Clone(options.Collection().SetReadConcern(readconcern.Local()))
		err := here.FindOne(ctx, bson.D{{Key: "writer", Value: writer}}, opts).Decode(&newest)
		if err != nil && !errors.Is(err, driver.ErrNoDocuments) {
			return 0, fmt.Errorf("last number in %s: %w", shardNames[i], err)
		}
		last = max(last, uint64(newest.Number))
	}
	return last, nil
}

// Writers returns the marks of every enlisted writer, by name.
func (s *Store) Writers(ctx context.Context) ([]storage.Marks, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	cursor, err := s.marks.Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: keyID, Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("list writers: %w", err)
	}
	var documents []marksDocument
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, fmt.Errorf("list writers: %w", err)
	}
	marks := make([]storage.Marks, len(documents))
	for i, d := range documents {
		marks[i] = storage.Marks{Writer: d.ID, Relayed: uint64(d.Relayed), Projected: uint64(d.Projected)}
	}
	return marks, nil
}

// Advance raises the mark of an enlisted writer; a late call does not bring a retired one back.
func (s *Store) Advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	return s.advance(ctx, writer, mark, number)
}

func (s *Store) advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	field := ""
	switch mark {
	case storage.MarkRelayed:
		field = "relayed"
	case storage.MarkProjected:
		field = "projected"
	default:
		return fmt.Errorf("advance %s: unknown mark %d", writer, mark)
	}
	raise := bson.D{{Key: "$max", Value: bson.D{{Key: field, Value: int64(number)}}}}
	result, err := s.marks.UpdateOne(ctx, bson.D{{Key: keyID, Value: writer}}, raise)
	if err != nil {
		return fmt.Errorf("advance %s %s to %d: %w", writer, field, number, err)
	}
	if result.MatchedCount == 0 {
		return fmt.Errorf("advance %s: not enlisted", writer)
	}
	return nil
}

// Retire deletes the writer's marks as it found them, and refuses while one of them is below its last entry. A writer that
// is not there is retired already. What a writer that is not gone after all appends later, nobody goes on with: callers
// retire one only when nothing of its last life can be under way any more.
func (s *Store) Retire(ctx context.Context, writer string) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	if err := s.retire(ctx, writer); err != nil {
		return fmt.Errorf("retire %s: %w", writer, err)
	}
	return nil
}

func (s *Store) retire(ctx context.Context, writer string) error {
	byName := bson.D{{Key: keyID, Value: writer}}
	var marks marksDocument
	err := s.marks.FindOne(ctx, byName).Decode(&marks)
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil
	}
	if err != nil {
		return err
	}
	last, err := s.lastNumber(ctx, writer)
	if err != nil {
		return err
	}
	if done := uint64(min(marks.Relayed, marks.Projected)); done < last {
		return fmt.Errorf("relayed to %d, projected to %d, last entry is %d", marks.Relayed, marks.Projected, last)
	}
	asFound := append(byName, bson.E{Key: "relayed", Value: marks.Relayed}, bson.E{Key: "projected", Value: marks.Projected})
	if _, err := s.marks.DeleteOne(ctx, asFound); err != nil {
		return err
	}
	err = s.marks.FindOne(ctx, byName).Err()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil // gone, whoever did it
	}
	if err == nil {
		err = errors.New("its marks have moved meanwhile")
	}
	return err
}
