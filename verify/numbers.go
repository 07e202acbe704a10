package verify

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/queuecommerce/queuecommerce/storage"
)

// numbers are those that one writer has used, as pages of bits: they are dense, and come in no order.
type numbers struct {
	pages   map[uint64]*[pageWords]uint64
	entries int64
	highest uint64
}

const pageWords = 128

// number checks that the writer has not used the entry's number before.
func (a *audit) number(e *storage.Entry) {
	s := step{audit: a, Place: Place{e.Stream, e.First}}
	if e.Number == 0 || e.Writer == "" {
		s.wrong(G1, "an entry without a writer, or without its number")
		return
	}
	w := a.writers[e.Writer]
	if w == nil {
		w = &numbers{pages: map[uint64]*[pageWords]uint64{}}
		a.writers[strings.Clone(e.Writer)] = w
	}
	w.entries++
	w.highest = max(w.highest, e.Number)
	if !w.mark(e.Number) {
		s.wrong(G1, "writer %s has used number %d for another entry", e.Writer, e.Number)
	}
}

// mark says whether the number is new.
func (w *numbers) mark(number uint64) bool {
	const pageBits = pageWords * 64
	page := w.pages[number/pageBits]
	if page == nil {
		page = new([pageWords]uint64)
		w.pages[number/pageBits] = page
	}
	word, bit := number%pageBits/64, uint64(1)<<(number%64)
	if page[word]&bit != 0 {
		return false
	}
	page[word] |= bit
	return true
}

func (w *numbers) distinct() uint64 {
	var n int
	for _, page := range w.pages {
		for _, word := range page {
			n += bits.OnesCount64(word)
		}
	}
	return uint64(n)
}

// concludeWriters reports every writer, and compares its marks with what there is.
func (a *audit) concludeWriters(marks []storage.Marks) {
	reports := map[string]Writer{}
	for name, w := range a.writers {
		reports[name] = Writer{Writer: name, Entries: w.entries, Highest: w.highest, Missing: w.highest - w.distinct()}
	}
	for _, m := range marks {
		w := reports[m.Writer]
		w.Writer, w.Enlisted, w.Relayed, w.Projected = m.Writer, true, m.Relayed, m.Projected
		reports[m.Writer] = w
		if m.Relayed > w.Highest {
			a.violate(Violation{Guarantee: G7, Detail: "writer " + m.Writer + ": entries were published that the journal does not have: " +
				"the relayed mark is beyond the last entry"})
		}
	}
	for _, w := range reports {
		a.report.Writers = append(a.report.Writers, w)
	}
	slices.SortFunc(a.report.Writers, func(x, y Writer) int { return strings.Compare(x.Writer, y.Writer) })
}
