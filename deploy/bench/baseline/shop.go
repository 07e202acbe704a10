package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// shop answers the routes.
type shop struct {
	db    *pgxpool.Pool
	place style
}

func (s *shop) routes(app *fiber.App) {
	app.Post("/products", s.postProduct)
	app.Post("/orders", s.postOrder)
	app.Get("/orders", s.getOrders)
	app.Get("/orders/:id", s.getOrder)
}

func (s *shop) postOrder(c *fiber.Ctx) error {
	var r request
	if err := decode(c.Body(), &r); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	o, err := s.order(c.UserContext(), &r)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, "/orders/"+o.ID)
	return c.Status(http.StatusCreated).JSON(o)
}

// attempts is how often an order is tried that the database has ended as one side of a deadlock.
const attempts = 5

func (s *shop) order(ctx context.Context, r *request) (o *order, err error) {
	for range attempts {
		err = s.db.AcquireFunc(ctx, func(conn *pgxpool.Conn) (err error) {
			o, err = s.place(ctx, conn.Conn(), r, time.Now().UTC().Truncate(time.Millisecond))
			return err
		})
		if !deadlock(err) {
			break
		}
	}
	return o, err
}

// product is the body of POST /products.
type product struct {
	ProductID         string `json:"productId"`
	Name              string `json:"name"`
	Description       string `json:"description"`
	Category          string `json:"category"`
	Price             int64  `json:"price"`
	Currency          string `json:"currency,omitempty"`
	StockQuantity     int64  `json:"stockQuantity"`
	SKU               string `json:"sku"`
	LowStockThreshold int64  `json:"lowStockThreshold,omitempty"`
}

func (s *shop) postProduct(c *fiber.Ctx) error {
	p := product{Currency: "usd"}
	if err := decode(c.Body(), &p); err != nil {
		return err
	}
	if p.ProductID == "" || p.SKU == "" || p.Name == "" || p.Price < 0 || p.StockQuantity < 0 {
		return errInput{"a product needs a productId, a sku and a name, and neither price nor stock below 0"}
	}
	id := newID(time.Now())
	_, err := s.db.Exec(c.UserContext(), `INSERT INTO products (id, product_id, sku, name, description, category, price, currency, stock, is_active)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,true)`, id, p.ProductID, p.SKU, p.Name, p.Description, p.Category, p.Price, p.Currency, p.StockQuantity)
	var failure *pgconn.PgError
	if errors.As(err, &failure) && failure.Code == "23505" {
		return errConflict{"productId or sku is taken"}
	}
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(struct {
		ID string `json:"_id"`
		product
	}{id, p})
}

const selectOrders = `SELECT o.id, o.order_number, o.customer, o.address, o.payment_method, coalesce(o.notes,''), o.subtotal, o.tax, o.shipping,
	o.total, o.currency, o.status, o.created_at, o.updated_at, (SELECT json_agg(json_build_object('productId', l.product_id,
		'productName', l.product_name, 'quantity', l.quantity, 'unitPrice', l.unit_price, 'totalPrice', l.quantity * l.unit_price) ORDER BY l.line)
		FROM order_lines l WHERE l.order_id = o.id)
	FROM orders o `

func scanOrder(row pgx.CollectableRow) (*order, error) {
	o := order{Version: 1}
	err := row.Scan(&o.ID, &o.OrderNumber, &o.Customer, &o.ShippingAddress, &o.PaymentMethod, &o.Notes, &o.Subtotal, &o.Tax, &o.ShippingCost,
		&o.Total, &o.Currency, &o.Status, &o.CreatedAt, &o.UpdatedAt, &o.Items)
	return &o, err
}

func (s *shop) getOrder(c *fiber.Ctx) error {
	rows, err := s.db.Query(c.UserContext(), selectOrders+`WHERE o.id = $1`, c.Params("id"))
	if err != nil {
		return err
	}
	o, err := pgx.CollectExactlyOneRow(rows, scanOrder)
	if errors.Is(err, pgx.ErrNoRows) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	return c.JSON(o)
}

// getOrders lists newest first. The conditions are put together, so that each question gets a plan of its own.
func (s *shop) getOrders(c *fiber.Ctx) error {
	limit := c.QueryInt("limit", 10)
	if limit < 1 || limit > 100 {
		return errInput{"limit must be 1 to 100"}
	}
	where, args := "WHERE true", []any{}
	if customer := c.Query("customerId"); customer != "" {
		args = append(args, customer)
		where += " AND o.customer_id = $" + strconv.Itoa(len(args))
	}
	switch status := c.Query("status"); status {
	case "":
	case "confirmed":
		where += " AND o.status = 'confirmed'"
	default: // the index of open orders serves these
		args = append(args, status)
		where += " AND o.status <> 'confirmed' AND o.status = $" + strconv.Itoa(len(args))
	}
	args = append(args, limit)
	rows, err := s.db.Query(c.UserContext(), selectOrders+where+" ORDER BY o.id DESC LIMIT $"+strconv.Itoa(len(args)), args...)
	if err != nil {
		return err
	}
	orders, err := pgx.CollectRows(rows, scanOrder)
	if err != nil {
		return err
	}
	if orders == nil {
		orders = []*order{}
	}
	return c.JSON(orders)
}
