package chaos

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// The models say what a single copy of a product, or of an order, would answer if it did one thing after another. A
// history is linearizable if every operation can be put at one moment between its call and its answer so that the copy
// would have answered just that. Answers carry the entity's version, which grows with everything that happens to it; what
// the recorded clients did not do themselves happens between two versions.

// stockState is a product's.
type stockState struct {
	version         uint64
	stock, reserved int64
}

// stockModel is of one product. Of a private one the recorded clients do all there is to do; the stock of others is also
// moved by orders.
func stockModel(initial int64, private bool) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return stockState{stock: initial} },
		Step: func(state, input, _ any) (bool, any) {
			s, o := state.(stockState), input.(operation)
			switch {
			case o.outcome == unknown && o.deed == adjusting && private:
				if s.stock+o.delta >= s.reserved { // else it was refused
					s.version, s.stock = s.version+1, s.stock+o.delta
				}
				return true, s
			case o.outcome == refused && private:
				return s.stock+o.delta < s.reserved, s
			case o.outcome != done:
				return true, s
			}
			next := stockState{o.version, o.stock, o.reserved}
			if next.reserved < 0 || next.stock < next.reserved {
				return false, s
			}
			if o.deed == adjusting {
				return s.adjusted(o.delta, next, private), next
			}
			same := next.stock == s.stock && next.reserved == s.reserved
			return next.version > s.version && (same || !private) || next.version == s.version && same, next
		},
		DescribeOperation: func(input, _ any) string { return input.(operation).String() },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// adjusted says whether an adjustment may lead to the next state.
func (s stockState) adjusted(delta int64, next stockState, private bool) bool {
	exact := next.stock == s.stock+delta && next.reserved == s.reserved
	return next.version > s.version && (exact || !private && next.version > s.version+1)
}

// orderState is an order's; status "" says that it is not there yet.
type orderState struct {
	version uint64
	status  string
}

// follows are the statuses that may come after one, at once or later.
var follows = map[string][]string{
	"":          {"pending"},
	"pending":   {"confirmed", "cancelled"},
	"confirmed": {"cancelled"},
}

// orderModel is of one order. The saga moves it between the versions that clients see.
func orderModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return orderState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, o := state.(orderState), input.(operation)
			if o.outcome != done {
				return true, s
			}
			next := orderState{o.version, o.state}
			forward := next.status == s.status || slices.Contains(follows[s.status], next.status)
			switch {
			case o.deed == placing:
				return s.status == "" && next.status == "pending", next
			case s.status == "", o.deed == cancelling && next.status != "cancelled":
				return false, s
			}
			return next == s || next.version > s.version && forward, next
		},
		DescribeOperation: func(input, _ any) string { return input.(operation).String() },
		DescribeState:     func(state any) string { return fmt.Sprintf("%+v", state) },
	}
}

// porcupineLimit bounds the search in one history; what takes longer is told, and is no violation.
const porcupineLimit = 20 * time.Second

// checkHistories holds what the clients saw against the models: every product and every order by itself.
func (m *market) checkHistories() (violations []violation) {
	products, orders := map[string][]operation{}, map[string][]operation{}
	for _, o := range m.history.all() {
		switch {
		case o.subject == "":
		case o.deed == looking, o.deed == adjusting:
			products[o.subject] = append(products[o.subject], o)
		case o.deed == placing, o.deed == viewing, o.deed == cancelling:
			orders[o.subject] = append(orders[o.subject], o)
		}
	}
	for id, list := range products {
		violations = append(violations, linearizable("product "+id, stockModel(m.stock[id], strings.HasPrefix(id, "shelf-")), list)...)
	}
	for id, list := range orders {
		violations = append(violations, linearizable("order "+id, orderModel(), list)...)
	}
	return violations
}

// linearizable checks one history. A violation shows its smallest beginning that can't be explained.
func linearizable(what string, model porcupine.Model, list []operation) []violation {
	slices.SortFunc(list, func(a, b operation) int { return int(a.back - b.back) })
	switch porcupine.CheckOperationsTimeout(model, events(list), porcupineLimit) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return []violation{{ruleUnchecked, fmt.Sprintf("%s: %d operations, not decided within %v", what, len(list), porcupineLimit)}}
	}
	// What can't be explained can't be explained by what comes later either: the first bad answer can be searched for.
	bad := sort.Search(len(list)-1, func(n int) bool {
		return porcupine.CheckOperationsTimeout(model, events(known(list, list[n].back)), porcupineLimit) == porcupine.Illegal
	})
	return []violation{{ruleLinear, what + " is not linearizable:\n" + excerpt(list, bad)}}
}

// known is what was known at a moment: of an operation that was under way, nothing but that.
func known(list []operation, at time.Duration) (then []operation) {
	for _, o := range list {
		if o.back > at {
			o.outcome = unknown
		}
		if o.call <= at {
			then = append(then, o)
		}
	}
	return then
}

// events are the operations as the checker knows them. One whose outcome is unknown may take effect at any time.
func events(list []operation) []porcupine.Operation {
	all := make([]porcupine.Operation, len(list))
	for i, o := range list {
		all[i] = porcupine.Operation{Input: o, Call: int64(o.call), Return: int64(o.back)}
		if o.outcome == unknown {
			all[i].Return = math.MaxInt64
		}
	}
	return all
}

// excerpt shows an operation that can't be explained, and what ended shortly before it or was under way with it.
func excerpt(list []operation, bad int) string {
	const before = 12
	var text strings.Builder
	for i := max(0, bad-before); i <= bad; i++ {
		sign := "   "
		if i == bad {
			sign = "-> "
		}
		fmt.Fprintln(&text, sign+list[i].String())
	}
	return text.String()
}
