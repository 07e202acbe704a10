package product_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

func sorted(ids []string) string {
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func update(change func(*product.Update)) product.Update {
	u := product.Update{ID: lampID, MovementID: "m", At: t0 + 5}
	change(&u)
	return u
}

func stock(n int64) product.Update {
	return update(func(u *product.Update) { u.Stock = &n })
}

func sku(text string) product.Update {
	return update(func(u *product.Update) { u.Changes.SKU = &text })
}

func threshold(n int64) product.Update {
	return update(func(u *product.Update) { u.Changes.LowStockThreshold = &n })
}

func gone() product.Delete { return product.Delete{ID: lampID, At: t0 + 6} }

func TestCreate(t *testing.T) {
	domaintest.Table(t, rules, []row{
		{Name: "a product", When: create(11, 10), Then: events{entry(11, 10)}},
		{Name: "with little stock is announced at once", When: create(10, 10), Then: events{entry(10, 10), low(10, 10, t0)}},
		{Name: "with threshold 0", When: create(1, 0), Then: events{entry(1, 0)}},
		{Name: "twice", Given: after(t, create(11, 10)), When: create(5, 1), Kind: domain.KindConflict, Code: "duplicate_product_id"},
		{Name: "again, while its claims are still given up", Given: after(t, create(11, 10), settled("SKU-1"), gone()), When: create(5, 1),
			Kind: domain.KindUnavailable, Code: "product_being_deleted"},
		{Name: "again, after it was deleted", Given: after(t, create(11, 10), settled("SKU-1"), gone(), settled("")), When: create(5, 1), Then: events{entry(5, 1)}},
		{Name: "negative stock", When: create(-1, 0), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "stock beyond reason", When: create(product.MaxStock+1, 0), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
	})
}

func TestUpdate(t *testing.T) {
	renamed := product.Updated{Name: ptr("Lamp"), Active: ptr(false), At: t0 + 5}
	set := func(delta, stock, reserved int64) product.Adjusted {
		return product.Adjusted{ID: "m", Delta: delta, Reason: "stock set", At: t0 + 5, Balance: balance(stock, reserved)}
	}
	both := update(func(u *product.Update) {
		u.Changes.Name, u.Changes.Active, u.Stock = ptr("Lamp"), ptr(false), ptr(int64(7))
	})
	domaintest.Table(t, rules, []row{
		{Name: "entry and stock", Given: after(t, create(20, 0)), When: both, Then: events{renamed, set(-13, 7, 0)}},
		{Name: "stock down to what is reserved", Given: after(t, create(20, 0), hold("a", 4)), When: stock(4), Then: events{set(-16, 4, 4), low(0, 0, t0+5)}},
		{Name: "stock below what is reserved", Given: after(t, create(20, 0), hold("a", 4)), When: stock(3), Kind: domain.KindConflict, Code: "stock_below_reserved"},
		{Name: "a refused stock takes the entry down with it", Given: after(t, create(20, 0), hold("a", 8)), When: both, Kind: domain.KindConflict, Code: "stock_below_reserved"},
		{Name: "stock that is so already", Given: after(t, create(20, 0)), When: stock(20)},
		{Name: "nothing", Given: after(t, create(20, 0)), When: update(func(*product.Update) {})},
		{Name: "negative stock", Given: after(t, create(20, 0)), When: stock(-1), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "stock beyond reason", Given: after(t, create(20, 0)), When: stock(product.MaxStock + 1), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "a product that is not there", When: stock(3), Kind: domain.KindNotFound, Code: "product_not_found"},
		{Name: "another product of the same name", Given: after(t, create(20, 0)), When: product.Update{ID: "0000000b0011223344556677", Stock: ptr(int64(3)), At: t0},
			Kind: domain.KindNotFound, Code: "product_not_found"},
		{Name: "a deleted product", Given: after(t, create(20, 0), gone()), When: stock(3), Kind: domain.KindNotFound, Code: "product_not_found"},
	})
}

func TestAdjust(t *testing.T) {
	domaintest.Table(t, rules, []row{
		{Name: "up", Given: after(t, create(20, 0), hold("a", 4)), When: adjust(5),
			Then: events{product.Adjusted{ID: "m", Delta: 5, Reason: "count", At: t0 + 4, Balance: balance(25, 4)}}},
		{Name: "down to what is reserved", Given: after(t, create(20, 0), hold("a", 4)), When: adjust(-16),
			Then: events{product.Adjusted{ID: "m", Delta: -16, Reason: "count", At: t0 + 4, Balance: balance(4, 4)}, low(0, 0, t0+4)}},
		{Name: "below what is reserved", Given: after(t, create(20, 0), hold("a", 4)), When: adjust(-17), Kind: domain.KindConflict, Code: "stock_below_reserved"},
		{Name: "below nothing", Given: after(t, create(20, 0)), When: adjust(-21), Kind: domain.KindConflict, Code: "stock_below_reserved"},
		{Name: "beyond reason", Given: after(t, create(20, 0)), When: adjust(product.MaxStock), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "up without overflow", Given: after(t, create(20, 0)), When: adjust(1<<63 - 1), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "down without overflow", Given: after(t, create(20, 0)), When: adjust(-1 << 63), Kind: domain.KindInvalid, Code: "stock_out_of_range"},
		{Name: "a product that is not there", When: adjust(1), Kind: domain.KindNotFound, Code: "product_not_found"},
	})
}

func TestDelete(t *testing.T) {
	domaintest.Table(t, rules, []row{
		{Name: "with all its stock", Given: after(t, create(20, 0)), When: gone(), Then: events{product.Deleted{At: t0 + 6}}},
		{Name: "while a reservation is open", Given: after(t, create(20, 0), hold("a", 1)), When: gone(), Kind: domain.KindConflict, Code: "reservations_open"},
		{Name: "after the sale, which is remembered", Given: after(t, create(20, 0), hold("a", 1), take("a")), When: gone(), Then: events{product.Deleted{At: t0 + 6}}},
		{Name: "twice", Given: after(t, create(20, 0), gone()), When: gone(), Kind: domain.KindNotFound, Code: "product_not_found"},
		{Name: "another product of the same name", Given: after(t, create(20, 0)), When: product.Delete{ID: "0000000b0011223344556677", At: t0},
			Kind: domain.KindNotFound, Code: "product_not_found"},
	})
	s := subject(t, create(20, 0), hold("a", 1), take("a"), settled("SKU-1"), gone(), settled(""), create(5, 0))
	if s.State.Balance != balance(5, 0) {
		t.Errorf("made again: balance %+v, wanted its own 5", s.State.Balance)
	}
	if _, err := s.Do(t, hold("a", 1)); err != nil || s.State.Reserved != 0 {
		t.Errorf("a repeated hold of an order that was served before: %v, reserved %d", err, s.State.Reserved)
	}
}

func TestLowStockIsAnnouncedOnce(t *testing.T) {
	s := subject(t, create(20, 5))
	for _, step := range []struct {
		name    string
		command product.Command
		alerts  int
	}{
		{"above the threshold", hold("a", 14), 0},
		{"down to the threshold", hold("b", 1), 1},
		{"further down", hold("c", 2), 0},
		{"a sale does not change what is available", take("b"), 0},
		{"up to the threshold is not above it", back("c", 2, false), 0},
		{"down again from the threshold", hold("d", 1), 0},
		{"above the threshold again", adjust(2), 0},
		{"and down: announced again", adjust(-1), 1},
		{"the threshold rises, the announcement stands", threshold(6), 0},
		{"the threshold falls below what is available", threshold(4), 0},
		{"and what is available falls to it", stock(15 + 3), 1},
		{"a restocked sale, up to the threshold", back("b", 1, true), 0},
		{"above it", adjust(1), 0},
		{"a threshold above what is available", threshold(50), 1},
	} {
		happened, err := s.Do(t, step.command)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		alerts := 0
		for _, e := range happened {
			if alert, ok := e.(product.LowStock); ok {
				alerts++
				if alert.Available != s.State.Available() || alert.Threshold != s.State.Entry.LowStockThreshold {
					t.Errorf("%s: announced %+v at %d", step.name, alert, s.State.Available())
				}
			}
		}
		if alerts != step.alerts {
			t.Errorf("%s: announced %d times, wanted %d (available %d)", step.name, alerts, step.alerts, s.State.Available())
		}
	}
}

func TestClaims(t *testing.T) {
	settled1 := product.ClaimsSettled{SKU: "SKU-1", At: t0}
	domaintest.Table(t, rules, []row{
		{Name: "settled", Given: after(t, create(20, 0)), When: settled("SKU-1"), Then: events{settled1}},
		{Name: "settled again", Given: after(t, create(20, 0), settled("SKU-1")), When: settled("SKU-1")},
		{Name: "a report about another sku", Given: after(t, create(20, 0)), When: settled("SKU-0")},
		{Name: "a late report about the sku before", Given: after(t, create(20, 0), settled("SKU-1"), sku("SKU-2"), settled("SKU-2")), When: settled("SKU-1")},
		{Name: "another sku", Given: after(t, create(20, 0), settled("SKU-1")), When: sku("SKU-2"), Then: events{product.Updated{SKU: ptr("SKU-2"), At: t0 + 5}}},
		{Name: "another sku before the last one is settled: it might stay claimed for ever", Given: after(t, create(20, 0), settled("SKU-1"), sku("SKU-2")),
			When: sku("SKU-3"), Kind: domain.KindUnavailable, Code: "sku_being_changed"},
		{Name: "the same sku while it is being settled", Given: after(t, create(20, 0)), When: sku("SKU-1"), Then: events{product.Updated{SKU: ptr("SKU-1"), At: t0 + 5}}},
		{Name: "given up", Given: after(t, create(20, 0), settled("SKU-1"), gone()), When: settled(""), Then: events{product.ClaimsSettled{At: t0}}},
		{Name: "a late report that they were made, after deletion", Given: after(t, create(20, 0), gone()), When: settled("SKU-1")},
	})
	for name, c := range map[string]struct {
		commands []product.Command
		settled  bool
	}{
		"nothing":                       {nil, true},
		"created":                       {[]product.Command{create(20, 0)}, false},
		"created and settled":           {[]product.Command{create(20, 0), settled("SKU-1")}, true},
		"another sku":                   {[]product.Command{create(20, 0), settled("SKU-1"), sku("SKU-2")}, false},
		"another sku settled":           {[]product.Command{create(20, 0), settled("SKU-1"), sku("SKU-2"), settled("SKU-2")}, true},
		"deleted":                       {[]product.Command{create(20, 0), settled("SKU-1"), gone()}, false},
		"deleted before it was settled": {[]product.Command{create(20, 0), gone()}, false},
		"deleted and settled":           {[]product.Command{create(20, 0), gone(), settled("")}, true},
	} {
		if got := subject(t, c.commands...).State; got.ClaimsSettled() != c.settled {
			t.Errorf("%s: settled is %v (claimed %q and %q)", name, !c.settled, got.ClaimedSKU, got.ClaimedID)
		}
	}
	// Both skus of a change that was never settled have to be given up.
	s := subject(t, create(20, 0), settled("SKU-1"), sku("SKU-2"), gone()).State
	if s.ClaimedSKU != "SKU-1" || s.Entry.SKU != "SKU-2" || s.ClaimedID != lampID {
		t.Errorf("deleted while its sku was being changed: claimed %q and %q, entry %q", s.ClaimedSKU, s.ClaimedID, s.Entry.SKU)
	}
}

func TestUnknownCommand(t *testing.T) {
	if _, err := product.Decide(&product.State{}, nil); err == nil {
		t.Error("no command is decided on")
	}
}
