package product

import "github.com/queuecommerce/queuecommerce/actors/domain"

// What a product still has to do is a function of its state: settle the claims on its unique values, and look after
// demands that their orders seem to have abandoned.

// ClaimsSettled says whether the claims for sku and _id are as the entry needs them.
func (s *State) ClaimsSettled() bool {
	if !s.Exists {
		return s.ClaimedSKU == "" && s.ClaimedID == ""
	}
	return s.ClaimedSKU == s.Entry.SKU && s.ClaimedID == s.Entry.ID
}

// An order gives a hold back by itself at its deadline, and forgets a finished demand soon after. After these graces, in
// milliseconds, it is asked.
const (
	holdGrace   = 10_000
	memoryGrace = 120_000
)

// ForgetGrace is how long a standing is remembered at least, in milliseconds: longer than an older command of the order
// can still be on its way, from whichever member. Decision 4 adds up what it is made of.
const ForgetGrace = 30_000

// CheckAt is when the order should have settled its demand.
func (d Demand) CheckAt() domain.Time {
	if d.Standing == StandingHeld {
		return d.ExpiresAt + holdGrace
	}
	return d.Since + memoryGrace
}

// Unattended returns the orders whose demand should have been settled by now: those that hold stock, and those that are
// only remembered.
func (s *State) Unattended(now domain.Time) (holding, remembered []string) {
	for id, d := range s.Orders {
		switch {
		case d.CheckAt() > now:
		case d.Standing == StandingHeld:
			holding = append(holding, id)
		default:
			remembered = append(remembered, id)
		}
	}
	return holding, remembered
}

// NextCheck is the first instant after now at which a hold should be settled, and at which what is remembered should be;
// zero: there is none.
func (s *State) NextCheck(now domain.Time) (hold, memory domain.Time) {
	for _, d := range s.Orders {
		at, next := d.CheckAt(), &memory
		if d.Standing == StandingHeld {
			next = &hold
		}
		if at > now && (*next == 0 || at < *next) {
			*next = at
		}
	}
	return hold, memory
}
