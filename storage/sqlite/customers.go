package sqlite

import (
	"fmt"
	"strings"

	"github.com/queuecommerce/queuecommerce/storage"
)

// An order, its reservation and its payment have the same customer and nearly the same place. So one table tells all that
// a customer has, of every collection: the three lie side by side there. With an index on each collection's table they lie
// on three pages, each somewhere else for the next customer, and in a shop with many customers these were the dearest part
// of an order. Triggers keep the table as the rows are.
//
// The status rides along, so that a customer's documents of one status are found without looking at the others' rows.

// ofCustomers numbers the collections that have customers.
var ofCustomers = map[storage.Collection]int{storage.Orders: 1, storage.Reservations: 2, storage.Payments: 3}

func customersSchema() []string {
	return append([]string{`CREATE TABLE IF NOT EXISTS customers(customer_id TEXT, place INTEGER, collection INTEGER, standing TEXT NOT NULL,
		PRIMARY KEY(customer_id, place, collection)) WITHOUT ROWID`}, customerTriggers()...)
}

func customerTriggers() (statements []string) {
	trigger := func(c storage.Collection, event, statement string) {
		statements = append(statements, fmt.Sprintf(`CREATE TRIGGER IF NOT EXISTS %s AFTER %s ON %s BEGIN %s; END`,
			customerTrigger(c, event), event, c, fmt.Sprintf(statement, ofCustomers[c])))
	}
	for _, c := range collections {
		if ofCustomers[c] > 0 {
			trigger(c, `INSERT`, `INSERT INTO customers VALUES(new.customer, new.pk, %d, new.status)`)
			trigger(c, `DELETE`, `DELETE FROM customers WHERE customer_id = old.customer AND place = old.pk AND collection = %d`)
			trigger(c, `UPDATE OF pk, customer, status`, `UPDATE customers SET customer_id = new.customer, place = new.pk, standing = new.status
				WHERE customer_id = old.customer AND place = old.pk AND collection = %d`)
		}
	}
	return statements
}

func customerTrigger(c storage.Collection, event string) string {
	verb, _, _ := strings.Cut(strings.ToLower(event), " ")
	return fmt.Sprintf("%s_customers_%s", c, verb)
}

// deleteCustomers empties the table and drops the triggers on deleting: they would look for each row. customersSchema makes
// them again.
func deleteCustomers() []string {
	statements := []string{`DELETE FROM customers`}
	for _, c := range collections {
		if ofCustomers[c] > 0 {
			statements = append(statements, `DROP TRIGGER `+customerTrigger(c, `DELETE`))
		}
	}
	return statements
}

// customerColumns names in customers what a filter asks for.
var customerColumns = map[filterColumn]string{byCustomer: "customer_id", byStatus: "standing"}
