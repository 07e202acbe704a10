package mongotest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// TestIndexesChangeNoAnswer asks the same of two collections that hold the same, one with indexes and one without.
func TestIndexesChangeNoAnswer(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	client, err := mongo.Connect(options.Client().ApplyURI(s.URI()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Disconnect(t.Context())
	database := client.Database(s.Prefix(t))
	plain, indexed := database.Collection("plain"), database.Collection("indexed")
	random := rand.New(rand.NewPCG(16, 18))
	for round := range 400 {
		if round == 50 {
			index(t, indexed)
		}
		change := randomChange(random)
		if a, b := change(t, plain), change(t, indexed); a != b {
			t.Fatalf("round %d: a change touched %d documents without indexes, %d with them", round, a, b)
		}
		filter, opts := randomQuery(random)
		a, b := idsOf(t, plain, filter, opts), idsOf(t, indexed, filter, opts)
		if !slices.Equal(a, b) {
			t.Fatalf("round %d: %v %v: got %v without indexes, %v with them", round, filter, opts, a, b)
		}
	}
}

func index(t *testing.T, collection *mongo.Collection) {
	t.Helper()
	_, err := collection.Indexes().CreateMany(t.Context(), []mongo.IndexModel{
		{Keys: bson.D{{Key: "a", Value: 1}, {Key: "b", Value: -1}, {Key: "_id", Value: -1}}},
		{Keys: bson.D{{Key: "b", Value: 1}, {Key: "_id", Value: 1}}, Options: options.Index().SetSparse(true)},
		{Keys: bson.D{{Key: "a", Value: 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func randomID(random *rand.Rand) string { return fmt.Sprintf("%02d", random.IntN(60)) }

// randomValue is a number, a text, or, as nothing, an absent field.
func randomValue(random *rand.Rand) any {
	switch random.IntN(6) {
	case 0:
		return nil
	case 1:
		return fmt.Sprint(random.IntN(4))
	}
	return random.IntN(6)
}

// randomChange returns an insert, an update or a delete, which says how many documents it touched.
func randomChange(random *rand.Rand) func(t *testing.T, collection *mongo.Collection) int64 {
	id, a, b, kind := randomID(random), randomValue(random), randomValue(random), random.IntN(5)
	document := bson.D{{Key: "_id", Value: id}}
	set := bson.D{{Key: "touched", Value: true}}
	for key, value := range map[string]any{"a": a, "b": b} {
		if value != nil {
			document = append(document, bson.E{Key: key, Value: value})
			set = append(set, bson.E{Key: key, Value: value})
		}
	}
	return func(t *testing.T, collection *mongo.Collection) int64 {
		t.Helper()
		switch kind {
		case 0:
			result, err := collection.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: id}, {Key: "a", Value: a}})
			if err != nil {
				t.Fatal(err)
			}
			return result.DeletedCount
		case 1:
			result, err := collection.UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$set", Value: set}})
			if err != nil {
				t.Fatal(err)
			}
			return result.MatchedCount
		case 2:
			gone := bson.D{{Key: "$unset", Value: bson.D{{Key: "b", Value: ""}}}}
			result, err := collection.UpdateMany(t.Context(), bson.D{{Key: "a", Value: a}}, gone)
			if err != nil {
				t.Fatal(err)
			}
			return result.MatchedCount
		}
		_, err := collection.InsertOne(t.Context(), document)
		if err != nil && !mongo.IsDuplicateKeyError(err) {
			t.Fatal(err)
		}
		if err != nil {
			return 0
		}
		return 1
	}
}

func randomQuery(random *rand.Rand) (filter bson.D, sort bson.D) {
	filter = bson.D{}
	for _, key := range []string{"_id", "a", "b"} {
		value := func() any {
			if key == "_id" {
				return randomID(random)
			}
			return randomValue(random)
		}
		var condition any
		switch operators := []string{"$gt", "$gte", "$lt", "$lte"}; random.IntN(6) {
		case 0:
			condition = value()
		case 1:
			condition = bson.D{{Key: "$in", Value: bson.A{value(), value(), value()}}}
		case 2:
			if v := value(); v != nil {
				condition = bson.D{{Key: operators[random.IntN(4)], Value: v}}
			}
		case 3:
			if low, high := random.IntN(6), random.IntN(6); key != "_id" {
				condition = bson.D{{Key: operators[random.IntN(2)], Value: low}, {Key: operators[2+random.IntN(2)], Value: high}}
			}
		}
		if condition != nil {
			filter = append(filter, bson.E{Key: key, Value: condition})
		}
	}
	way := 1 - 2*random.IntN(2)
	for _, key := range [][]string{{"_id"}, {"b", "_id"}, {"a", "b", "_id"}}[random.IntN(3)] {
		sort = append(sort, bson.E{Key: key, Value: way})
	}
	return filter, sort
}

// idsOf returns a page of what matches.
func idsOf(t *testing.T, collection *mongo.Collection, filter, sort bson.D) []string {
	t.Helper()
	cursor, err := collection.Find(t.Context(), filter, options.Find().SetSort(sort).SetSkip(1).SetLimit(7))
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		ID string `bson:"_id"`
	}
	if err := cursor.All(t.Context(), &found); err != nil {
		t.Fatal(err)
	}
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	return ids
}
