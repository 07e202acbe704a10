package mongo

import (
	"slices"
	"strings"
	"unicode"
)

// wordIndex finds products by the words of their names and descriptions. Not safe for concurrent use.
type wordIndex struct {
	numbers  map[string]uint32
	postings [][]posting // by the word's number
	bySlot   map[uint32][]uint32
	sorted   []string // all words; in order when inOrder is set
	inOrder  bool
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

// match is a slot that has all words of a query.
type match struct {
	slot   uint32
	inName int // how many of the words stand in the name
}

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
	x.sorted, x.inOrder = append(x.sorted, word), false
	return number
}

// search returns the slots that have every word of text, the last one also as a prefix, in no order.
func (x *wordIndex) search(text string) []match {
	query := wordsOf(text)
	if len(query) == 0 {
		return nil
	}
	var found map[uint32]int
	for i, word := range query {
		slots := map[uint32]bool{}
		x.collect(slots, word)
		if i == len(query)-1 {
			for _, longer := range x.withPrefix(word) {
				x.collect(slots, longer)
			}
		}
		found = both(found, slots, i == 0)
	}
	matches := make([]match, 0, len(found))
	for slot, inName := range found {
		matches = append(matches, match{slot: slot, inName: inName})
	}
	return matches
}

func (x *wordIndex) collect(slots map[uint32]bool, word string) {
	number, there := x.numbers[word]
	if !there {
		return
	}
	for _, p := range x.postings[number] {
		slots[p.slot()] = slots[p.slot()] || p.inName()
	}
}

func (x *wordIndex) withPrefix(prefix string) []string {
	if !x.inOrder {
		slices.Sort(x.sorted)
		x.inOrder = true
	}
	from, _ := slices.BinarySearch(x.sorted, prefix)
	to := from
	for to < len(x.sorted) && strings.HasPrefix(x.sorted[to], prefix) {
		to++
	}
	return x.sorted[from:to]
}

func both(found map[uint32]int, slots map[uint32]bool, first bool) map[uint32]int {
	next := make(map[uint32]int, len(slots))
	for slot, inName := range slots {
		before, there := found[slot]
		if !first && !there {
			continue
		}
		if inName {
			before++
		}
		next[slot] = before
	}
	return next
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
}
