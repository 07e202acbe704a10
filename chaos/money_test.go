package chaos

import (
	"fmt"
	"slices"
)

// account is an order's money, as the provider has it.
type account struct {
	charges           int
	charged, refunded int64
}

func (w *world) ledger() map[string]account {
	accounts, owner := map[string]account{}, map[string]string{}
	for _, c := range w.provider.Charges() {
		a := accounts[c.OrderID]
		a.charges++
		a.charged += c.Amount
		accounts[c.OrderID], owner[c.IntentID] = a, c.OrderID
	}
	for _, r := range w.provider.Refunds() {
		a := accounts[owner[r.IntentID]]
		a.refunded += r.Amount
		accounts[owner[r.IntentID]] = a
	}
	return accounts
}

// wantLedger wants one charge of the total for each confirmed order, less what was refunded by hand; nothing in the end
// for a cancelled one; nothing for anybody else.
func (a *audit) wantLedger(orders map[string]orderDocument) {
	var problems []string
	_ = until(a.ctx, "ledger", func() (bool, error) {
		problems = nil
		hopeless := false // what has been given can't be taken back
		accounts := a.world.ledger()
		for _, p := range a.purchases {
			o, has := orders[p.id], accounts[p.id]
			delete(accounts, p.id)
			switch {
			case o.Status == "confirmed" && has == account{1, o.Total, p.refunded}:
			case o.Status == "cancelled" && has.charges <= 1 && has.charged == has.refunded:
			default:
				hopeless = hopeless || has.charges > 1 || has.refunded > has.charged || o.Status == "confirmed" && has.refunded > p.refunded
				problems = append(problems, fmt.Sprintf("order %s is %s with a total of %d, of which %d were given back by hand; the provider has %+v",
					p.id, o.Status, o.Total, p.refunded, has))
			}
		}
		for id, has := range accounts {
			problems = append(problems, fmt.Sprintf("nobody has ordered %q, and the provider has %+v", id, has))
		}
		return len(problems) == 0 || hopeless, nil
	})
	slices.Sort(problems)
	for _, problem := range problems[:min(len(problems), 5)] {
		a.wrong(ruleMoney, "%s", problem)
	}
}
