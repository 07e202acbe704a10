package product_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

const (
	t0       = domain.Time(1_700_000_000_000)
	deadline = t0 + 900_000
	lampID   = "0000000a0011223344556677"
)

var rules = domaintest.Rules[product.State, product.Command, product.Event]{
	Decide: product.Decide, Evolve: (*product.State).Evolve, Codec: product.Codec,
}

type (
	row    = domaintest.Row[product.Command, product.Event]
	events = []product.Event
)

func ptr[T any](v T) *T { return &v }

func entry(stock, threshold int64) product.Created {
	return product.Created{ID: lampID, ProductID: "LAMP", Name: "Desk lamp", Description: "A lamp for a desk", Category: "lighting",
		Price: 1999, Currency: "usd", Stock: stock, LowStockThreshold: threshold, SKU: "SKU-1", Active: true, At: t0}
}

func create(stock, threshold int64) product.Create {
	return product.Create{Entry: entry(stock, threshold)}
}

func settled(sku string) product.RecordClaims { return product.RecordClaims{SKU: sku, At: t0} }

func hold(orderID string, quantity int64) product.Hold {
	return product.Hold{OrderID: orderID, Quantity: quantity, ExpiresAt: deadline, At: t0 + 1}
}

func take(orderID string) product.Take { return product.Take{OrderID: orderID, At: t0 + 2} }

func back(orderID string, quantity int64, sold bool) product.Return {
	return product.Return{OrderID: orderID, Quantity: quantity, Sold: sold, Reason: "order cancelled", At: t0 + 3}
}

func adjust(delta int64) product.Adjust {
	return product.Adjust{MovementID: "m", Reason: "count", Delta: delta, At: t0 + 4}
}

func forget(after domain.Time, orderIDs ...string) product.Forget {
	return product.Forget{OrderIDs: orderIDs, At: t0 + after}
}

func balance(stock, reserved int64) product.Balance {
	return product.Balance{Stock: stock, Reserved: reserved}
}

func low(available, threshold int64, at domain.Time) product.LowStock {
	return product.LowStock{ProductID: "LAMP", ProductName: "Desk lamp", Available: available, Threshold: threshold, At: at}
}

// after returns what happens when the commands are executed one after another; each must make something happen.
func after(t *testing.T, commands ...product.Command) events {
	t.Helper()
	return subject(t, commands...).Events
}

func subject(t *testing.T, commands ...product.Command) *domaintest.Subject[product.State, product.Command, product.Event] {
	t.Helper()
	s := rules.New()
	for _, c := range commands {
		happened, err := s.Do(t, c)
		if err != nil || len(happened) == 0 {
			t.Fatalf("%T: %v, %d events", c, err, len(happened))
		}
	}
	return s
}
