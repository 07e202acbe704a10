package sqlite

import (
	"fmt"
	"strings"

	"github.com/queuecommerce/queuecommerce/storage"
)

// layout is raised when the tables change in a way that older programs can't read.
const (
	journalLayout = 1
	readLayout    = 5
)

var journalSchema = []string{
	`CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS journal(number INTEGER PRIMARY KEY, prev INTEGER NOT NULL, stream TEXT NOT NULL,
		ordinal INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, writer INTEGER NOT NULL,
		serial INTEGER NOT NULL, sum INTEGER, body BLOB NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS writers(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, enlisted INTEGER NOT NULL,
		relayed INTEGER NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS late(writer INTEGER, serial INTEGER, number INTEGER,
		PRIMARY KEY(writer, serial, number)) WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS secrets(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`,
}

// filterColumn is a column that an index of a read model begins with. The place, and so the time, comes behind it. Where
// many rows share its value, what else a list filters by rides along, so that a combined filter is decided without looking
// at the row.
type filterColumn string

const (
	byExternal filterColumn = "external"
	byOrder    filterColumn = "order_id"
	byCustomer filterColumn = "customer"
	byCategory filterColumn = "category"
	byStatus   filterColumn = "status"
	byInStock  filterColumn = "in_stock"
	byActive   filterColumn = "active"
)

// indexes names, for each collection, the filters that its lists are asked for; every other filter is applied to the
// rows that the best index gives. Each one more makes every order dearer.
var indexes = map[storage.Collection][]filterColumn{
	storage.Orders:       {byStatus},
	storage.Products:     {byCategory, byInStock, byActive},
	storage.Reservations: {byStatus},
	storage.Payments:     {byStatus, byOrder, byExternal},
}

// collections is in a fixed order, so that the schema is.
var collections = []storage.Collection{storage.Orders, storage.Products, storage.Reservations, storage.Payments}

func indexName(c storage.Collection, column filterColumn) string {
	return string(c) + "_by_" + string(column)
}

// indexColumns are those of an index. SQLite puts the place behind them by itself; only riders want it before them.
func indexColumns(c storage.Collection, column filterColumn) string {
	columns := []string{string(column)}
	var riders []filterColumn
	if c == storage.Products {
		riders = []filterColumn{byCategory, byActive, byInStock}
		columns = append(columns, "pk")
	}
	for _, rider := range riders {
		if rider != column {
			columns = append(columns, string(rider))
		}
	}
	return strings.Join(columns, ", ")
}

func readSchema() []string {
	statements := []string{
		`CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID`,
		`CREATE TABLE IF NOT EXISTS streams(identity TEXT, kind TEXT, last INTEGER NOT NULL, number INTEGER NOT NULL,
			ordinal INTEGER NOT NULL, version INTEGER, due INTEGER, PRIMARY KEY(identity, kind)) WITHOUT ROWID`,
		`CREATE INDEX IF NOT EXISTS streams_due ON streams(due, identity, kind) WHERE due IS NOT NULL`,
		`CREATE TABLE IF NOT EXISTS births(batch INTEGER PRIMARY KEY, hashes BLOB NOT NULL, sum INTEGER NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS snapshots(stream TEXT PRIMARY KEY, snapshot BLOB NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS milestones(stream TEXT, last INTEGER, number INTEGER NOT NULL,
			PRIMARY KEY(stream, last)) WITHOUT ROWID`,
		`CREATE TABLE IF NOT EXISTS writer_ends(writer INTEGER PRIMARY KEY, first_number INTEGER NOT NULL,
			last_number INTEGER NOT NULL, last_serial INTEGER NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS marks(writer INTEGER PRIMARY KEY, projected INTEGER NOT NULL)`,
		`CREATE TABLE IF NOT EXISTS product_counts(category TEXT, active INTEGER, in_stock INTEGER, n INTEGER NOT NULL,
			PRIMARY KEY(category, active, in_stock)) WITHOUT ROWID`,
		// The tokens come cut (tokensOf): FTS5 folds case and accents, and takes everything but spaces for a part of a
		// word. Its prefixes count the mark of a token too, so they are the beginnings of 1 to indexedPrefix letters.
		`CREATE VIRTUAL TABLE IF NOT EXISTS product_words USING fts5(words, content='', contentless_delete=1, detail=none,
			tokenize="unicode61 categories 'L* M* N* P* S* C*'", prefix='2 3 4 5 6')`,
		// Tells which words there are.
		`CREATE VIRTUAL TABLE IF NOT EXISTS product_vocabulary USING fts5vocab(product_words, instance)`,
	}
	for _, c := range collections {
		statements = append(statements, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s(pk INTEGER PRIMARY KEY,
			id BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, status TEXT NOT NULL, customer TEXT NOT NULL,
			order_id TEXT NOT NULL, external TEXT NOT NULL, category TEXT NOT NULL, active INTEGER NOT NULL,
			in_stock INTEGER NOT NULL, words INTEGER NOT NULL, body BLOB NOT NULL)`, c))
		for _, column := range indexes[c] {
			statements = append(statements, fmt.Sprintf(`CREATE INDEX IF NOT EXISTS %s ON %s(%s)`,
				indexName(c, column), c, indexColumns(c, column)))
		}
	}
	return append(statements, customersTable)
}
