package order

import (
	"time"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Command asks for a change. The host has stamped instants and ids into it; Decide reads no clock.
type Command interface{ isCommand() }

// Policy is what the shop has configured.
type Policy struct {
	TaxPPM         int64         // tax rate in parts per million, 100_000 is 10 %
	ShippingFlat   int64         // minor units per order
	Currency       string        // lower case ISO 4217, used where a buyer names none
	ReservationTTL time.Duration // lifetime of a reservation
}

// Demand is a line as the buyer sent it, beside what the catalogue says.
type Demand struct {
	ProductID string
	Quantity  int64
	Offered   *int64 // unit price that the buyer saw, nil: none sent
	Known     bool   // the catalogue knows the product; the fields below are its answer
	Name      string
	Price     int64
	Currency  string
	Active    bool
}

type (
	// Place starts an order.
	Place struct {
		ID, Number, ReservationDocID, ReservationID string
		Customer                                    Customer
		Demands                                     []Demand
		ShippingAddress                             Address
		PaymentMethod, Currency, Notes              string
		Policy                                      Policy
		At                                          domain.Time
	}
	// Amend changes status, notes or address by hand; nil fields stay.
	Amend struct {
		ID              string
		Status          *string
		Notes           *string
		ShippingAddress *Address
		At              domain.Time
	}
	// Cancel ends an order that has not been shipped.
	Cancel struct {
		ID, Reason string
		At         domain.Time
	}
	// Hide takes a cancelled order out of sight.
	Hide struct {
		ID string
		At domain.Time
	}
	// Reserve opens a reservation for another system's order.
	Reserve struct {
		OrderID, CustomerID, ReservationDocID, ReservationID string
		Lines                                                []Line
		TTL                                                  time.Duration
		At                                                   domain.Time
	}
	// Release gives a reservation back by hand.
	Release struct {
		OrderID, Reason string
		At              domain.Time
	}
	// ConfirmReservation turns a reservation into a sale by hand.
	ConfirmReservation struct {
		OrderID string
		At      domain.Time
	}

	// RecordReserved reports that every line is held.
	RecordReserved struct{ At domain.Time }
	// RecordShortage reports that a line could not be held. Undo: some line is, or may be, held.
	RecordShortage struct {
		Shortages []Shortage
		Undo      bool
		At        domain.Time
	}
	// RecordDeclined reports that the money will not come.
	RecordDeclined struct {
		Message string
		At      domain.Time
	}
	// RecordPaid reports that the money is here and every line taken.
	RecordPaid struct{ At domain.Time }
	// RecordTaken reports that every line is taken.
	RecordTaken struct{ At domain.Time }
	// RecordUndone reports that stock and money are given back, or durably on their way.
	RecordUndone struct{ At domain.Time }
	// Tick reports that time has passed.
	Tick struct{ At domain.Time }
)

func (Place) isCommand()              {}
func (Amend) isCommand()              {}
func (Cancel) isCommand()             {}
func (Hide) isCommand()               {}
func (Reserve) isCommand()            {}
func (Release) isCommand()            {}
func (ConfirmReservation) isCommand() {}
func (RecordReserved) isCommand()     {}
func (RecordShortage) isCommand()     {}
func (RecordDeclined) isCommand()     {}
func (RecordPaid) isCommand()         {}
func (RecordTaken) isCommand()        {}
func (RecordUndone) isCommand()       {}
func (Tick) isCommand()               {}
