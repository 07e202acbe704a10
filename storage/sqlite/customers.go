package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// An order, its reservation and its payment have the same customer and nearly the same place. So one table tells all that
// a customer has, of every collection: the three lie side by side there. With an index on each collection's table they lie
// on three pages, each somewhere else for the next customer, and in a shop with many customers these were the dearest part
// of an order. (Triggers would keep the table by themselves, and made a tenth of an order's CPU.)
//
// The status rides along, so that a customer's documents of one status are found without looking at the others' rows.

const customersTable = `CREATE TABLE IF NOT EXISTS customers(customer_id TEXT, place INTEGER, collection INTEGER, standing TEXT NOT NULL,
	PRIMARY KEY(customer_id, place, collection)) WITHOUT ROWID`

// customerColumns names in customers what a filter asks for.
var customerColumns = map[filterColumn]string{byCustomer: "customer_id", byStatus: "standing"}

// ofCustomers numbers the collections that have customers.
var ofCustomers = map[storage.Collection]int64{storage.Orders: 1, storage.Reservations: 2, storage.Payments: 3}

// owned notes whose document stands at a place.
func (v *view) owned(conn *sqlite.Conn, place int64, now facts) error {
	if v.ofCustomers == 0 {
		return nil
	}
	return query(conn, `INSERT INTO customers(customer_id, place, collection, standing) VALUES(?,?,?,?)`, func(stmt *sqlite.Stmt) {
		stmt.BindText(1, now.customer)
		stmt.BindInt64(2, place)
		stmt.BindInt64(3, v.ofCustomers)
		stmt.BindText(4, now.status)
	}, nil)
}

// disowned forgets it.
func (v *view) disowned(conn *sqlite.Conn, place int64, old facts) error {
	if v.ofCustomers == 0 {
		return nil
	}
	return query(conn, `DELETE FROM customers WHERE customer_id = ? AND place = ? AND collection = ?`, func(stmt *sqlite.Stmt) {
		stmt.BindText(1, old.customer)
		stmt.BindInt64(2, place)
		stmt.BindInt64(3, v.ofCustomers)
	}, nil)
}
