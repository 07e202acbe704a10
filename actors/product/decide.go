package product

import (
	"fmt"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// MaxStock keeps every sum of quantities far inside int64.
const MaxStock = 1_000_000_000_000

// Decide returns what happens when the state is asked for the command: events; none, if it is so already; or a refusal
// (*domain.Error), and then nothing happens. It neither changes the state nor looks at anything else.
func Decide(s *State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Create:
		return decideCreate(s, c)
	case Update:
		return decideUpdate(s, c)
	case Delete:
		return decideDelete(s, c)
	case Adjust:
		return decideAdjust(s, c)
	case Hold:
		return decideHold(s, c)
	case Take:
		return decideTake(s, c)
	case Return:
		return decideReturn(s, c)
	case Forget:
		return decideForget(s, c)
	case RecordClaims:
		return decideClaims(s, c)
	}
	return nil, fmt.Errorf("product: unknown command %T", command)
}

func decideCreate(s *State, c Create) ([]Event, error) {
	if s.Exists {
		return nil, domain.Errorf(domain.KindConflict, "duplicate_product_id", "there is a product %q already", c.Entry.ProductID)
	}
	if !s.ClaimsSettled() {
		return nil, domain.Errorf(domain.KindUnavailable, "product_being_deleted", "product %q is still being deleted", c.Entry.ProductID)
	}
	if c.Entry.Stock < 0 || c.Entry.Stock > MaxStock {
		return nil, stockOutOfRange()
	}
	return withAlert(s, c.Entry.At, c.Entry), nil
}

func stockOutOfRange() error {
	return domain.Errorf(domain.KindInvalid, "stock_out_of_range", "stockQuantity must be between 0 and %d", int64(MaxStock))
}

// withAlert adds the announcement of low stock when the event lets available fall to the threshold.
func withAlert(s *State, at domain.Time, event Event) []Event {
	next := *s
	next.Orders = nil // not looked at, and not ours to change
	next.Evolve(event)
	if next.Alerted || next.Available() > next.Entry.LowStockThreshold {
		return []Event{event}
	}
	return []Event{event, LowStock{ProductID: next.Entry.ProductID, ProductName: next.Entry.Name,
		Available: next.Available(), Threshold: next.Entry.LowStockThreshold, At: at}}
}

func decideUpdate(s *State, c Update) ([]Event, error) {
	if err := s.Visible(c.ID); err != nil {
		return nil, err
	}
	if sku := c.Changes.SKU; sku != nil && *sku != s.Entry.SKU && !s.ClaimsSettled() {
		// A settling that was cut short may have claimed a value that nobody would know of after the next change.
		return nil, domain.Errorf(domain.KindUnavailable, "sku_being_changed", "the last sku of product %q is still being claimed", s.Entry.ProductID)
	}
	var events []Event
	next := *s
	next.Orders = nil
	if c.Changes != (Updated{}) {
		c.Changes.At = c.At
		events = append(events, c.Changes)
		next.Evolve(c.Changes)
	}
	if c.Stock != nil && *c.Stock != s.Stock {
		if *c.Stock < 0 || *c.Stock > MaxStock {
			return nil, stockOutOfRange()
		}
		moved, err := adjusted(&next, Adjust{MovementID: c.MovementID, Delta: *c.Stock - s.Stock, Reason: "stock set", At: c.At})
		if err != nil {
			return nil, err
		}
		return append(events, moved...), nil
	}
	if len(events) > 0 && !next.Alerted && next.Available() <= next.Entry.LowStockThreshold {
		return withAlert(s, c.At, c.Changes), nil
	}
	return events, nil
}

func decideDelete(s *State, c Delete) ([]Event, error) {
	if err := s.Visible(c.ID); err != nil {
		return nil, err
	}
	if s.Reserved > 0 {
		return nil, domain.Errorf(domain.KindConflict, "reservations_open", "product %q has %d reserved", s.Entry.ProductID, s.Reserved)
	}
	return []Event{Deleted{At: c.At}}, nil
}

func decideAdjust(s *State, c Adjust) ([]Event, error) {
	if err := s.Visible(""); err != nil {
		return nil, err
	}
	return adjusted(s, c)
}

func adjusted(s *State, c Adjust) ([]Event, error) {
	if c.Delta > MaxStock || c.Delta < -MaxStock || s.Stock+c.Delta > MaxStock {
		return nil, stockOutOfRange()
	}
	if s.Stock+c.Delta < s.Reserved {
		return nil, domain.Errorf(domain.KindConflict, "stock_below_reserved", "stock can't go below the %d reserved", s.Reserved)
	}
	return withAlert(s, c.At, Adjusted{ID: c.MovementID, Delta: c.Delta, Reason: c.Reason, At: c.At,
		Balance: Balance{Stock: s.Stock + c.Delta, Reserved: s.Reserved}}), nil
}

// decideClaims passes over a report that is not about what the entry needs now.
func decideClaims(s *State, c RecordClaims) ([]Event, error) {
	needed := ""
	if s.Exists {
		needed = s.Entry.SKU
	}
	if c.SKU != needed || s.ClaimsSettled() {
		return nil, nil
	}
	return []Event{ClaimsSettled{SKU: c.SKU, At: c.At}}, nil
}

func decideHold(s *State, c Hold) ([]Event, error) {
	if d, ok := s.Orders[c.OrderID]; ok {
		if d.Standing == StandingReturned {
			return nil, domain.Errorf(domain.KindConflict, "demand_returned", "order %s has given its stock back", c.OrderID)
		}
		return nil, nil
	}
	if err := s.Visible(""); err != nil {
		return nil, err
	}
	if c.Quantity < 1 {
		return nil, domain.Errorf(domain.KindInvalid, "quantity_out_of_range", "a hold of %d", c.Quantity)
	}
	if c.At >= c.ExpiresAt {
		return nil, domain.Errorf(domain.KindConflict, "reservation_expired", "the reservation of order %s has expired", c.OrderID)
	}
	if c.Quantity > s.Available() {
		return nil, domain.Errorf(domain.KindConflict, "insufficient_stock", "%d of %q asked, %d available", c.Quantity, s.Entry.ProductID, s.Available())
	}
	return withAlert(s, c.At, Held{OrderID: c.OrderID, Quantity: c.Quantity, ExpiresAt: c.ExpiresAt, At: c.At,
		Balance: Balance{Stock: s.Stock, Reserved: s.Reserved + c.Quantity}}), nil
}

func decideTake(s *State, c Take) ([]Event, error) {
	d, ok := s.Orders[c.OrderID]
	if !ok || d.Standing == StandingReturned {
		return nil, domain.Errorf(domain.KindConflict, "no_hold", "order %s holds nothing", c.OrderID)
	}
	if d.Standing == StandingTaken {
		return nil, nil
	}
	return []Event{Taken{OrderID: c.OrderID, Quantity: d.Quantity, At: c.At,
		Balance: Balance{Stock: s.Stock - d.Quantity, Reserved: s.Reserved - d.Quantity}}}, nil
}

func decideReturn(s *State, c Return) ([]Event, error) {
	d, ok := s.Orders[c.OrderID]
	switch {
	case ok && d.Standing == StandingReturned:
		return nil, nil
	case ok && d.Standing == StandingHeld:
		return s.released(c, d), nil
	case c.HoldOnly:
		return nil, nil
	case ok && d.Standing == StandingTaken:
		return s.restocked(c, d.Quantity), nil
	case c.Sold:
		return s.restocked(c, c.Quantity), nil
	}
	// The hold may still be on its way: remember that it must be refused.
	return []Event{Released{OrderID: c.OrderID, Reason: c.Reason, At: c.At, Balance: s.Balance}}, nil
}

// released gives a hold back. Where the order had also taken the stock, the product had forgotten that, and the hold is a
// late repeat of the one that was sold: both are undone.
func (s *State) released(c Return, d Demand) []Event {
	freed := Released{OrderID: c.OrderID, Quantity: d.Quantity, Reason: c.Reason, At: c.At,
		Balance: Balance{Stock: s.Stock, Reserved: s.Reserved - d.Quantity}}
	if !c.Sold {
		return []Event{freed}
	}
	next := *s
	next.Orders = nil
	next.Evolve(freed)
	return append([]Event{freed}, next.restocked(c, c.Quantity)...)
}

// restocked puts a sale back, unless the product was deleted meanwhile: then there is no shelf to put it on.
func (s *State) restocked(c Return, quantity int64) []Event {
	if !s.Exists {
		return []Event{Released{OrderID: c.OrderID, Reason: c.Reason, At: c.At, Balance: s.Balance}}
	}
	return []Event{Restocked{OrderID: c.OrderID, Quantity: quantity, Reason: c.Reason, At: c.At,
		Balance: Balance{Stock: s.Stock + quantity, Reserved: s.Reserved}}}
}

func decideForget(s *State, c Forget) ([]Event, error) {
	known := make([]string, 0, len(c.OrderIDs)+len(c.Sold))
	seen := make(map[string]bool, cap(known))
	add := func(id string, over func(Standing) bool) {
		if d, ok := s.Orders[id]; ok && !seen[id] && over(d.Standing) && c.At >= d.Since+ForgetGrace {
			known, seen[id] = append(known, id), true
		}
	}
	for _, id := range c.OrderIDs {
		add(id, func(standing Standing) bool { return standing != StandingHeld })
	}
	for _, id := range c.Sold {
		add(id, func(standing Standing) bool { return standing == StandingTaken })
	}
	if len(known) == 0 {
		return nil, nil
	}
	return []Event{Forgotten{OrderIDs: known, At: c.At}}, nil
}
