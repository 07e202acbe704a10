package product_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// ledger counts pieces by what happened, without looking at the balances in the events.
type ledger struct {
	exists          bool
	stock, reserved int64
	holds           map[string]int64
}

func (l *ledger) book(e product.Event) {
	switch e := e.(type) {
	case product.Created:
		l.exists, l.stock = true, e.Stock
	case product.Adjusted:
		l.stock += e.Delta
	case product.Held:
		l.reserved += e.Quantity
		l.holds[e.OrderID] = e.Quantity
	case product.Taken:
		l.stock -= e.Quantity
		l.reserved -= e.Quantity
		delete(l.holds, e.OrderID)
	case product.Released:
		l.reserved -= e.Quantity
		delete(l.holds, e.OrderID)
	case product.Restocked:
		l.stock += e.Quantity
	case product.Deleted:
		l.exists, l.stock = false, 0
	}
}

func commands(now domain.Time) *rapid.Generator[product.Command] {
	orders := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("o", rapid.IntRange(1, 6).Draw(t, "order")) })
	small := rapid.Int64Range(1, 6)
	return rapid.Custom(func(t *rapid.T) product.Command {
		id := orders.Draw(t, "id")
		switch rapid.IntRange(0, 12).Draw(t, "command") {
		case 0:
			c := create(small.Draw(t, "stock")*2, rapid.Int64Range(0, 3).Draw(t, "threshold"))
			c.Entry.At = now
			return c
		case 1, 2, 3:
			return product.Hold{OrderID: id, Quantity: small.Draw(t, "quantity"), ExpiresAt: now + domain.Time(rapid.IntRange(-1, 60_000).Draw(t, "ttl")), At: now}
		case 4, 5:
			return product.Take{OrderID: id, At: now}
		case 6, 7:
			return product.Return{OrderID: id, Quantity: small.Draw(t, "quantity"), Sold: rapid.Bool().Draw(t, "sold"), HoldOnly: rapid.Bool().Draw(t, "hold only"), At: now}
		case 8:
			return product.Forget{OrderIDs: []string{id, orders.Draw(t, "other")}, At: now}
		case 9:
			return product.Adjust{Delta: rapid.Int64Range(-8, 8).Draw(t, "delta"), At: now}
		case 10:
			u := product.Update{ID: lampID, At: now}
			if rapid.Bool().Draw(t, "set stock") {
				u.Stock = ptr(rapid.Int64Range(0, 12).Draw(t, "stock"))
			}
			if rapid.Bool().Draw(t, "set threshold") {
				u.Changes.LowStockThreshold = ptr(rapid.Int64Range(0, 6).Draw(t, "threshold"))
			}
			if rapid.Bool().Draw(t, "set sku") {
				u.Changes.SKU = ptr(rapid.SampledFrom([]string{"SKU-1", "SKU-2", "SKU-3"}).Draw(t, "sku"))
			}
			return u
		case 11:
			return product.RecordClaims{SKU: rapid.SampledFrom([]string{"", "SKU-1", "SKU-2", "SKU-3"}).Draw(t, "settled"), At: now}
		}
		return product.Delete{ID: lampID, At: now}
	})
}

// Whatever is asked in whatever order and however often: stock never falls below what is reserved, the balances in the
// events are the sum of what happened, a repeat changes nothing, low stock is announced exactly when it becomes low, and
// a snapshot is the state.
func TestAnySequenceOfCommands(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now, books := rules.New(), t0, ledger{holds: map[string]int64{}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += domain.Time(rapid.SampledFrom([]int{0, 1, 1000, 31_000}).Draw(t, "passes"))
			command := commands(now).Draw(t, "do")
			happened, err := s.Do(t, command)
			if err != nil {
				continue
			}
			for _, e := range happened {
				books.book(e)
				if reported, ok := balanceOf(e); ok && reported != (product.Balance{Stock: books.stock, Reserved: books.reserved}) {
					t.Fatalf("%s says %+v, the ledger %+v", e.EventType(), reported, books)
				}
				if books.reserved < 0 || books.stock < books.reserved {
					t.Fatalf("oversold by %s: %+v", e.EventType(), books)
				}
			}
			check(t, &s.State, books)
			again, err := s.Do(t, command)
			if _, additive := command.(product.Adjust); !additive && err == nil && len(again) > 0 && !isUpdate(command) {
				t.Fatalf("%T twice:%s\nthen%s", command, domaintest.Show(happened), domaintest.Show(again))
			}
			for _, e := range again {
				books.book(e)
			}
			check(t, &s.State, books)
		}
	})
}

// isUpdate: an entry is written as often as it is sent.
func isUpdate(c product.Command) bool {
	_, ok := c.(product.Update)
	return ok
}

func check(t *rapid.T, s *product.State, books ledger) {
	t.Helper()
	if s.Exists != books.exists || s.Balance != (product.Balance{Stock: books.stock, Reserved: books.reserved}) {
		t.Fatalf("state %+v, ledger %+v", s.Balance, books)
	}
	var held int64
	for id, d := range s.Orders {
		if d.Standing == product.StandingHeld {
			held += d.Quantity
			if books.holds[id] != d.Quantity {
				t.Fatalf("order %s holds %d, the ledger says %d", id, d.Quantity, books.holds[id])
			}
		}
	}
	if held != s.Reserved {
		t.Fatalf("orders hold %d, reserved is %d", held, s.Reserved)
	}
	if isLow := s.Available() <= s.Entry.LowStockThreshold; s.Exists && isLow != s.Alerted {
		t.Fatalf("available %d, threshold %d, announced %v", s.Available(), s.Entry.LowStockThreshold, s.Alerted)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var restored product.State
	if err := json.Unmarshal(data, &restored); err != nil {
		t.Fatal(err)
	}
	if again := domaintest.JSON(t, restored); again != string(data) || checks(&restored) != checks(s) || restored.ClaimsSettled() != s.ClaimsSettled() {
		t.Fatalf("snapshot %s comes back as %s", data, again)
	}
}

func checks(s *product.State) [2]domain.Time {
	hold, memory := s.NextCheck(0)
	return [2]domain.Time{hold, memory}
}

func balanceOf(e product.Event) (product.Balance, bool) {
	switch e := e.(type) {
	case product.Adjusted:
		return e.Balance, true
	case product.Held:
		return e.Balance, true
	case product.Taken:
		return e.Balance, true
	case product.Released:
		return e.Balance, true
	case product.Restocked:
		return e.Balance, true
	}
	return product.Balance{}, false
}
