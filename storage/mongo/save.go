package mongo

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Save stores the projections in this order, each step after the one before it is held by a majority:
//
//  1. the versions of the snapshots are read; what is not newer is dropped (newerOnly)
//  2. the documents (saveDocuments)
//  3. the announcement that products changed, for the catalogue of every member (changes.announce)
//  4. the snapshots, which say that 2 and 3 are done (saveSnapshots)
//  5. the mark
//
// After an error anything up to there may have happened; repeating the call is safe, and so is doing it elsewhere.
func (s *Store) Save(ctx context.Context, projections []storage.Projection, writer string, mark uint64) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	newer, err := s.newerOnly(ctx, projections)
	if err != nil {
		return fmt.Errorf("save projections: %w", err)
	}
	if len(newer) > 0 {
		if err := s.saveDocuments(ctx, newer); err != nil {
			return fmt.Errorf("save projections: %w", err)
		}
		if err := s.saveSnapshots(ctx, newer); err != nil {
			return fmt.Errorf("save projections: %w", err)
		}
	}
	if mark == 0 {
		return nil
	}
	return s.advance(ctx, writer, storage.MarkProjected, mark)
}

// newerOnly drops what is not newer than the stored projection of its stream, and sorts the rest by version.
func (s *Store) newerOnly(ctx context.Context, projections []storage.Projection) ([]storage.Projection, error) {
	var ids [shardCount][]string
	for _, p := range projections {
		i := shardOfStream(p.Stream)
		ids[i] = append(ids[i], string(p.Stream))
	}
	stored := map[string]uint64{}
	for i, part := range ids {
		slices.Sort(part)
		versions, err := versionsOf(ctx, s.snapshots[i], slices.Compact(part))
		if err != nil {
			return nil, err
		}
		maps.Copy(stored, versions)
	}
	newer := slices.DeleteFunc(slices.Clone(projections), func(p storage.Projection) bool {
		version, there := stored[string(p.Stream)]
		return there && p.Version <= version
	})
	slices.SortStableFunc(newer, func(a, b storage.Projection) int { return cmp.Compare(a.Version, b.Version) })
	return newer, nil
}

func (s *Store) saveDocuments(ctx context.Context, projections []storage.Projection) error {
	parts := map[storage.Collection]map[string]row{}
	for _, p := range projections {
		for _, d := range p.Documents {
			if _, err := shardOfCollection(d.Collection); err != nil {
				return fmt.Errorf("%s: %w", p.Stream, err)
			}
			if parts[d.Collection] == nil {
				parts[d.Collection] = map[string]row{}
			}
			if there, ok := parts[d.Collection][d.ID]; ok && there.version >= p.Version {
				continue
			}
			encoded, err := encodeDocument(d, p.Version)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Stream, err)
			}
			parts[d.Collection][d.ID] = encoded
		}
	}
	for collection, rows := range parts {
		vacate := func(ctx context.Context, r row) error { return s.vacate(ctx, collection, r) }
		if err := settle(ctx, s.views[collection], rows, vacate); err != nil {
			return fmt.Errorf("%s: %w", collection, err)
		}
	}
	changed := make([]string, 0, len(parts[storage.Products]))
	for id := range parts[storage.Products] {
		changed = append(changed, id)
	}
	return s.changes.announce(ctx, changed)
}

// saveSnapshots writes the newest projection of each stream; projections are sorted by version.
func (s *Store) saveSnapshots(ctx context.Context, projections []storage.Projection) error {
	newest := map[storage.Stream]storage.Projection{}
	for _, p := range projections {
		if len(p.Snapshot) == 0 {
			p.Snapshot = newest[p.Stream].Snapshot
		}
		newest[p.Stream] = p
	}
	var parts [shardCount]map[string]row
	for stream, p := range newest {
		r, err := encodeSnapshot(p)
		if err != nil {
			return fmt.Errorf("snapshot %s: %w", stream, err)
		}
		i := shardOfStream(stream)
		if parts[i] == nil {
			parts[i] = map[string]row{}
		}
		parts[i][r.id] = r
	}
	for i, rows := range parts {
		if err := settle(ctx, s.snapshots[i], rows, nil); err != nil {
			return fmt.Errorf("%s snapshots: %w", shardNames[i], err)
		}
	}
	return nil
}

// encodeSnapshot lays a snapshot out. One without state leaves the stored state as it is.
func encodeSnapshot(p storage.Projection) (row, error) {
	set := bson.D{{Key: keyVersion, Value: int64(p.Version)}}
	if len(p.Snapshot) > 0 {
		set = append(set, bson.E{Key: keySnapshot, Value: bson.Binary{Data: p.Snapshot}})
	}
	change := bson.D{}
	if p.Due.IsZero() {
		change = append(change, bson.E{Key: "$unset", Value: bson.D{{Key: keyDue, Value: ""}}})
	} else {
		set = append(set, bson.E{Key: keyDue, Value: bson.NewDateTimeFromTime(p.Due)})
	}
	raw, err := bson.Marshal(append(bson.D{{Key: keyID, Value: string(p.Stream)}}, set...))
	return row{
		id: string(p.Stream), version: p.Version, document: raw,
		change: append(change, bson.E{Key: "$set", Value: set}),
	}, err
}
