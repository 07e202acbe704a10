package storagetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var searchRules = []rule{
	{"every word must occur, the last one also as a prefix", proveSearchWords},
	{"a match in the name comes before one in the description", proveSearchRank},
	{"of equal matches the newest comes first, then by id from the highest", proveSearchTies},
	{"the best matches come in the same order as from a plain scan, after any history of changes", proveSearchHistory},
	{"a beginning finds all words that it begins, however many", proveSearchBeginnings},
	{"case does not matter, in any alphabet", proveSearchCase},
	{"only active products that are not hidden are found", proveSearchVisible},
	{"a changed product is found by its new words only", proveSearchFollows},
	{"at most limit products come, with their documents", proveSearchLimit},
	{"no text is an error", proveSearchAnyText},
}

func titled(n int, title, text string) storage.Document {
	d := product(n, "a", true, true)
	d.Title, d.Text = title, text
	return d
}

func search(t *testing.T, s storage.Projections, text string, limit int) []string {
	t.Helper()
	documents, err := s.Search(ctx(t), text, limit)
	if err != nil {
		t.Fatalf("search %q: %v", text, err)
	}
	return idsOf(documents)
}

// found is the result in the order of the ids, for rules that do not speak of rank.
func found(t *testing.T, s storage.Projections, text string) []string {
	t.Helper()
	ids := search(t, s, text, 100)
	slices.Sort(ids)
	return ids
}

func proveSearchWords(t *testing.T, s storage.Store) {
	saveDocuments(t, s, 1,
		titled(1, "Wireless Headphones", "Over-ear, noise cancelling"),
		titled(2, "Wired Headphones", "For the studio"),
		titled(3, "Headphone stand", "Holds wireless and wired models"))
	for _, c := range []struct {
		text string
		want []int
	}{
		{"wireless headphones", []int{1}},
		{"headphones wireless", []int{1}},
		{"headphones", []int{1, 2}},
		{"headphone", []int{1, 2, 3}},
		{"headph", []int{1, 2, 3}},
		{"headph wireless", nil},
		{"wireless headph", []int{1, 3}},
		{"wired", []int{2, 3}},
		{"wireless  ,  NOISE", []int{1}},
		{"over-ear", []int{1}},
		{"w", []int{1, 2, 3}},
		{"studio wireless", nil},
		{"absent", nil},
		{"eadphones", nil},
	} {
		var want []string
		for _, n := range c.want {
			want = append(want, idOf(n))
		}
		wantIDs(t, fmt.Sprintf("search %q", c.text), found(t, s, c.text), want...)
	}
}

func proveSearchRank(t *testing.T, s storage.Store) {
	saveDocuments(t, s, 1,
		titled(1, "Table", "lamp lamp lamp lamp lamp lamp lamp lamp lamp lamp lamp lamp"),
		titled(2, "A rather long name that among many other words has somewhere a lamp in it as well", "For reading"),
		titled(3, "Shade", "Fits any lamp"),
		titled(4, "Lamp", "Bright"),
		titled(5, "Chair", "Soft"))
	got := search(t, s, "lamp", 10)
	if len(got) != 4 {
		t.Fatalf("got %q, want four products", got)
	}
	names := slices.Sorted(slices.Values(got[:2]))
	wantIDs(t, "found by name", names, idOf(2), idOf(4))
}

func proveSearchCase(t *testing.T, s storage.Store) {
	saveDocuments(t, s, 1,
		titled(1, "Äpfel und Öl", "Frisch"),
		titled(2, "Самовар", "Латунь"),
		titled(3, "ΚΑΦΕΣ", "Ελληνικός"),
		titled(4, "茶壺 teapot", "陶器"))
	for text, n := range map[string]int{
		"äpfel": 1, "ÄPFEL": 1, "öl": 1, "FRISCH": 1, "САМОВАР": 2, "само": 2, "латунь": 2, "καφε": 3, "ΕΛΛ": 3,
		"茶壺": 4, "TEAPOT": 4,
	} {
		wantIDs(t, text, found(t, s, text), idOf(n))
	}
}

func proveSearchVisible(t *testing.T, s storage.Store) {
	d := titled(1, "Kettle", "Boils water")
	order := orderDocument(2, "pending")
	order.Title, order.Active = "Kettle", true
	saveDocuments(t, s, 1, order)
	for version, visible := range []struct{ active, hidden bool }{
		{true, false}, {false, false}, {true, false}, {true, true}, {false, true}, {true, false},
	} {
		d.Active, d.Hidden = visible.active, visible.hidden
		d.InStock = version%2 == 0
		saveDocuments(t, s, uint64(version+1), d)
		if d.Active && !d.Hidden {
			wantIDs(t, "visible", found(t, s, "kettle"), d.ID)
			continue
		}
		wantIDs(t, fmt.Sprintf("active %v hidden %v", d.Active, d.Hidden), found(t, s, "kettle"))
	}
}

func proveSearchFollows(t *testing.T, s storage.Store) {
	saveDocuments(t, s, 1, titled(1, "Green bicycle", "Three gears"), titled(2, "Green scarf", "Wool"))
	saveDocuments(t, s, 2, titled(1, "Red bicycle", "Seven gears"))
	wantIDs(t, "old word", found(t, s, "three"))
	wantIDs(t, "new word", found(t, s, "seven"), idOf(1))
	wantIDs(t, "word of another", found(t, s, "green"), idOf(2))
	changed := titled(1, "Red bicycle", "Seven gears")
	changed.Body, changed.InStock = []byte(`{"price":5}`), false
	saveDocuments(t, s, 3, changed)
	got, err := s.Search(ctx(t), "bicycle", 5)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %q, %v, want one product", idsOf(got), err)
	}
	wantDocument(t, got[0], changed)
}

func proveSearchLimit(t *testing.T, s storage.Store) {
	var documents []storage.Document
	for n := range 30 {
		documents = append(documents, titled(n, fmt.Sprint("Spoon model ", n), "Steel"))
	}
	saveDocuments(t, s, 1, documents...)
	for _, limit := range []int{1, 10, 29, 30, 31} {
		if got := search(t, s, "spoon", limit); len(got) != min(limit, 30) {
			t.Errorf("limit %d: got %d", limit, len(got))
		}
	}
	got, err := s.Search(ctx(t), "spoon model 17", 5)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %q, %v, want one product", idsOf(got), err)
	}
	wantDocument(t, got[0], documents[17])
}

func proveSearchAnyText(t *testing.T, s storage.Store) {
	saveDocuments(t, s, 1, titled(1, "AND OR NOT NEAR", `Quotes " and 'apostrophes' and C++ (new) 50% a*b name: x^2`))
	for _, text := range []string{
		`AND`, `OR NOT`, `NEAR(a b)`, `"`, `""`, `"AND`, `'`, `''`, `c++`, `c++ "new`, `(new`, `new)`, `50%`, `a*`, `*`, `**`, `^x`,
		`name:`, `name: x`, `-`, `--`, `- x`, `+x`, `{name}: x`, `a:b:c`, `\`, `;`, `'; DROP TABLE products; --`, "\x00", "a\x00b",
		"\xff\xfe", "\u200b", "🙂", "  ", "\t\n", "", "%", "_", "$where", "/x/", ".*", "[", "]", "\u0301", "١٢٣", "ß", "İ",
	} {
		search(t, s, text, 10)
	}
	for _, text := range []string{"", " ", `"`, "--", "*", "()"} {
		wantIDs(t, fmt.Sprintf("%q has no words", text), search(t, s, text, 10))
	}
	for _, text := range []string{`AND`, `"quotes"`, `(new)`, `apostrophes`, `OR NOT`, `near`} {
		wantIDs(t, text, found(t, s, text), idOf(1))
	}
}
