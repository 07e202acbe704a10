package sqlite

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Search asks the full text index. A text without a letter or digit finds nothing, and so does one of more words than
// the texts of a product could hold.
func (s *Store) Search(ctx context.Context, text string, limit int) ([]storage.Document, error) {
	match := matchOf(text)
	if match == "" {
		return nil, ctx.Err()
	}
	documents, err := s.documents(ctx, storage.Products, `SELECT `+documentColumns+` FROM product_words
		CROSS JOIN products ON products.pk = product_words.rowid
		WHERE product_words MATCH ? ORDER BY product_words.rank LIMIT ?`,
		func(stmt *sqlite.Stmt) {
			stmt.BindText(1, match)
			stmt.BindInt64(2, int64(max(limit, 0)))
		})
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return documents, nil
}

const maxWords = 200

// matchOf turns what a person typed into a query of FTS5: every word as a quoted string, so that nothing in it is an
// operator, the last one as a prefix.
func matchOf(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	var match []string
	for i, word := range words {
		// A mark alone is no word to FTS5, and an empty phrase would match nothing.
		if !strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			continue
		}
		phrase := `"` + word + `"`
		if i == len(words)-1 {
			phrase += `*`
		}
		match = append(match, phrase)
	}
	if len(match) > maxWords {
		return ""
	}
	return strings.Join(match, " AND ")
}
