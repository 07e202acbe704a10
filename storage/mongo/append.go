package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/queuecommerce/queuecommerce/storage"
)

// maxCommand keeps an insert one command, so that its errors belong to it as a whole; the server takes 48 MB at a time.
const maxCommand = 32 << 20

// pending is one entry on its way into the journal.
type pending struct {
	entry storage.Entry
	index int // in the caller's slice
	raw   bson.Raw
}

// Append stores the entries as storage.Journal says: one unordered insert per database, in parallel.
func (s *Store) Append(ctx context.Context, entries []storage.Entry) []error {
	results := make([]error, len(entries))
	if err := s.gate.enter(ctx); err != nil {
		for i := range results {
			results[i] = err
		}
		return results
	}
	defer s.gate.leave()
	var parts [shardCount][]pending
	for i, e := range entries {
		raw, err := encodeEntry(e)
		if err != nil {
			results[i] = fmt.Errorf("append %s at %d: %w", e.Stream, e.First, err)
			continue
		}
		part := shardOfStream(e.Stream)
		parts[part] = append(parts[part], pending{entry: e, index: i, raw: raw})
	}
	var wait sync.WaitGroup
	for part, batch := range parts {
		if len(batch) > 0 {
			wait.Go(func() { s.appendTo(ctx, s.journals[part], batch, results) })
		}
	}
	wait.Wait()
	return results
}

// appendTo writes only the places in results that belong to batch.
func (s *Store) appendTo(ctx context.Context, journal *driver.Collection, batch []pending, results []error) {
	var insertable []pending
	for _, p := range batch {
		extends, err := s.extends(ctx, journal, p.entry)
		switch {
		case err != nil:
			results[p.index] = describe(p, err)
		case extends:
			insertable = append(insertable, p)
		default:
			results[p.index] = describe(p, s.compare(ctx, journal, p, storage.ErrConflict))
		}
	}
	for len(insertable) > 0 {
		n, size := 0, 0
		for n < len(insertable) && (n == 0 || size+len(insertable[n].raw) <= maxCommand) {
			size += len(insertable[n].raw)
			n++
		}
		s.insert(ctx, journal, insertable[:n], results)
		insertable = insertable[n:]
	}
}

// extends says whether an entry of the stream is known, or found, to end at First-1. False is a proof only that the
// stream did not end there when it was read; the caller's entry cannot have been stored by an earlier attempt then,
// unless it is found by its _id.
func (s *Store) extends(ctx context.Context, journal *driver.Collection, e storage.Entry) (bool, error) {
	before := e.First - 1
	if before == 0 {
		return true, nil
	}
	switch known := s.ends.known(e.Stream); {
	case known == before:
		return true, nil
	case known > before:
		return false, nil // First is covered: by this very entry, or by another
	}
	covering, err := s.covering(ctx, journal, e.Stream, before)
	if err != nil || covering == nil {
		return false, err
	}
	s.ends.learn(e.Stream, covering.Last())
	return covering.Last() == before, nil
}

func (s *Store) insert(ctx context.Context, journal *driver.Collection, batch []pending, results []error) {
	documents := make([]any, len(batch))
	for i, p := range batch {
		documents[i] = p.raw
	}
	_, err := journal.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	outcomes := outcomesOf(err, len(batch))
	for i, p := range batch {
		outcome := outcomes[i]
		if driver.IsDuplicateKeyError(outcome) {
			outcome = s.compare(ctx, journal, p, errNotVisible)
		}
		if outcome == nil {
			s.ends.learn(p.entry.Stream, p.entry.Last())
		}
		results[p.index] = describe(p, outcome)
	}
}

// outcomesOf spreads the error of one unordered insert over its documents: nil means stored durably.
func outcomesOf(err error, count int) []error {
	outcomes := make([]error, count)
	var bulk driver.BulkWriteException
	if err != nil && !errors.As(err, &bulk) {
		for i := range outcomes {
			outcomes[i] = err
		}
		return outcomes
	}
	if bulk.WriteConcernError != nil {
		for i := range outcomes {
			outcomes[i] = bulk.WriteConcernError // stored, perhaps, but not by a majority
		}
	}
	for _, failed := range bulk.WriteErrors {
		if failed.Index < 0 || failed.Index >= count {
			continue
		}
		outcomes[failed.Index] = failed.WriteError
	}
	if err != nil && bulk.WriteConcernError == nil && len(bulk.WriteErrors) == 0 {
		for i := range outcomes {
			outcomes[i] = err
		}
	}
	return outcomes
}

// errNotVisible says that the place is taken, but not yet by an entry that a majority holds: it may still go away.
var errNotVisible = errors.New("the entry at this place is not yet held by a majority")

// compare reads the entry that took the place and says what that means for p; absent when there is none.
func (s *Store) compare(ctx context.Context, journal *driver.Collection, p pending, absent error) error {
	var taken entryDocument
	err := journal.FindOne(ctx, bson.D{{Key: keyID, Value: entryID(p.entry.Stream, p.entry.First)}}).Decode(&taken)
	if errors.Is(err, driver.ErrNoDocuments) {
		return absent
	}
	if err != nil {
		return err
	}
	s.ends.learn(p.entry.Stream, taken.entry().Last())
	if taken.Writer == p.entry.Writer && uint64(taken.Number) == p.entry.Number {
		return nil
	}
	return storage.ErrConflict
}

func describe(p pending, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("append %s at %d: %w", p.entry.Stream, p.entry.First, err)
}
