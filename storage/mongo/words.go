package mongo

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
)

// wordIndex finds products by the words of their names and descriptions. Not safe for concurrent use.
type wordIndex struct {
	numbers  map[string]uint32
	words    []string    // by number
	postings [][]posting // by the word's number
	bySlot   map[uint32][]uint32
	sorted   []uint32 // numbers of all words but the added ones, in the order of the words
	added    []uint32
}

// posting is a slot with a word; the lowest bit says that the word stands in the name.
type posting uint32

func postingOf(slot uint32, inName bool) posting {
	if inName {
		return posting(slot<<1 | 1)
	}
	return posting(slot << 1)
}

func (p posting) slot() uint32 { return uint32(p) >> 1 }

func (p posting) inName() bool { return p&1 == 1 }

func newWordIndex() *wordIndex {
	return &wordIndex{numbers: map[string]uint32{}, bySlot: map[uint32][]uint32{}}
}

// put replaces the words of a slot.
func (x *wordIndex) put(slot uint32, name, description string) {
	for _, number := range x.bySlot[slot] {
		x.postings[number] = slices.DeleteFunc(x.postings[number], func(p posting) bool { return p.slot() == slot })
	}
	delete(x.bySlot, slot)
	inName := map[string]bool{}
	for _, word := range wordsOf(description) {
		inName[word] = false
	}
	for _, word := range wordsOf(name) {
		inName[word] = true
	}
	for word, named := range inName {
		number := x.number(word)
		x.postings[number] = append(x.postings[number], postingOf(slot, named))
		x.bySlot[slot] = append(x.bySlot[slot], number)
	}
}

func (x *wordIndex) number(word string) uint32 {
	if number, there := x.numbers[word]; there {
		return number
	}
	number := uint32(len(x.postings))
	word = strings.Clone(word) // not the whole description
	x.numbers[word] = number
	x.postings = append(x.postings, nil)
	x.words, x.added = append(x.words, word), append(x.added, number)
	return number
}

// hits are the slots that a search finds.
type hits struct {
	found marks
	named []uint16 // by slot, of those found: how many of the words stand in the name
	words int      // that were looked for
}

// search returns which of so many slots have every word of text, the last one also as a prefix.
func (x *wordIndex) search(text string, slots int) hits {
	query := wordsOf(text)
	h := hits{named: make([]uint16, slots), words: len(query)}
	for i, word := range query {
		anywhere, inName := newMarks(slots), newMarks(slots)
		if i == len(query)-1 {
			for _, number := range x.withPrefix(word) {
				x.mark(number, anywhere, inName)
			}
		} else if number, there := x.numbers[word]; there {
			x.mark(number, anywhere, inName)
		}
		if i > 0 {
			anywhere.and(h.found)
		}
		h.found = anywhere
		inName.and(h.found)
		inName.each(func(slot int) { h.named[slot]++ })
	}
	return h
}

func (x *wordIndex) mark(number uint32, anywhere, inName marks) {
	for _, p := range x.postings[number] {
		anywhere.set(p.slot())
		if p.inName() {
			inName.set(p.slot())
		}
	}
}

func (x *wordIndex) withPrefix(prefix string) []uint32 {
	x.sort()
	from, _ := slices.BinarySearchFunc(x.sorted, prefix, x.compare)
	to := from
	for to < len(x.sorted) && strings.HasPrefix(x.words[x.sorted[to]], prefix) {
		to++
	}
	return x.sorted[from:to]
}

func (x *wordIndex) compare(number uint32, word string) int {
	return strings.Compare(x.words[number], word)
}

// sort merges the added words with the others: hardly any search meets more than a few of them.
func (x *wordIndex) sort() {
	if len(x.added) == 0 {
		return
	}
	slices.SortFunc(x.added, func(a, b uint32) int { return x.compare(a, x.words[b]) })
	merged := make([]uint32, 0, len(x.words))
	old := x.sorted
	for _, number := range x.added {
		before, _ := slices.BinarySearchFunc(old, x.words[number], x.compare)
		merged = append(append(merged, old[:before]...), number)
		old = old[before:]
	}
	x.sorted, x.added = append(merged, old...), nil
}

// marks is a set of slots, one bit for each.
type marks []uint64

func newMarks(slots int) marks { return make(marks, (slots+63)/64) }

func (m marks) set(slot uint32) { m[slot/64] |= 1 << (slot % 64) }

func (m marks) has(slot uint32) bool { return m[slot/64]>>(slot%64)&1 == 1 }

func (m marks) and(other marks) {
	for i := range m {
		m[i] &= other[i]
	}
}

func (m marks) each(f func(slot int)) {
	for i, rest := range m {
		for ; rest != 0; rest &= rest - 1 {
			f(i*64 + bits.TrailingZeros64(rest))
		}
	}
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}
