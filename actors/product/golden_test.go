package product_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

func TestStoredEvents(t *testing.T) {
	balance := product.Balance{Stock: 40, Reserved: 3}
	domaintest.Golden[product.Event](t, product.Codec,
		product.Created{ID: "0000000a0011223344556677", ProductID: "LAMP", Name: "Desk lamp", Description: "A lamp for a desk",
			Category: "lighting", Price: 1999, Currency: "usd", Stock: 40, LowStockThreshold: 10, SKU: "SKU-LAMP", Weight: 1.25,
			Dimensions: "10x20x30", Active: true, At: t0},
		product.Updated{Name: ptr("Lamp"), Description: ptr("Another lamp"), Category: ptr("home"), Price: ptr(int64(2099)),
			Currency: ptr("eur"), LowStockThreshold: ptr(int64(5)), SKU: ptr("SKU-2"), Weight: ptr(2.5), Dimensions: ptr("1x2x3"),
			Active: ptr(false), At: t0},
		product.ClaimsSettled{SKU: "SKU-LAMP", At: t0},
		product.Adjusted{ID: "0000000a8899aabbccddeeff", Delta: -2, Reason: "breakage", At: t0, Balance: balance},
		product.Held{OrderID: "0000000a0000000000000001", Quantity: 3, ExpiresAt: t0 + 900_000, At: t0, Balance: balance},
		product.Taken{OrderID: "0000000a0000000000000001", Quantity: 3, At: t0, Balance: balance},
		product.Released{OrderID: "0000000a0000000000000001", Quantity: 3, Reason: "reservation expired", At: t0, Balance: balance},
		product.Restocked{OrderID: "0000000a0000000000000001", Quantity: 3, Reason: "order cancelled", At: t0, Balance: balance},
		product.Forgotten{OrderIDs: []string{"0000000a0000000000000001"}, At: t0},
		product.LowStock{ProductID: "LAMP", ProductName: "Desk lamp", Available: 10, Threshold: 10, At: t0},
		product.Deleted{At: t0},
	)
}

func TestEncoders(t *testing.T) {
	domaintest.Encoders(t, product.Codec, product.Document{}, product.Movement{}, product.State{})
}
