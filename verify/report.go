package verify

import (
	"fmt"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Guarantee names what a violation breaks, as the design numbers it.
type Guarantee string

const (
	G1 Guarantee = "G1" // one writer per sequence: no gap, no overlap
	G3 Guarantee = "G3" // never oversold
	G4 Guarantee = "G4" // all lines or none, and no hold outlives its order or its deadline
	G5 Guarantee = "G5" // money moves once
	G6 Guarantee = "G6" // nothing gets stuck; in warnings only
	G7 Guarantee = "G7" // no event lost, none invented or altered
)

// Place is one event of the journal.
type Place struct {
	Stream   storage.Stream `json:"stream"`
	Sequence uint64         `json:"sequence"`
}

func (p Place) String() string { return fmt.Sprintf("%s %d", p.Stream, p.Sequence) }

// Violation says what is wrong, and where. Where two events contradict each other the journal can't tell which of them
// is right: then Against names the other one. A violation that concerns no stream has an empty Stream and Sequence 0.
type Violation struct {
	Guarantee Guarantee `json:"guarantee"`
	Place
	Detail  string `json:"detail"`
	Against *Place `json:"against,omitempty"`
}

func (v Violation) String() string {
	text := string(v.Guarantee) + "  "
	if v.Stream != "" {
		text += v.Place.String() + ": "
	}
	text += v.Detail
	if v.Against != nil {
		text += " (against " + v.Against.String() + ")"
	}
	return text
}

// Money of one currency, in minor units.
type Money struct {
	Charged        int64 `json:"charged"`
	Refunded       int64 `json:"refunded"`
	RefundsPending int64 `json:"refundsPending"` // asked for, not made yet
}

// Stock of all products together, in units.
type Stock struct {
	Initial    int64 `json:"initial"`    // as created
	Adjusted   int64 `json:"adjusted"`   // by hand, up less down
	Sold       int64 `json:"sold"`       // taken for orders
	Restocked  int64 `json:"restocked"`  // taken, and given back
	WrittenOff int64 `json:"writtenOff"` // left with a product that was deleted
	OnHand     int64 `json:"onHand"`
	Reserved   int64 `json:"reserved"` // of what is on hand
}

// Writer is one member's part of the journal.
type Writer struct {
	Writer  string `json:"writer"`
	Entries int64  `json:"entries"`
	Highest uint64 `json:"highest"` // the last number that it used
	// Missing is how many numbers up to Highest have no entry. An append that lost against another one leaves such a
	// gap; so does an entry that somebody removed.
	Missing   uint64 `json:"missing"`
	Enlisted  bool   `json:"enlisted"`
	Relayed   uint64 `json:"relayed"`
	Projected uint64 `json:"projected"`
}

// Report is the outcome of a run.
type Report struct {
	Now          time.Time        `json:"now"` // as the caller says; else what the members' clocks said last
	Streams      map[string]int64 `json:"streams"`
	Entries      int64            `json:"entries"`
	Events       int64            `json:"events"`
	Fresh        int64            `json:"fresh"`        // orders that were written to since the run began: not compared with what else was read
	Orders       map[string]int64 `json:"orders"`       // by status
	Reservations map[string]int64 `json:"reservations"` // for orders of other systems, by status
	Payments     map[string]int64 `json:"payments"`     // by status
	Open         int64            `json:"open"`         // orders and reservations that still have something to do
	Stock        Stock            `json:"stock"`
	Money        map[string]Money `json:"money"` // by currency
	Writers      []Writer         `json:"writers"`

	// Violations and Warnings hold the first ones, the counts all of them.
	ViolationCount int         `json:"violationCount"`
	Violations     []Violation `json:"violations"`
	WarningCount   int         `json:"warningCount"`
	// Warnings are what a person should look at although no guarantee is broken by it.
	Warnings []Violation `json:"warnings"`
}

func newReport() Report {
	return Report{Streams: map[string]int64{}, Orders: map[string]int64{}, Reservations: map[string]int64{},
		Payments: map[string]int64{}, Money: map[string]Money{}, Writers: []Writer{}, Violations: []Violation{}, Warnings: []Violation{}}
}

// OK says that no guarantee is violated.
func (r Report) OK() bool { return r.ViolationCount == 0 }
