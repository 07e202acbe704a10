// Package order holds the rules of an order and its reservation, as plain functions: Decide says what happens, Evolve
// what that makes of the state, Due what the order still has to do. The order is the saga's process manager: it alone
// decides what becomes of its holds and its payment. An order of another system that only reserves stock here is the
// same entity without the sale.
package order

import (
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// Status of the order as buyers see it.
type Status string

const (
	StatusPending    Status = "pending"
	StatusConfirmed  Status = "confirmed"
	StatusProcessing Status = "processing"
	StatusShipped    Status = "shipped"
	StatusDelivered  Status = "delivered"
	StatusCancelled  Status = "cancelled"
)

// Statuses are all of them, in the order of an order's life.
var statuses = []Status{StatusPending, StatusConfirmed, StatusProcessing, StatusShipped, StatusDelivered, StatusCancelled}

// ParseStatus returns the status with that name.
func ParseStatus(text string) (Status, bool) {
	for _, s := range statuses {
		if string(s) == text {
			return s, true
		}
	}
	return "", false
}

// ReservationStatus of the order's one reservation.
type ReservationStatus string

const (
	ReservationNone    ReservationStatus = ""
	ReservationPending ReservationStatus = "pending"
	ReservationSold    ReservationStatus = "confirmed"
	ReservationFreed   ReservationStatus = "released"
	ReservationLapsed  ReservationStatus = "expired"
)

// Phase says what the order is working on.
type Phase string

const (
	PhaseNone       Phase = ""           // nothing to do
	PhaseReserving  Phase = "reserving"  // holding its lines, one product after another
	PhaseHolding    Phase = "holding"    // another system's reservation: waits for confirm, release or its deadline
	PhasePaying     Phase = "paying"     // waits for the money, then takes the stock
	PhaseConfirming Phase = "confirming" // taking the stock because somebody confirmed the reservation by hand
	PhaseUndoing    Phase = "undoing"    // giving back stock and money
)

// Customer who buys.
type Customer struct {
	CustomerID string `json:"customerId"`
	Email      string `json:"email"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	Phone      string `json:"phone,omitempty"`
}

// Address to ship to.
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"country"`
}

// Item is a line as the buyer ordered it, priced by the catalogue. Minor units.
type Item struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice"`
	TotalPrice  int64  `json:"totalPrice"`
}

// Line is the whole demand for one product: an order's items of that product, summed. Lines are sorted by product.
type Line struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice"`
}

// Shortage names a line that could not be held.
type Shortage struct {
	ProductID         string `json:"productId"`
	ProductName       string `json:"productName"`
	RequestedQuantity int64  `json:"requestedQuantity"`
	AvailableQuantity int64  `json:"availableQuantity"`
}

// State of the entity: the order (when it was placed here) and its reservation.
type State struct {
	Version uint64 // count of events so far

	// the order
	Placed        Placed // as placed; Notes and ShippingAddress as amended since
	Status        Status // empty: no order was placed here
	FailureReason string
	CancelReason  string
	Hidden        bool
	UpdatedAt     domain.Time

	// the reservation
	Reservation       ReservationRequested
	ReservationStatus ReservationStatus
	StatusReason      string
	ReservationSince  domain.Time // when the lines were held
	ReservationAt     domain.Time // when the reservation last changed

	// the saga
	Phase            Phase
	PaymentRequested *PaymentRequested
	Expired          bool // the deadline ended it
	UndoReason       string
}

// Exists says whether there is anything at all: an order or a reservation.
func (s *State) Exists() bool { return s.Version > 0 }

// OrderID is the id of the order, here or in another system.
func (s *State) OrderID() string {
	if s.Status != "" {
		return s.Placed.ID
	}
	return s.Reservation.OrderID
}

// Sold says whether the stock has left the shelves for this order.
func (s *State) Sold() bool { return s.ReservationStatus == ReservationSold }

// Holds says whether products must keep what they hold or took for this order, because it may still act on it.
func (s *State) Holds() bool { return s.Phase != PhaseNone }

// HoldsAt is Holds for a product that is about to forget the order: an order that has just ended may have an activation
// elsewhere that does not know yet, and repeats a step of its.
func (s *State) HoldsAt(now domain.Time) bool { return s.Holds() || !Forgettable(s.UpdatedAt, now) }

// Forgettable says whether products may forget an order that has nothing to do since then.
func Forgettable(since, now domain.Time) bool { return now >= since+endGrace }

// endGrace is longer than a member that has lost an entity goes on with it and its messages are under way, in
// milliseconds: decision 4.
const endGrace = 30_000

// chargedAtOnce says whether a payment method is a Stripe payment method, which is charged without asking again.
func chargedAtOnce(method string) bool { return strings.HasPrefix(method, "pm_") }
