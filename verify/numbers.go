package verify

import (
	"iter"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// numbers are those that one writer has used, as pages of bits, with what its clock said: they are dense, and come in no
// order.
type numbers struct {
	pages   map[uint64]*page
	entries int64
	highest uint64
	latest  domain.Time // what the clock said with the highest
}

const pageWords = 128

type page struct {
	used  [pageWords]uint64
	clock [pageWords]*[64]second // 0: not known, or of an entry that is newer than the run
}

// number checks that the writer has not used the entry's number before. The clock of an entry that the run's beginning did
// not see is not read: what is compared is older.
func (a *audit) number(e *storage.Entry, fresh bool) {
	s := step{audit: a, Place: Place{e.Stream, e.First}}
	if e.Number == 0 || e.Writer == "" {
		s.wrong(G1, "an entry without a writer, or without its number")
		return
	}
	w := a.writers[e.Writer]
	if w == nil {
		w = &numbers{}
		a.writers[strings.Clone(e.Writer)] = w
	}
	w.entries++
	var at domain.Time
	if n := len(e.Events); n > 0 {
		at = domain.At(e.Events[n-1].At)
	}
	if e.Number > w.highest {
		w.highest, w.latest = e.Number, at
	}
	if fresh {
		at = 0
	}
	if !w.mark(e.Number, secondOf(at)) {
		s.wrong(G1, "writer %s has used number %d for another entry", e.Writer, e.Number)
	}
}

const pageBits = pageWords * 64

// mark says whether the number is new. At is what the clock said with it, 0 if it does not matter.
func (w *numbers) mark(number uint64, at second) bool {
	p := w.pages[number/pageBits]
	if p == nil {
		if w.pages == nil {
			w.pages = map[uint64]*page{}
		}
		p = &page{}
		w.pages[number/pageBits] = p
	}
	word, bit := number%pageBits/64, number%64
	if p.used[word]&(1<<bit) != 0 {
		return false
	}
	p.used[word] |= 1 << bit
	if at != 0 {
		if p.clock[word] == nil {
			p.clock[word] = new([64]second)
		}
		p.clock[word][bit] = at
	}
	return true
}

func (w *numbers) has(number uint64) bool {
	p := w.pages[number/pageBits]
	return p != nil && p.used[number%pageBits/64]&(1<<(number%64)) != 0
}

func (w *numbers) distinct() uint64 {
	var n int
	for _, p := range w.pages {
		for _, word := range p.used {
			n += bits.OnesCount64(word)
		}
	}
	return uint64(n)
}

// pagesDown are the pages from the highest numbers to the lowest.
func (w *numbers) pagesDown() iter.Seq[*page] {
	return func(yield func(*page) bool) {
		for _, n := range slices.Backward(slices.Sorted(maps.Keys(w.pages))) {
			if !yield(w.pages[n]) {
				return
			}
		}
	}
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
