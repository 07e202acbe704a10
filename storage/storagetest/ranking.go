package storagetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

// ranked is what a search for words finds in a plain scan: by how many of them stand in the name, then as lists are. The
// texts of the documents are words of small letters and spaces.
func ranked(documents []storage.Document, text string, limit int) []string {
	wanted := strings.Fields(text)
	named := map[string]int{}
	hits := slices.DeleteFunc(slices.Clone(documents), func(d storage.Document) bool {
		for i, word := range wanted {
			same := func(w string) bool { return w == word || i == len(wanted)-1 && strings.HasPrefix(w, word) }
			if slices.ContainsFunc(strings.Fields(d.Title), same) {
				named[d.ID]++
			} else if !slices.ContainsFunc(strings.Fields(d.Text), same) {
				return true
			}
		}
		return d.Hidden || !d.Active
	})
	slices.SortFunc(hits, func(a, b storage.Document) int {
		return cmp.Or(named[b.ID]-named[a.ID], b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
	})
	return idsOf(hits[:min(limit, len(hits))])
}

func wantRanked(t *testing.T, s storage.Projections, documents []storage.Document, text string, limit int) {
	t.Helper()
	wantIDs(t, fmt.Sprintf("search %q, limit %d", text, limit), search(t, s, text, limit), ranked(documents, text, limit)...)
}

func proveSearchTies(t *testing.T, s storage.Store) {
	var documents []storage.Document
	for n := range 60 {
		d := titled(n*7%60, []string{"oak table", "round table", "table"}[n%3], []string{"made of oak", "made of pine"}[n%2])
		d.Created = after0(n / 20)
		documents = append(documents, d)
	}
	saveDocuments(t, s, 1, documents...)
	for _, text := range []string{"table", "oak", "oak table", "made oak", "table ta"} {
		for _, limit := range []int{1, 5, 9, 10, 11, 19, 20, 21, 59, 60, 100} {
			wantRanked(t, s, documents, text, limit)
		}
	}
}

func proveSearchHistory(t *testing.T, s storage.Store) {
	random := rand.New(rand.NewPCG(5, 772))
	vocabulary := strings.Fields("lamp lamps lampshade desk desktop red reddish oak of an")
	some := func(count int) string {
		words := make([]string, count)
		for i := range words {
			words[i] = vocabulary[random.IntN(len(vocabulary))]
		}
		return strings.Join(words, " ")
	}
	documents := make([]storage.Document, 40)
	for n := range documents {
		documents[n] = titled(n, some(3), some(6))
	}
	saveDocuments(t, s, 1, documents...)
	for version := uint64(2); version <= 12; version++ {
		var changed []storage.Document
		for _, n := range random.Perm(len(documents))[:10] {
			d := &documents[n]
			switch random.IntN(5) {
			case 0:
				d.Title = some(2)
			case 1:
				d.Text = some(5)
			case 2:
				d.Active, d.Hidden = random.IntN(3) > 0, random.IntN(4) == 0
			case 3:
				d.Created = after0(random.IntN(40))
			case 4:
				d.InStock = !d.InStock
			}
			changed = append(changed, *d)
		}
		saveDocuments(t, s, version, changed...)
		for range 12 {
			text := some(1 + random.IntN(6))
			wantRanked(t, s, documents, text[:len(text)-random.IntN(2)], 1+random.IntN(len(documents)))
		}
	}
}

func proveSearchBeginnings(t *testing.T, s storage.Store) {
	var documents []storage.Document
	for n := range 300 {
		word := fmt.Sprint("lamplighter", n%150)
		documents = append(documents, titled(n, []string{word, "wick"}[n%2], []string{"wick", word}[n%2]))
	}
	saveDocuments(t, s, 1, documents...)
	for _, text := range []string{"l", "lam", "lampli", "lamplighter", "lamplighter1", "lamplighter14", "lamplighter149", "lamplighter1490", "wick lamplight"} {
		wantRanked(t, s, documents, text, 20)
		wantRanked(t, s, documents, text, 1000)
	}
}
