package order

import (
	"cmp"
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Limits keep every product and sum of minor units far inside int64, whatever the tax rate.
const (
	maxQuantity = 1_000_000
	maxSubtotal = 1_000_000_000_000
)

func decidePlace(s *State, c Place) ([]Event, error) {
	if s.Exists() {
		return nil, domain.Errorf(domain.KindConflict, "order_exists", "order %s exists already", c.ID)
	}
	currency := cmp.Or(c.Currency, c.Policy.Currency)
	items := make([]Item, len(c.Demands))
	var subtotal int64
	for i, d := range c.Demands {
		item, err := price(i, d, currency)
		if err != nil {
			return nil, err
		}
		items[i] = item
		if subtotal += item.TotalPrice; subtotal > maxSubtotal {
			return nil, domain.Errorf(domain.KindInvalid, "order_too_large", "items add up to more than %d", int64(maxSubtotal))
		}
	}
	if len(items) == 0 {
		return nil, domain.Errorf(domain.KindInvalid, "no_items", "items must contain at least 1 elements")
	}
	tax := Tax(subtotal, c.Policy.TaxPPM)
	placed := Placed{
		ID: c.ID, Number: c.Number, Customer: c.Customer, Items: items,
		Subtotal: subtotal, Tax: tax, ShippingCost: c.Policy.ShippingFlat, Total: subtotal + tax + c.Policy.ShippingFlat,
		Currency: currency, ShippingAddress: c.ShippingAddress, PaymentMethod: c.PaymentMethod, Notes: c.Notes, At: c.At,
	}
	return []Event{placed, ReservationRequested{
		ID: c.ReservationDocID, ReservationID: c.ReservationID, OrderID: c.ID, CustomerID: c.Customer.CustomerID,
		Lines: demandPerProduct(items), TimeoutMinutes: minutes(c.Policy.ReservationTTL.Milliseconds()),
		ExpiresAt: c.At.Add(c.Policy.ReservationTTL), At: c.At,
	}}, nil
}

// price lets the catalogue decide name and price.
func price(i int, d Demand, currency string) (Item, error) {
	switch {
	case !d.Known:
		return Item{}, domain.Errorf(domain.KindInvalid, "unknown_product", "items.%d.productId: there is no product %q", i, d.ProductID)
	case d.Quantity < 1 || d.Quantity > maxQuantity:
		return Item{}, domain.Errorf(domain.KindInvalid, "quantity_out_of_range", "items.%d.quantity must be between 1 and %d", i, maxQuantity)
	case !d.Active:
		return Item{}, domain.Errorf(domain.KindConflict, "product_inactive", "items.%d.productId: product %q is not for sale", i, d.ProductID)
	case d.Currency != currency:
		return Item{}, domain.Errorf(domain.KindInvalid, "currency_mismatch", "items.%d: product %q is priced in %s, not %s", i, d.ProductID, d.Currency, currency)
	case d.Offered != nil && *d.Offered != d.Price:
		return Item{}, domain.Errorf(domain.KindConflict, "price_changed", "items.%d.unitPrice: the current price of product %q is %d", i, d.ProductID, d.Price)
	case d.Price > maxSubtotal/d.Quantity:
		return Item{}, domain.Errorf(domain.KindInvalid, "order_too_large", "items.%d costs more than %d", i, int64(maxSubtotal))
	}
	return Item{ProductID: d.ProductID, ProductName: d.Name, Quantity: d.Quantity, UnitPrice: d.Price, TotalPrice: d.Price * d.Quantity}, nil
}

// Tax rounds half up, once per order: the shop's one rounding point. Whole millions are taxed apart from the rest, so
// that no rate below a million times the price overflows.
func Tax(subtotal, ppm int64) int64 {
	const million = 1_000_000
	return subtotal/million*ppm + (subtotal%million*ppm+million/2)/million
}

// demandPerProduct sums the items of each product. Sorted, because every order must take its holds in the same order:
// two orders that want the same two products could otherwise refuse each other in a circle.
func demandPerProduct(items []Item) []Line {
	lines := make([]Line, 0, len(items))
	for _, item := range items {
		lines = append(lines, Line{ProductID: item.ProductID, ProductName: item.ProductName, Quantity: item.Quantity, UnitPrice: item.UnitPrice})
	}
	return sumPerProduct(lines)
}

func sumPerProduct(lines []Line) []Line {
	slices.SortStableFunc(lines, func(a, b Line) int { return cmp.Compare(a.ProductID, b.ProductID) })
	summed := lines[:0]
	for _, line := range lines {
		if n := len(summed); n > 0 && summed[n-1].ProductID == line.ProductID {
			summed[n-1].Quantity += line.Quantity
			continue
		}
		summed = append(summed, line)
	}
	return summed
}

// minutes rounds up: a subscriber must not be told a lifetime of 0.
func minutes(milliseconds int64) int64 { return (milliseconds + 59_999) / 60_000 }
