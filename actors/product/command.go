package product

import "github.com/queuecommerce/queuecommerce/actors/domain"

// Command asks for a change. The host has stamped instants and ids into it; Decide reads no clock.
type Command interface{ isCommand() }

type (
	// Create puts the product into the catalogue; Entry is complete.
	Create struct{ Entry Created }
	// Update changes the entry and, if Stock is set, the stock; nil fields stay.
	Update struct {
		ID         string
		MovementID string
		Stock      *int64
		Changes    Updated
		At         domain.Time
	}
	// Delete takes it out of the catalogue.
	Delete struct {
		ID string
		At domain.Time
	}
	// Adjust changes the stock by hand.
	Adjust struct {
		MovementID, Reason string
		Delta              int64
		At                 domain.Time
	}
	// Hold reserves stock for an order until ExpiresAt at most.
	Hold struct {
		OrderID   string
		Quantity  int64
		ExpiresAt domain.Time
		At        domain.Time
	}
	// Take turns the order's hold into a sale.
	Take struct {
		OrderID string
		At      domain.Time
	}
	// Return undoes whatever the order has: a hold is released, a sale restocked.
	Return struct {
		OrderID  string
		Quantity int64
		Sold     bool // the order knows that it had taken the stock; the product may have forgotten it
		HoldOnly bool // a sale stays: whoever asks only knows that a hold is not needed any more
		Reason   string
		At       domain.Time
	}
	// Forget drops the memory of orders that will never ask again, except what is too young: an earlier message of such
	// an order may still be on its way, and the order may have come back to undo a sale.
	Forget struct {
		OrderIDs []string // settled for good: whatever became of their demands
		Sold     []string // ended with a sale, which may still be undone: forgotten only while it is a sale
		At       domain.Time
	}
	// RecordClaims reports that the claims are as the state says.
	RecordClaims struct {
		SKU string
		At  domain.Time
	}
)

func (Create) isCommand()       {}
func (Update) isCommand()       {}
func (Delete) isCommand()       {}
func (Adjust) isCommand()       {}
func (Hold) isCommand()         {}
func (Take) isCommand()         {}
func (Return) isCommand()       {}
func (Forget) isCommand()       {}
func (RecordClaims) isCommand() {}
