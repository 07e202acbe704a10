package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// The index has one token for each word of a product, and another one if the word stands in its name.
const (
	anywhere = "a"
	inName   = "n"
)

// wordsOf cuts a text into words. A mark alone is none: it would disappear when the index folds case and accents.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	return slices.DeleteFunc(words, func(word string) bool {
		return !strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
	})
}

// tokensOf is what the index holds of a product, in its own language.
func tokensOf(d *storage.Document) string {
	var tokens strings.Builder
	add := func(mark string, words []string) {
		for _, word := range words {
			tokens.WriteString(mark)
			tokens.WriteString(word)
			tokens.WriteByte(' ')
		}
	}
	name := wordsOf(d.Title)
	add(inName, name)
	add(anywhere, name)
	add(anywhere, wordsOf(d.Text))
	return tokens.String()
}

// wording is a step of the index: a product's words come to a place, or go from it.
type wording struct {
	place  int64
	gone   bool
	tokens string
}

// saveWords brings the index up to date. FTS5 gathers what comes in the order of places and writes it at once; every step
// back would cost a write of its own.
func saveWords(conn *sqlite.Conn, steps []wording) error {
	slices.SortStableFunc(steps, func(a, b wording) int { return cmp.Compare(a.place, b.place) })
	for _, step := range steps {
		var err error
		if step.gone {
			err = query(conn, `DELETE FROM product_words WHERE rowid = ?`,
				func(stmt *sqlite.Stmt) { stmt.BindInt64(1, step.place) }, nil)
		} else {
			err = query(conn, `INSERT INTO product_words(rowid, words) VALUES(?,?)`, func(stmt *sqlite.Stmt) {
				stmt.BindInt64(1, step.place)
				stmt.BindText(2, step.tokens)
			}, nil)
		}
		if err != nil {
			return fmt.Errorf("words: %w", err)
		}
	}
	return nil
}
