package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Get returns a document; a hidden one has no row.
func (s *Store) Get(ctx context.Context, c storage.Collection, id string) (storage.Document, error) {
	v := s.views[c]
	if v == nil {
		return storage.Document{}, fmt.Errorf("get: unknown collection %q", c)
	}
	rows := scanner{collection: c, limit: 1}
	d, found := storage.Document{}, false
	err := s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, v.get, func(stmt *sqlite.Stmt) { bindID(stmt, 1, id) }, func(stmt *sqlite.Stmt) error {
			d, found = rows.scan(stmt), true
			return nil
		})
	})
	if err == nil && !found {
		err = storage.ErrNotFound
	}
	if err != nil {
		return storage.Document{}, fmt.Errorf("get %s %q: %w", c, id, err)
	}
	return d, nil
}

// condition is one term of a filter.
type condition struct {
	column filterColumn
	text   string
	flag   *bool
}

// conditions lists what a filter asks for, what selects fewest first.
func conditions(f storage.Filter) []condition {
	all := []condition{
		{column: byExternal, text: f.External}, {column: byOrder, text: f.Order}, {column: byCustomer, text: f.Customer},
		{column: byCategory, text: f.Category}, {column: byStatus, text: f.Status},
		{column: byInStock, flag: f.InStock}, {column: byActive, flag: f.Active},
	}
	return slices.DeleteFunc(all, func(c condition) bool { return c.text == "" && c.flag == nil })
}

// List returns a page. Rows and indexes are in the order of places, and so of time; where documents share a millisecond,
// their ids decide, and that is the matter of listing.
func (s *Store) List(ctx context.Context, f storage.Filter, after storage.Position, skip, limit int) (page []storage.Document, err error) {
	if s.views[f.Collection] == nil {
		return nil, fmt.Errorf("list: unknown collection %q", f.Collection)
	}
	if limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return atOnce(conn, func() error {
			l := newListing(conn, f, after, max(skip, 0), limit)
			if err := l.seek(); err != nil {
				return err
			}
			err := l.read()
			page = l.page
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", f.Collection, err)
	}
	return page, nil
}

// Count sums the counters, of which there are at most four for each category.
func (s *Store) Count(ctx context.Context, f storage.Filter) (count int64, err error) {
	if f != (storage.Filter{Collection: storage.Products, Category: f.Category, Active: f.Active, InStock: f.InStock}) {
		return 0, errors.New("count: only products are counted, by category, active and in stock")
	}
	flag := func(stmt *sqlite.Stmt, param int, value *bool) {
		if value == nil {
			stmt.BindNull(param)
			return
		}
		stmt.BindBool(param, *value)
	}
	text := `SELECT coalesce(sum(n), 0) FROM product_counts WHERE (?1 IS NULL OR active = ?1) AND (?2 IS NULL OR in_stock = ?2)`
	if f.Category != "" {
		text += ` AND category = ?3`
	}
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return query(conn, text, func(stmt *sqlite.Stmt) {
			flag(stmt, 1, f.Active)
			flag(stmt, 2, f.InStock)
			if f.Category != "" {
				stmt.BindText(3, f.Category)
			}
		}, func(stmt *sqlite.Stmt) error {
			count = stmt.ColumnInt64(0)
			return nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return count, nil
}
