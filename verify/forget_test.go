package verify_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/verify"
)

// TestForgottenTwiceIsForgotten: an event that names an order twice says no more than one that names it once. It hides
// nothing else that is wrong with it.
func TestForgottenTwiceIsForgotten(t *testing.T) {
	for _, c := range []struct {
		name      string
		guarantee verify.Guarantee // empty: nothing is wrong
		forget    func(s *shop, sold, holding string) []product.Event
	}{
		{"twice in one event", "", func(_ *shop, sold, _ string) []product.Event {
			return []product.Event{product.Forgotten{OrderIDs: []string{sold, sold, sold}, At: opening}}
		}},
		{"again by another event", verify.G7, func(_ *shop, sold, _ string) []product.Event {
			return []product.Event{product.Forgotten{OrderIDs: []string{sold}, At: opening}, product.Forgotten{OrderIDs: []string{sold}, At: opening}}
		}},
		{"with one that is not known", verify.G7, func(s *shop, sold, _ string) []product.Event {
			stranger := s.newID()
			return []product.Event{product.Forgotten{OrderIDs: []string{sold, sold, stranger, stranger}, At: opening}}
		}},
		{"with one that holds", verify.G4, func(_ *shop, sold, holding string) []product.Event {
			return []product.Event{product.Forgotten{OrderIDs: []string{sold, sold, holding, holding}, At: opening}}
		}},
		{"with another of the same tail", verify.G4, func(_ *shop, sold, _ string) []product.Event {
			return []product.Event{product.Forgotten{OrderIDs: []string{sold, "0" + sold[1:]}, At: opening}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t, 5)
			s.catalogue("bolt", "BLT-1", 25, 1000, 10)
			sold, holding := s.buy(want{"bolt", 1}), s.place("card", want{"bolt", 2})
			s.reserve(holding)
			s.forceProduct("bolt", c.forget(s, s.orders[sold].OrderID(), s.orders[holding].OrderID())...)
			report, place := check(t, s.tape(), verify.Options{}), s.last("product/bolt")
			if c.guarantee == "" && report.ViolationCount > 0 {
				t.Errorf("want no violation:\n%s", report)
			}
			if c.guarantee != "" && !has(report, c.guarantee, place) {
				t.Errorf("want %s at %s:\n%s", c.guarantee, place, report)
			}
		})
	}
}
