package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// window is how many sequences below and above a place are asked for by exact _id before a range is used. Recovering an
// entity reads a short tail, and a new entity's stream is empty: both are one exact read, on a collection that is
// sharded by hash too.
const window = 16

// errGap says that entries were seen out of step, because a read is no snapshot.
var errGap = errors.New("gap in the journal")

const gapAttempts = 5

// Read returns entries as storage.Journal says.
func (s *Store) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	if after > math.MaxInt64 {
		return nil, nil // no sequence is that high
	}
	for attempt := 1; ; attempt++ {
		entries, err := s.read(ctx, stream, after, limit)
		if err == nil {
			return entries, nil
		}
		if attempt == gapAttempts || !errors.Is(err, errGap) {
			return nil, fmt.Errorf("read %s after %d: %w", stream, after, err)
		}
	}
}

func (s *Store) read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	journal := s.journals[shardOfStream(stream)]
	low := lowest(after)
	if s.ends.known(stream) == after {
		low = after + 1 // nothing that begins below reaches above
	}
	near, err := exactly(ctx, journal, stream, low, after+window)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(near, func(e storage.Entry) bool { return e.Last() > after })
	switch {
	case i < 0 && len(near) > 0: // whatever comes next would begin in the window
		s.ends.learn(stream, near[len(near)-1].Last())
		return nil, nil
	case i >= 0 && near[i].First <= after+1:
		near = near[i:]
	case i > 0 || low == 1 || low > after:
		return nil, gapIf(i >= 0)
	default: // a long entry may begin below the window and reach over the place
		covering, err := s.covering(ctx, journal, stream, after)
		if err != nil || covering == nil {
			return nil, err
		}
		if covering.Last() <= after {
			s.ends.learn(stream, covering.Last())
			return nil, gapIf(i >= 0)
		}
		near = append([]storage.Entry{*covering}, near...)
	}
	entries, err := s.chain(near, limit)
	if err != nil || (limit > 0 && len(entries) == limit) {
		return entries, err
	}
	next := entries[len(entries)-1].Last() + 1
	if next <= after+window {
		return entries, nil
	}
	return s.readOn(ctx, journal, entries, next, limit)
}

func gapIf(gap bool) error {
	if gap {
		return errGap
	}
	return nil
}

// lowest is where the window around a place begins.
func lowest(place uint64) uint64 {
	if place < window {
		return 1
	}
	return place - window + 1
}

// chain checks that the entries follow one another, cuts them to limit and remembers where they end.
func (s *Store) chain(entries []storage.Entry, limit int) ([]storage.Entry, error) {
	if limit > 0 && len(entries) > limit {
		entries = entries[:limit]
	}
	for i := 1; i < len(entries); i++ {
		if entries[i].First != entries[i-1].Last()+1 {
			return nil, fmt.Errorf("%w: %d follows %d", errGap, entries[i].First, entries[i-1].Last())
		}
	}
	last := entries[len(entries)-1]
	s.ends.learn(last.Stream, last.Last())
	return entries, nil
}

// readOn appends to entries what begins at next and above.
func (s *Store) readOn(
	ctx context.Context, journal *driver.Collection, entries []storage.Entry, next uint64, limit int,
) ([]storage.Entry, error) {
	stream := entries[0].Stream
	filter := within(stream, bson.D{{Key: "$gte", Value: entryID(stream, next)}, {Key: "$lt", Value: endID(stream)}})
	opts := options.Find().SetSort(bson.D{{Key: keyID, Value: 1}})
	if limit > 0 {
		opts.SetLimit(int64(limit - len(entries)))
	}
	rest, err := find(ctx, journal, filter, opts)
	if err != nil {
		return nil, err
	}
	return s.chain(append(entries, rest...), limit)
}

// ReadBack returns entries as storage.Journal says.
func (s *Store) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	if err := s.gate.enter(ctx); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	bound := endID(stream)
	if before > 0 {
		bound = entryID(stream, before)
	}
	filter := within(stream, bson.D{{Key: "$gte", Value: entryID(stream, 0)}, {Key: "$lt", Value: bound}})
	opts := options.Find().SetSort(bson.D{{Key: keyID, Value: -1}}).SetLimit(int64(max(limit, 0)))
	journal := s.journals[shardOfStream(stream)]
	entries, err := find(ctx, journal, filter, opts)
	if err != nil {
		return nil, fmt.Errorf("read back %s before %d: %w", stream, before, err)
	}
	if len(entries) > 0 {
		s.ends.learn(stream, entries[0].Last())
	}
	return entries, nil
}

// covering returns the entry with the highest First that is not above place: the one that holds place, or the stream's
// last one, or nil for an empty stream.
func (s *Store) covering(
	ctx context.Context, journal *driver.Collection, stream storage.Stream, place uint64,
) (*storage.Entry, error) {
	low := lowest(place)
	near, err := exactly(ctx, journal, stream, low, place)
	if err != nil {
		return nil, err
	}
	if len(near) == 0 && low > 1 {
		filter := within(stream, bson.D{{Key: "$gte", Value: entryID(stream, 0)}, {Key: "$lt", Value: entryID(stream, low)}})
		opts := options.Find().SetSort(bson.D{{Key: keyID, Value: -1}}).SetLimit(1)
		if near, err = find(ctx, journal, filter, opts); err != nil {
			return nil, err
		}
	}
	if len(near) == 0 {
		return nil, nil
	}
	return &near[len(near)-1], nil
}

// within selects a range of _id; the stream is named too, because a longer name may sort in between.
func within(stream storage.Stream, ids bson.D) bson.D {
	return bson.D{{Key: keyID, Value: ids}, {Key: "stream", Value: string(stream)}}
}

// exactly returns the stream's entries that begin in [low, high], ascending.
func exactly(
	ctx context.Context, journal *driver.Collection, stream storage.Stream, low, high uint64,
) ([]storage.Entry, error) {
	ids := make(bson.A, 0, high-low+1)
	for first := low; first <= high && first >= low; first++ {
		ids = append(ids, entryID(stream, first))
	}
	entries, err := find(ctx, journal, bson.D{{Key: keyID, Value: bson.D{{Key: "$in", Value: ids}}}}, options.Find())
	slices.SortFunc(entries, func(a, b storage.Entry) int { return cmp.Compare(a.First, b.First) })
	return entries, err
}

func find(
	ctx context.Context, journal *driver.Collection, filter bson.D, opts options.Lister[options.FindOptions],
) ([]storage.Entry, error) {
	cursor, err := journal.Find(ctx, filter, opts)
	if err != nil {
		return nil, err
	}
	var documents []entryDocument
	if err := cursor.All(ctx, &documents); err != nil {
		return nil, err
	}
	entries := make([]storage.Entry, len(documents))
	for i, d := range documents {
		entries[i] = d.entry()
	}
	return entries, nil
}
