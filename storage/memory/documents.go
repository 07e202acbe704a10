package memory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Get returns a document that is not hidden.
func (s *Store) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	if err := ctx.Err(); err != nil {
		return storage.Document{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	d, ok := s.views[c][id]
	if !ok || d.Hidden {
		return storage.Document{}, fmt.Errorf("%s %q: %w", c, id, storage.ErrNotFound)
	}
	return d, nil
}

// List returns a page.
func (s *Store) List(ctx context.Context, f storage.Filter, after storage.Position, skip, limit int) ([]storage.Document, error) {
	found, err := s.selected(ctx, f)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, newestFirst)
	if after != (storage.Position{}) {
		place := storage.Document{Created: milliseconds(after.Created), ID: after.ID}
		found = slices.DeleteFunc(found, func(d storage.Document) bool { return newestFirst(d, place) <= 0 })
	}
	found = found[min(max(skip, 0), len(found)):]
	return found[:min(max(limit, 0), len(found))], nil
}

// Count counts products.
func (s *Store) Count(ctx context.Context, f storage.Filter) (int64, error) {
	if f != (storage.Filter{Collection: storage.Products, Category: f.Category, Active: f.Active, InStock: f.InStock}) {
		return 0, errors.New("count: only products are counted, by category, active and in stock")
	}
	found, err := s.selected(ctx, f)
	return int64(len(found)), err
}

func (s *Store) selected(ctx context.Context, f storage.Filter) ([]storage.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	view, ok := s.views[f.Collection]
	if !ok {
		return nil, fmt.Errorf("unknown collection %q", f.Collection)
	}
	var found []storage.Document
	for _, d := range view {
		if matches(d, f) {
			found = append(found, d)
		}
	}
	return found, nil
}

func matches(d storage.Document, f storage.Filter) bool {
	for _, pair := range [...][2]string{
		{f.Status, d.Status}, {f.Customer, d.Customer}, {f.Order, d.Order}, {f.External, d.External}, {f.Category, d.Category},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return !d.Hidden && (f.Active == nil || *f.Active == d.Active) && (f.InStock == nil || *f.InStock == d.InStock)
}

func newestFirst(a, b storage.Document) int {
	if byTime := b.Created.Compare(a.Created); byTime != 0 {
		return byTime
	}
	return strings.Compare(b.ID, a.ID)
}

// Search ranks by how many of the words stand in the name.
func (s *Store) Search(ctx context.Context, text string, limit int) ([]storage.Document, error) {
	active := true
	products, err := s.selected(ctx, storage.Filter{Collection: storage.Products, Active: &active})
	if err != nil {
		return nil, err
	}
	query := words(text)
	rank := map[string]int{}
	products = slices.DeleteFunc(products, func(d storage.Document) bool {
		inName, all := score(query, words(d.Title), words(d.Text))
		rank[d.ID] = inName
		return !all
	})
	slices.SortFunc(products, func(a, b storage.Document) int {
		if rank[a.ID] != rank[b.ID] {
			return rank[b.ID] - rank[a.ID]
		}
		return newestFirst(a, b)
	})
	return products[:min(max(limit, 0), len(products))], nil
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}

func score(query, name, description []string) (inName int, all bool) {
	for i, word := range query {
		same := func(w string) bool { return w == word || (i == len(query)-1 && strings.HasPrefix(w, word)) }
		switch {
		case slices.ContainsFunc(name, same):
			inName++
		case !slices.ContainsFunc(description, same):
			return 0, false
		}
	}
	return inName, len(query) > 0
}
