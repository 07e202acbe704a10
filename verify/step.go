package verify

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/maphash"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/storage"
)

// step is the event that is being folded, and where it stands.
type step struct {
	*audit
	Place
	identity string
	stored   *storage.Event
	inside   domain.Time // the instant that the event's own data has
	fresh    bool        // written since the run began
}

func (s *step) wrong(g Guarantee, format string, args ...any) {
	s.violate(Violation{Guarantee: g, Place: s.Place, Detail: fmt.Sprintf(format, args...)})
}

// require reports a violation here unless the condition holds.
func (s *step) require(ok bool, g Guarantee, format string, args ...any) {
	if !ok {
		s.wrong(g, format, args...)
	}
}

// same reports unless what this event repeats of an earlier one of the same stream is equal to it.
func (s *step) same(ok bool, g Guarantee, what string, earlier uint32) {
	if !ok {
		s.against(g, Place{s.Stream, uint64(earlier)}, what+" differs from what was recorded before")
	}
}

func (s *step) against(g Guarantee, other Place, detail string) {
	s.violate(Violation{Guarantee: g, Place: s.Place, Detail: detail, Against: &other})
}

func (a *audit) violate(v Violation) {
	a.report.ViolationCount++
	if len(a.report.Violations) < a.opts.Limit {
		a.report.Violations = append(a.report.Violations, v)
	}
}

func (a *audit) warn(v Violation) {
	a.report.WarningCount++
	if len(a.report.Warnings) < a.opts.Limit {
		a.report.Warnings = append(a.report.Warnings, v)
	}
}

// seq is the sequence in the form in which folds keep it.
func (s *step) seq() uint32 { return uint32(s.Sequence) }

// digest stands for a text or a list that is only ever compared, so that it need not be kept.
type digest uint64

func (a *audit) digest(text string) digest { return digest(maphash.String(a.seed, text)) }

func (a *audit) digestLines(lines []order.Line) digest {
	var h maphash.Hash
	h.SetSeed(a.seed)
	for _, l := range lines {
		writeText(&h, l.ProductID)
		writeText(&h, l.ProductName)
		maphash.WriteComparable(&h, l.Quantity)
		maphash.WriteComparable(&h, l.UnitPrice)
	}
	return digest(h.Sum64())
}

// digestQuote stands for what a product is called and costs; never 0.
func (a *audit) digestQuote(name string, price int64, currency string) digest {
	var h maphash.Hash
	h.SetSeed(a.seed)
	writeText(&h, name)
	writeText(&h, currency)
	maphash.WriteComparable(&h, price)
	return digest(h.Sum64() | 1)
}

func writeText(h *maphash.Hash, text string) {
	maphash.WriteComparable(h, len(text))
	h.WriteString(text)
}

// prefixOf is the part of an order's id that its identity does not have; 0 for an id of another system.
func prefixOf(orderID string) uint32 {
	var raw [4]byte
	if !domain.IsID(orderID) {
		return 0
	}
	hex.Decode(raw[:], []byte(orderID[:8])) //nolint:errcheck // IsID has looked
	return binary.BigEndian.Uint32(raw[:])
}

// is says whether the order's id is the one of that identity and prefix.
func is(orderID, identity string, prefix uint32) bool {
	return domain.OrderIdentity(orderID) == identity && prefixOf(orderID) == prefix
}

// currencies gives each currency a number.
type currencies struct {
	index map[string]uint16
	names []string
}

func (c *currencies) number(name string) uint16 {
	n, ok := c.index[name]
	if !ok {
		n = uint16(len(c.names))
		c.names = append(c.names, name)
		c.index[name] = n
	}
	return n
}
