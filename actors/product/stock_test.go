package product_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

func TestHold(t *testing.T) {
	held := product.Held{OrderID: "a", Quantity: 3, ExpiresAt: deadline, At: t0 + 1, Balance: balance(10, 3)}
	atTime := func(at domain.Time) product.Hold {
		return product.Hold{OrderID: "a", Quantity: 3, ExpiresAt: deadline, At: at}
	}
	last := held
	last.At = deadline - 1
	domaintest.Table(t, rules, []row{
		{Name: "what is available is held", Given: after(t, create(10, 0)), When: hold("a", 3), Then: events{held}},
		{Name: "to the last piece", Given: after(t, create(3, 0), settled("SKU-1")), When: hold("a", 3),
			Then: events{product.Held{OrderID: "a", Quantity: 3, ExpiresAt: deadline, At: t0 + 1, Balance: balance(3, 3)}, low(0, 0, t0+1)}},
		{Name: "one more than available is refused", Given: after(t, create(10, 0), hold("b", 8)), When: hold("a", 3), Kind: domain.KindConflict, Code: "insufficient_stock"},
		{Name: "all or nothing of a line", Given: after(t, create(2, 0)), When: hold("a", 3), Kind: domain.KindConflict, Code: "insufficient_stock"},
		{Name: "a repeat changes nothing", Given: after(t, create(10, 0), hold("a", 3)), When: hold("a", 3)},
		{Name: "a repeat when there is no stock left changes nothing", Given: after(t, create(3, 0), hold("a", 3)), When: hold("a", 3)},
		{Name: "a repeat after the sale changes nothing", Given: after(t, create(10, 0), hold("a", 3), take("a")), When: hold("a", 3)},
		{Name: "late, after the hold was returned", Given: after(t, create(10, 0), hold("a", 3), back("a", 3, false)), When: hold("a", 3),
			Kind: domain.KindConflict, Code: "demand_returned"},
		{Name: "late, after the sale was returned", Given: after(t, create(10, 0), hold("a", 3), take("a"), back("a", 3, true)), When: hold("a", 3),
			Kind: domain.KindConflict, Code: "demand_returned"},
		{Name: "late, overtaken by its return", Given: after(t, create(10, 0), back("a", 3, false)), When: hold("a", 3), Kind: domain.KindConflict, Code: "demand_returned"},
		{Name: "one millisecond before its deadline", Given: after(t, create(10, 0)), When: atTime(deadline - 1), Then: events{last}},
		{Name: "at its deadline", Given: after(t, create(10, 0)), When: atTime(deadline), Kind: domain.KindConflict, Code: "reservation_expired"},
		{Name: "of nothing", Given: after(t, create(10, 0)), When: hold("a", 0), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "of less than nothing", Given: after(t, create(10, 0)), When: hold("a", -3), Kind: domain.KindInvalid, Code: "quantity_out_of_range"},
		{Name: "of a product that is not there", When: hold("a", 3), Kind: domain.KindNotFound, Code: "product_not_found"},
		{Name: "of a deleted product", Given: after(t, create(10, 0), product.Delete{ID: lampID, At: t0}), When: hold("a", 3),
			Kind: domain.KindNotFound, Code: "product_not_found"},
	})
}

func TestTake(t *testing.T) {
	domaintest.Table(t, rules, []row{
		{Name: "stock and reserved drop", Given: after(t, create(10, 0), hold("b", 1), hold("a", 3)), When: take("a"),
			Then: events{product.Taken{OrderID: "a", Quantity: 3, At: t0 + 2, Balance: balance(7, 1)}}},
		{Name: "a repeat changes nothing", Given: after(t, create(10, 0), hold("a", 3), take("a")), When: take("a")},
		{Name: "the deadline does not matter any more", Given: after(t, create(10, 0), hold("a", 3)), When: product.Take{OrderID: "a", At: deadline + 1},
			Then: events{product.Taken{OrderID: "a", Quantity: 3, At: deadline + 1, Balance: balance(7, 0)}}},
		{Name: "without a hold", Given: after(t, create(10, 0)), When: take("a"), Kind: domain.KindConflict, Code: "no_hold"},
		{Name: "after the hold was returned", Given: after(t, create(10, 0), hold("a", 3), back("a", 3, false)), When: take("a"), Kind: domain.KindConflict, Code: "no_hold"},
		{Name: "after the sale was forgotten", Given: after(t, create(10, 0), hold("a", 3), take("a"), forget(30_002, "a")), When: take("a"),
			Kind: domain.KindConflict, Code: "no_hold"},
	})
}

func TestReturn(t *testing.T) {
	released := product.Released{OrderID: "a", Quantity: 3, Reason: "order cancelled", At: t0 + 3, Balance: balance(10, 0)}
	restocked := product.Restocked{OrderID: "a", Quantity: 3, Reason: "order cancelled", At: t0 + 3, Balance: balance(10, 0)}
	tombstone := product.Released{OrderID: "a", Reason: "order cancelled", At: t0 + 3, Balance: balance(10, 0)}
	holdOnly := back("a", 3, false)
	holdOnly.HoldOnly = true
	sold := after(t, create(10, 0), hold("a", 3), take("a"))
	forgotten := after(t, create(10, 0), hold("a", 3), take("a"), forget(30_002, "a"))
	domaintest.Table(t, rules, []row{
		{Name: "a hold is released", Given: after(t, create(10, 0), hold("a", 3)), When: back("a", 3, false), Then: events{released}},
		{Name: "a sale is restocked", Given: sold, When: back("a", 3, true), Then: events{restocked}},
		{Name: "a sale that the order does not know of yet is restocked", Given: sold, When: back("a", 3, false), Then: events{restocked}},
		{Name: "a repeat changes nothing", Given: after(t, create(10, 0), hold("a", 3), back("a", 3, false)), When: back("a", 3, false)},
		{Name: "a repeat after restocking changes nothing", Given: after(t, create(10, 0), hold("a", 3), take("a"), back("a", 3, true)), When: back("a", 3, true)},
		{Name: "what it asks, not how much, decides", Given: after(t, create(10, 0), hold("a", 3)), When: back("a", 99, false), Then: events{released}},
		{Name: "of what never came is remembered", Given: after(t, create(10, 0)), When: back("a", 3, false), Then: events{tombstone}},
		{Name: "of a forgotten sale is restocked", Given: forgotten, When: back("a", 3, true), Then: events{restocked}},
		{Name: "of a forgotten sale beside a late repeat of its hold: both are undone", Given: append(forgotten, after(t, create(10, 0), hold("a", 3))[1]),
			When: back("a", 3, true), Then: events{released, product.Restocked{OrderID: "a", Quantity: 3, Reason: "order cancelled", At: t0 + 3, Balance: balance(13, 0)}}},
		{Name: "of a sale when the product is deleted", Given: append(sold, product.Deleted{At: t0}), When: back("a", 3, true),
			Then: events{product.Released{OrderID: "a", Reason: "order cancelled", At: t0 + 3}}},
		{Name: "of an abandoned hold", Given: after(t, create(10, 0), hold("a", 3)), When: holdOnly, Then: events{released}},
		{Name: "of an abandoned hold that has been sold meanwhile changes nothing", Given: sold, When: holdOnly},
		{Name: "of an abandoned hold that is not there changes nothing", Given: after(t, create(10, 0)), When: holdOnly},
	})
}

func TestForget(t *testing.T) {
	history := after(t, create(10, 0), hold("held", 1), hold("sold", 1), take("sold"), hold("freed", 1), back("freed", 1, false), back("never", 1, false))
	domaintest.Table(t, rules, []row{
		{Name: "what is finished is forgotten, a hold is not", Given: history, When: forget(60_000, "held", "sold", "freed", "never", "unknown"),
			Then: events{product.Forgotten{OrderIDs: []string{"sold", "freed", "never"}, At: t0 + 60_000}}},
		{Name: "a repeat changes nothing", Given: append(history, product.Forgotten{OrderIDs: []string{"sold"}}), When: forget(60_000, "sold")},
		{Name: "what happened too lately is remembered", Given: history, When: forget(30_001, "sold", "freed")},
		{Name: "as soon as no message about it can be under way", Given: history, When: forget(30_002, "sold", "freed"),
			Then: events{product.Forgotten{OrderIDs: []string{"sold"}, At: t0 + 30_002}}},
		{Name: "nothing", Given: history, When: forget(60_000)},
		{Name: "of an order that ended with a sale only the sale is forgotten", Given: history,
			When: product.Forget{Sold: []string{"held", "sold", "freed"}, At: t0 + 60_000}, Then: events{product.Forgotten{OrderIDs: []string{"sold"}, At: t0 + 60_000}}},
		{Name: "an order that said so twice is forgotten once", Given: history,
			When: product.Forget{OrderIDs: []string{"sold", "sold"}, Sold: []string{"sold"}, At: t0 + 60_000},
			Then: events{product.Forgotten{OrderIDs: []string{"sold"}, At: t0 + 60_000}}},
	})
}

// A finished order is forgotten after a while. When it comes back in between to undo its sale, the forgetting that was
// asked for before must not let a repeat of the return restock twice.
func TestForgettingDoesNotRestockTwice(t *testing.T) {
	s := subject(t, create(10, 0), hold("a", 3), take("a"))
	undo := back("a", 3, true)
	undo.At = t0 + 29_000
	if _, err := s.Do(t, undo); err != nil {
		t.Fatal(err)
	}
	for _, command := range []product.Command{forget(31_000, "a"), undo} {
		if _, err := s.Do(t, command); err != nil {
			t.Fatal(err)
		}
	}
	if s.State.Balance != balance(10, 0) {
		t.Errorf("balance %+v, wanted the 10 that there were", s.State.Balance)
	}
}

func TestUnattendedDemands(t *testing.T) {
	s := subject(t, create(10, 0), hold("held", 1), hold("sold", 1), take("sold"), hold("freed", 1), back("freed", 1, false)).State
	for _, c := range []struct {
		now                 domain.Time
		holding, remembered string
		hold, memory        domain.Time
	}{
		{t0, "", "", deadline + 10_000, t0 + 120_002},
		{t0 + 120_001, "", "", deadline + 10_000, t0 + 120_002},
		{t0 + 120_002, "", "sold", deadline + 10_000, t0 + 120_003},
		{t0 + 120_003, "", "freed sold", deadline + 10_000, 0},
		{deadline + 9_999, "", "freed sold", deadline + 10_000, 0},
		{deadline + 10_000, "held", "freed sold", 0, 0},
	} {
		holding, remembered := s.Unattended(c.now)
		if got := sorted(holding); got != c.holding {
			t.Errorf("at %d: unattended holds %q, wanted %q", c.now-t0, got, c.holding)
		}
		if got := sorted(remembered); got != c.remembered {
			t.Errorf("at %d: unattended memories %q, wanted %q", c.now-t0, got, c.remembered)
		}
		if hold, memory := s.NextCheck(c.now); hold != c.hold || memory != c.memory {
			t.Errorf("at %d: next checks at %d and %d, wanted %d and %d", c.now-t0, hold-t0, memory-t0, c.hold-t0, c.memory-t0)
		}
	}
}
