package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// maxWords is more than a product's texts could hold.
const maxWords = 200

// Search ranks products by how many of the words stand in the name, then newest first. A text without a letter or digit
// finds nothing, and so does one of more than maxWords words.
func (s *Store) Search(ctx context.Context, text string, limit int) (found []storage.Document, err error) {
	wanted := wantedIn(text)
	if len(wanted) == 0 || limit <= 0 {
		return nil, ctx.Err()
	}
	err = s.readView(ctx, func(conn *sqlite.Conn) error {
		return atOnce(conn, func() error {
			if err := spellOut(conn, &wanted[len(wanted)-1]); err != nil {
				return err
			}
			r := &ranking{conn: conn, limit: limit, taken: map[int64]bool{}, rows: scanner{collection: storage.Products, limit: limit}}
			err := r.read(wanted)
			found = r.page
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

// wantedWord is one word of a search, or its beginning.
type wantedWord struct {
	text   string
	prefix bool
	words  []string // all that begin so, if they are known
	weight int      // how often it is in the search
}

// token is quoted, so that nothing in it is an operator.
func (w wantedWord) token(mark string) string {
	if len(w.words) == 0 {
		token := `"` + mark + w.text + `"`
		if w.prefix {
			token += `*`
		}
		return token
	}
	tokens := make([]string, len(w.words))
	for i, word := range w.words {
		tokens[i] = `"` + mark + word + `"`
	}
	return "(" + strings.Join(tokens, " OR ") + ")"
}

const (
	indexedPrefix = 5  // letters: beginnings up to that are tokens of the index
	maxSpelt      = 50 // words, from which on reading all that they are in is the smaller evil
)

// spellOut finds the words that a longer beginning stands for. FTS5 would read all places of all of them before it gives
// the first one. Where case or accents differ from the tokens it finds nothing, and leaves the word to FTS5.
func spellOut(conn *sqlite.Conn, w *wantedWord) error {
	if utf8.RuneCountInString(w.text) <= indexedPrefix {
		return nil
	}
	var words []string
	next := anywhere + w.text
	for {
		found := ""
		err := query(conn, `SELECT term FROM product_vocabulary WHERE term >= ? LIMIT 1`,
			func(stmt *sqlite.Stmt) { stmt.BindText(1, next) },
			func(stmt *sqlite.Stmt) error {
				found = stmt.ColumnText(0)
				return nil
			})
		if err != nil {
			return err
		}
		if !strings.HasPrefix(found, anywhere+w.text) {
			break
		}
		if len(words) == maxSpelt {
			return nil
		}
		words = append(words, found[len(anywhere):])
		next = found + "\x01"
	}
	w.words = words
	return nil
}

// wantedIn is empty where nothing can be found.
func wantedIn(text string) (wanted []wantedWord) {
	words := wordsOf(strings.ToLower(text))
	if len(words) > maxWords {
		return nil
	}
	for i, word := range words {
		w := wantedWord{text: word, prefix: i == len(words)-1, weight: 1}
		same := slices.IndexFunc(wanted, func(o wantedWord) bool { return o.text == w.text && o.prefix == w.prefix })
		if same >= 0 {
			wanted[same].weight++
		} else {
			wanted = append(wanted, w)
		}
	}
	return wanted
}

// ranking is one call of Search at work.
type ranking struct {
	conn  *sqlite.Conn
	limit int
	taken map[int64]bool // places
	last  int64          // the place that was taken last
	rows  scanner
	tier  []storage.Document
	page  []storage.Document
}

var errFull = errors.New("page is full")

// take puts a product into the tier that is being read, whose places come in falling order. It returns errFull when no
// later one can belong to the page. What a better tier had is left out.
func (r *ranking) take(place int64) error {
	if r.taken[place] {
		return nil
	}
	if len(r.page)+len(r.tier) >= r.limit && !sameTime(r.last, place) {
		return errFull
	}
	r.taken[place], r.last = true, place
	return query(r.conn, `SELECT `+documentColumns+` FROM products WHERE pk = ?`,
		func(stmt *sqlite.Stmt) { stmt.BindInt64(1, place) },
		func(stmt *sqlite.Stmt) error {
			r.tier = append(r.tier, r.rows.scan(stmt))
			return nil
		})
}

// settle ends a tier, and says whether the page is full.
func (r *ranking) settle() (full bool) {
	slices.SortFunc(r.tier, newestFirst)
	r.page = append(r.page, r.tier...)
	r.page, r.tier = r.page[:min(len(r.page), r.limit)], nil
	return len(r.page) == r.limit
}

// places calls each with the places that match, newest first.
func (r *ranking) places(match string, each func(place int64) error) error {
	return query(r.conn, `SELECT rowid FROM product_words WHERE product_words MATCH ? ORDER BY rowid DESC`,
		func(stmt *sqlite.Stmt) { stmt.BindText(1, match) },
		func(stmt *sqlite.Stmt) error { return each(stmt.ColumnInt64(0)) })
}

// maxTiered is up to how many words each tier is a query of its own: it has a part for each choice of words.
const maxTiered = 4

// read asks first for the products that have all words in the name, and goes on to those that have fewer only while the
// page is not full.
func (r *ranking) read(wanted []wantedWord) error {
	if len(wanted) > maxTiered {
		return r.readMany(wanted)
	}
	for _, match := range tiersOf(wanted) {
		if full, err := r.readTier(match); full || err != nil {
			return err
		}
	}
	return nil
}

func (r *ranking) readTier(match string) (full bool, err error) {
	if err := r.places(match, r.take); err != nil && !errors.Is(err, errFull) {
		return false, err
	}
	return r.settle(), nil
}

// conjunction finds what has all words, those that are chosen in the name.
func conjunction(wanted []wantedWord, chosen func(i int) bool) string {
	tokens := make([]string, len(wanted))
	for i, w := range wanted {
		tokens[i] = w.token(anywhere)
		if chosen(i) {
			tokens[i] = w.token(inName)
		}
	}
	return strings.Join(tokens, " AND ")
}

// tiersOf returns the query for each tier, best first. It finds what its tier has, and perhaps some of a better one.
func tiersOf(wanted []wantedWord) []string {
	choices := map[int][]string{} // by how many words they want in the name
	for choice := range 1 << len(wanted) {
		named := 0
		for i, w := range wanted {
			named += w.weight * (choice >> i & 1)
		}
		match := conjunction(wanted, func(i int) bool { return choice>>i&1 == 1 })
		choices[named] = append(choices[named], "("+match+")")
	}
	var tiers []string
	for _, named := range slices.Backward(slices.Sorted(maps.Keys(choices))) {
		tiers = append(tiers, strings.Join(choices[named], " OR "))
	}
	return tiers
}

// readMany reads the first tier and the last one as such, and counts what is in between. Few products have many words,
// and often none has.
func (r *ranking) readMany(wanted []wantedWord) error {
	bottom := conjunction(wanted, func(int) bool { return false })
	err := r.places(bottom, func(int64) error { return errFull })
	if !errors.Is(err, errFull) {
		return err
	}
	full, err := r.readTier(conjunction(wanted, func(int) bool { return true }))
	if !full && err == nil {
		full, err = r.readCounted(wanted)
	}
	if !full && err == nil {
		_, err = r.readTier(bottom)
	}
	return err
}

// readCounted reads all tiers but the last: it counts the words in each name that has one.
func (r *ranking) readCounted(wanted []wantedWord) (full bool, err error) {
	counts := map[int64]int{}
	for n, w := range wanted {
		err := r.places(conjunction(wanted, func(i int) bool { return i == n }), func(place int64) error {
			counts[place] += w.weight
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	tiers := map[int][]int64{}
	for _, place := range slices.Backward(slices.Sorted(maps.Keys(counts))) {
		tiers[counts[place]] = append(tiers[counts[place]], place)
	}
	for _, count := range slices.Backward(slices.Sorted(maps.Keys(tiers))) {
		for _, place := range tiers[count] {
			if err := r.take(place); errors.Is(err, errFull) {
				break
			} else if err != nil {
				return false, err
			}
		}
		if r.settle() {
			return true, nil
		}
	}
	return false, nil
}
