package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// style is a way to place an order: all of it or nothing, confirmed when it returns.
type style func(ctx context.Context, conn *pgx.Conn, r *request, now time.Time) (*order, error)

var styles = map[string]style{
	"for-update":    lockFirst,
	"conditional":   updateIfEnough,
	"one-statement": oneStatement,
}

// insert is what all styles but the last send after they have the stock: pipelined, with the commit, in one round trip.
const (
	insertOrder = `INSERT INTO orders (id, order_number, customer_id, customer, address, payment_method, notes, subtotal, tax, shipping, total,
		currency, status, created_at, updated_at) VALUES ($1,$2,$3,$4,$5,$6,NULLIF($7,''),$8,$9,$10,$11,$12,$13,$14,$14)`
	insertLines = `INSERT INTO order_lines (order_id, line, product_id, product_name, quantity, unit_price)
		SELECT $1, l.n, l.product_id, l.name, l.quantity, l.price
		FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS l(product_id, name, quantity, price, n)`
	insertMovements = `INSERT INTO stock_movements (product_id, order_id, delta, balance, at)
		SELECT m.product_id, $1, -m.quantity, m.balance, $5
		FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS m(product_id, quantity, balance)`
)

// found is a product as a transaction saw it; stock is what is left after the order.
type found struct {
	productID, name, currency string
	price, stock              int64
}

const lockProducts = `SELECT product_id, name, currency, price, stock FROM products
	WHERE product_id = ANY($1) AND is_active ORDER BY product_id FOR UPDATE`

const takeStock = `UPDATE products p SET stock = p.stock - d.quantity, updated_at = $3
	FROM unnest($1::text[], $2::bigint[]) AS d(product_id, quantity) WHERE p.product_id = d.product_id`

// lockFirst locks the products in the order of their ids, looks, and then writes.
func lockFirst(ctx context.Context, conn *pgx.Conn, r *request, now time.Time) (*order, error) {
	d := r.demand()
	begin := &pgx.Batch{}
	begin.Queue("begin")
	var products []found
	begin.Queue(lockProducts, d.products).Query(func(rows pgx.Rows) (err error) {
		products, err = pgx.CollectRows(rows, scanFound)
		return err
	})
	if err := conn.SendBatch(ctx, begin).Close(); err != nil {
		return nil, rollback(ctx, conn, err)
	}
	if len(products) < len(d.products) {
		return nil, rollback(ctx, conn, errInput{"a product is unknown or not for sale"})
	}
	for i := range products {
		if products[i].stock -= d.quantities[i]; products[i].stock < 0 {
			return nil, rollback(ctx, conn, outOf(products[i].productID))
		}
	}
	rest := &pgx.Batch{}
	rest.Queue(takeStock, d.products, d.quantities, now)
	return finish(ctx, conn, rest, r, d, products, now)
}

const takeIfEnough = `UPDATE products SET stock = stock - $2, updated_at = $3
	WHERE product_id = $1 AND stock >= $2 AND is_active RETURNING product_id, name, currency, price, stock`

// updateIfEnough takes the stock of each product in the order of their ids, if there is enough, and then writes the rest.
func updateIfEnough(ctx context.Context, conn *pgx.Conn, r *request, now time.Time) (*order, error) {
	d := r.demand()
	begin := &pgx.Batch{}
	begin.Queue("begin")
	products := make([]found, 0, len(d.products))
	for i := range d.products {
		begin.Queue(takeIfEnough, d.products[i], d.quantities[i], now).Query(func(rows pgx.Rows) error {
			taken, err := pgx.CollectRows(rows, scanFound)
			products = append(products, taken...)
			return err
		})
	}
	if err := conn.SendBatch(ctx, begin).Close(); err != nil {
		return nil, rollback(ctx, conn, err)
	}
	if len(products) < len(d.products) {
		return nil, rollback(ctx, conn, errConflict{"a product is unknown, not for sale or out of stock"})
	}
	return finish(ctx, conn, &pgx.Batch{}, r, d, products, now)
}

// finish sends the rest of the transaction, in one round trip.
func finish(ctx context.Context, conn *pgx.Conn, rest *pgx.Batch, r *request, d demand, products []found, now time.Time) (*order, error) {
	o := newOrder(r, now)
	if err := o.fill(r, products); err != nil {
		return nil, rollback(ctx, conn, err)
	}
	names, prices := make([]string, len(o.Items)), make([]int64, len(o.Items))
	ids, quantities := make([]string, len(o.Items)), make([]int64, len(o.Items))
	for i, l := range o.Items {
		ids[i], names[i], quantities[i], prices[i] = l.ProductID, l.ProductName, l.Quantity, l.UnitPrice
	}
	balances := make([]int64, len(products))
	for i, p := range products {
		balances[i] = p.stock
	}
	rest.Queue(insertOrder, o.ID, o.OrderNumber, o.Customer.CustomerID, o.Customer, o.ShippingAddress, o.PaymentMethod, o.Notes,
		o.Subtotal, o.Tax, o.ShippingCost, o.Total, o.Currency, o.Status, now)
	rest.Queue(insertLines, o.ID, ids, names, quantities, prices)
	rest.Queue(insertMovements, o.ID, d.products, d.quantities, balances, now)
	rest.Queue("commit")
	if err := conn.SendBatch(ctx, rest).Close(); err != nil {
		return nil, rollback(ctx, conn, err)
	}
	return o, nil
}

// fill puts the catalogue's names and prices into the order, and refuses a price that the buyer did not see.
func (o *order) fill(r *request, products []found) error {
	lines := make([]line, len(r.Items))
	for i, item := range r.Items {
		for _, p := range products {
			if p.productID == item.ProductID {
				lines[i] = line{ProductID: p.productID, ProductName: p.name, Quantity: item.Quantity, UnitPrice: p.price}
			}
		}
		if item.UnitPrice != nil && *item.UnitPrice != lines[i].UnitPrice {
			return errConflict{fmt.Sprintf("the price of %s is %d", item.ProductID, lines[i].UnitPrice)}
		}
	}
	o.price(lines, products[0].currency)
	return nil
}

// placeAll does everything in one statement. What it locks it locks in the order of the ids; nothing is written unless
// there is enough of every product.
const placeAll = `
WITH demand AS (
	SELECT * FROM unnest($1::text[], $2::bigint[], $13::bigint[]) AS d(product_id, quantity, seen)
), locked AS (
	SELECT p.product_id, p.name, p.currency, p.price, p.stock, d.quantity, d.seen FROM products p JOIN demand d USING (product_id)
	WHERE p.is_active ORDER BY p.product_id FOR UPDATE OF p
), enough AS (
	SELECT count(*) = cardinality($1) AND bool_and(stock >= quantity AND price = coalesce(seen, price)) AS yes FROM locked
), taken AS (
	UPDATE products p SET stock = p.stock - l.quantity, updated_at = $9 FROM locked l
	WHERE p.product_id = l.product_id AND (SELECT yes FROM enough)
	RETURNING p.product_id, p.stock, l.quantity
), moved AS (
	INSERT INTO stock_movements (product_id, order_id, delta, balance, at) SELECT product_id, $3, -quantity, stock, $9 FROM taken
), lines AS (
	INSERT INTO order_lines (order_id, line, product_id, product_name, quantity, unit_price)
	SELECT $3, w.n, l.product_id, l.name, w.quantity, l.price
	FROM unnest($10::text[], $11::bigint[]) WITH ORDINALITY AS w(product_id, quantity, n) JOIN locked l USING (product_id)
	WHERE (SELECT yes FROM enough)
), cost AS (
	SELECT sum(quantity * price)::bigint AS subtotal, (sum(quantity * price)::bigint * 10 + 50) / 100 AS tax, min(currency) AS currency
	FROM locked WHERE (SELECT yes FROM enough)
), placed AS (
	INSERT INTO orders (id, order_number, customer_id, customer, address, payment_method, notes, subtotal, tax, shipping, total,
		currency, status, created_at, updated_at)
	SELECT $3, $4, $5, $6, $7, $8, NULLIF($12,''), subtotal, tax, 1000, subtotal + tax + 1000, currency, 'confirmed', $9, $9
	FROM cost WHERE subtotal IS NOT NULL
)
SELECT product_id, name, currency, price, stock - quantity FROM locked WHERE (SELECT yes FROM enough)`

// oneStatement leaves it to the database: one statement is one transaction.
func oneStatement(ctx context.Context, conn *pgx.Conn, r *request, now time.Time) (*order, error) {
	d, o := r.demand(), newOrder(r, now)
	ids, quantities := make([]string, len(r.Items)), make([]int64, len(r.Items))
	for i, item := range r.Items {
		ids[i], quantities[i] = item.ProductID, item.Quantity
	}
	rows, err := conn.Query(ctx, placeAll, d.products, d.quantities, o.ID, o.OrderNumber, o.Customer.CustomerID, o.Customer,
		o.ShippingAddress, o.PaymentMethod, now, ids, quantities, o.Notes, d.seen)
	if err != nil {
		return nil, err
	}
	products, err := pgx.CollectRows(rows, scanFound)
	if err != nil {
		return nil, err
	}
	if len(products) == 0 {
		return nil, errConflict{"a product is unknown, not for sale, out of stock or of another price"}
	}
	return o, o.fill(r, products)
}

func scanFound(row pgx.CollectableRow) (p found, err error) {
	err = row.Scan(&p.productID, &p.name, &p.currency, &p.price, &p.stock)
	return p, err
}

func outOf(productID string) error { return errConflict{"not enough of " + productID} }

// rollback ends the transaction and returns why.
func rollback(ctx context.Context, conn *pgx.Conn, why error) error {
	_, err := conn.Exec(ctx, "rollback")
	return errors.Join(why, err)
}

// deadlock says that the database has chosen this transaction to end a deadlock; it can be tried again.
func deadlock(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == "40P01"
}
