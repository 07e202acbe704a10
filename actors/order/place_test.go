package order_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/order"
)

func demands(list ...order.Demand) func(*order.Place) {
	return func(p *order.Place) { p.Demands = list }
}

func with(d order.Demand, change func(*order.Demand)) order.Demand {
	change(&d)
	return d
}

func offered(price int64) func(*order.Demand) { return func(d *order.Demand) { d.Offered = &price } }

func TestPlace(t *testing.T) {
	placed := order.Placed{ID: orderID, Number: number, Customer: customer,
		Items: []order.Item{{ProductID: "LAMP", ProductName: "the LAMP", Quantity: 2, UnitPrice: 1999, TotalPrice: 3998},
			{ProductID: "DESK", ProductName: "the DESK", Quantity: 1, UnitPrice: 25_000, TotalPrice: 25_000}},
		Subtotal: 28_998, Tax: 2900, ShippingCost: 1000, Total: 32_898, Currency: "usd", ShippingAddress: address,
		PaymentMethod: "card", Notes: "leave at the door", At: t0}
	requested := order.ReservationRequested{ID: "0000000a8899aabbccddeeff", ReservationID: "RES-0011223344556677", OrderID: orderID,
		CustomerID: "cust-1", Lines: lines(), TimeoutMinutes: 15, ExpiresAt: deadline, At: t0}
	lamp := demand("LAMP", 1, 100)
	domaintest.Table(t, rules, []row{
		{Name: "name and price are the catalogue's, lines are held in the order of products", When: place(), Then: []order.Event{placed, requested}},
		{Name: "an order exists once", Given: after(t, reserving()...), When: place(), Kind: domain.KindConflict, Code: "order_exists"},
		{Name: "an order needs items", When: place(demands()), Kind: domain.KindInvalid, Code: "no_items"},
		{Name: "an unknown product is refused", When: place(demands(with(lamp, func(d *order.Demand) { d.Known = false }))),
			Kind: domain.KindInvalid, Code: "unknown_product"},
		{Name: "a product that is not for sale is refused", When: place(demands(with(lamp, func(d *order.Demand) { d.Active = false }))),
			Kind: domain.KindConflict, Code: "product_inactive"},
		{Name: "quantity 0 is refused", When: place(demands(demand("LAMP", 0, 1))), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "a negative quantity is refused beside a larger one", When: place(demands(demand("LAMP", 5, 1), demand("LAMP", -1, 1))),
			Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "a quantity beyond reason is refused", When: place(demands(demand("LAMP", 1_000_001, 1))), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "a price that has risen is refused", When: place(demands(with(lamp, offered(99)))), Kind: domain.KindConflict, Code: "price_changed"},
		{Name: "a price that has fallen is refused", When: place(demands(with(lamp, offered(101)))), Kind: domain.KindConflict, Code: "price_changed"},
		{Name: "one changed price among right ones is refused", When: place(demands(with(lamp, offered(100)), with(demand("DESK", 1, 5), offered(6)))),
			Kind: domain.KindConflict, Code: "price_changed"},
		{Name: "another currency is refused", When: place(func(p *order.Place) { p.Currency = "eur" }), Kind: domain.KindInvalid, Code: "currency_mismatch"},
		{Name: "a line beyond the limit is refused without overflow", When: place(demands(demand("LAMP", 1_000_000, 1<<62))), Kind: domain.KindInvalid, Code: "order_too_large"},
		{Name: "lines together beyond the limit are refused", When: place(demands(demand("A", 1, 1_000_000_000_000), demand("B", 1, 1))),
			Kind: domain.KindInvalid, Code: "order_too_large"},
	})
}

func TestPriceChangedNamesTheCurrentPrice(t *testing.T) {
	_, err := rules.New().Do(t, place(demands(with(demand("LAMP", 1, 1234), offered(1233)))))
	refusal, _ := domain.AsRefusal(err)
	if refusal == nil || refusal.Detail != `items.0.unitPrice: the current price of product "LAMP" is 1234` {
		t.Fatalf("got %v", err)
	}
}

func TestLinesOfOneProductAreOneDemand(t *testing.T) {
	s := subject(t, place(demands(demand("LAMP", 2, 5), demand("DESK", 1, 7), demand("LAMP", 3, 5), demand("LAMP", 1, 5)))).State
	if items := domaintest.JSON(t, s.Placed.Items); len(s.Placed.Items) != 4 || s.Placed.Subtotal != 37 {
		t.Errorf("items %s, subtotal %d", items, s.Placed.Subtotal)
	}
	want := []order.Line{{ProductID: "DESK", ProductName: "the DESK", Quantity: 1, UnitPrice: 7}, {ProductID: "LAMP", ProductName: "the LAMP", Quantity: 6, UnitPrice: 5}}
	if got := domaintest.JSON(t, s.Reservation.Lines); got != domaintest.JSON(t, want) {
		t.Errorf("lines %s", got)
	}
}

func TestTaxIsRoundedHalfUpOncePerOrder(t *testing.T) {
	for _, c := range []struct{ subtotal, ppm, want int64 }{
		{0, 100_000, 0}, {4, 100_000, 0}, {5, 100_000, 1}, {14, 100_000, 1}, {15, 100_000, 2}, {28_998, 100_000, 2900},
		{1, 0, 0}, {1, 500_000, 1}, {1, 499_999, 0}, {3, 166_666, 0}, {3, 166_667, 1}, {100, 77_500, 8}, {1_000_000_000_000, 1_000_000, 1_000_000_000_000},
		{1_000_000_000_000, 9_000_000, 9_000_000_000_000}, {1_000_000_000_000, 100_000_000, 100_000_000_000_000},
	} {
		if got := order.Tax(c.subtotal, c.ppm); got != c.want {
			t.Errorf("tax of %d at %d ppm is %d, wanted %d", c.subtotal, c.ppm, got, c.want)
		}
	}
	// Three lines of 5 at 10 % would be taxed 3 if each were rounded.
	if s := subject(t, place(demands(demand("A", 1, 5), demand("B", 1, 5), demand("C", 1, 5)))).State; s.Placed.Tax != 2 {
		t.Errorf("tax %d, wanted 2", s.Placed.Tax)
	}
}

func TestSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := place(func(p *order.Place) {
			p.Policy.TaxPPM = rapid.Int64Range(0, 2_000_000).Draw(t, "ppm")
			p.Policy.ShippingFlat = rapid.Int64Range(0, 1_000_000).Draw(t, "shipping")
			p.Demands = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) order.Demand {
				return demand(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "product"), rapid.Int64Range(1, 1_000_000).Draw(t, "quantity"),
					rapid.Int64Range(0, 3_000_000).Draw(t, "price"))
			}), 1, 6).Draw(t, "demands")
		})
		subtotal, quantities := new(big.Int), map[string]int64{}
		for _, d := range p.Demands {
			subtotal.Add(subtotal, new(big.Int).Mul(big.NewInt(d.Quantity), big.NewInt(d.Price)))
			quantities[d.ProductID] += d.Quantity
		}
		s := rules.New()
		_, err := s.Do(t, p)
		if tooLarge := subtotal.Cmp(big.NewInt(1_000_000_000_000)) > 0; tooLarge != (err != nil) {
			t.Fatalf("subtotal %v: %v", subtotal, err)
		}
		if err != nil {
			return
		}
		// floor((2*subtotal*ppm + 10^6) / (2*10^6))
		tax := new(big.Int).Mul(subtotal, big.NewInt(2*p.Policy.TaxPPM))
		tax.Add(tax, big.NewInt(1_000_000)).Div(tax, big.NewInt(2_000_000))
		o := s.State.Placed
		if o.Subtotal != subtotal.Int64() || o.Tax != tax.Int64() || o.ShippingCost != p.Policy.ShippingFlat || o.Total != o.Subtotal+o.Tax+o.ShippingCost {
			t.Fatalf("subtotal %d, tax %d, shipping %d, total %d; wanted subtotal %v, tax %v", o.Subtotal, o.Tax, o.ShippingCost, o.Total, subtotal, tax)
		}
		previous := ""
		for _, line := range s.State.Reservation.Lines {
			if line.ProductID <= previous || line.Quantity != quantities[line.ProductID] {
				t.Fatalf("lines %s of %v", domaintest.JSON(t, s.State.Reservation.Lines), quantities)
			}
			previous = line.ProductID
			delete(quantities, previous)
		}
		if len(quantities) > 0 {
			t.Fatalf("not reserved: %v", quantities)
		}
	})
}

func TestLifetimeOfAReservation(t *testing.T) {
	for ttl, minutes := range map[time.Duration]int64{time.Millisecond: 1, time.Minute: 1, time.Minute + time.Millisecond: 2, 15 * time.Minute: 15} {
		s := subject(t, place(func(p *order.Place) { p.Policy.ReservationTTL = ttl })).State
		if r := s.Reservation; r.TimeoutMinutes != minutes || r.ExpiresAt != t0.Add(ttl) || s.Due().Deadline != r.ExpiresAt {
			t.Errorf("ttl %s: %d minutes until %s, due %s", ttl, r.TimeoutMinutes, r.ExpiresAt, s.Due().Deadline)
		}
	}
}
