package sqlite

import (
	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

// saveProduct stores a product, and notes what that changes in counters and words.
func (v *view) saveProduct(conn *sqlite.Conn, d *storage.Document, changed *aside) error {
	before, old, known, err := v.stored(conn, d.ID)
	if err != nil {
		return err
	}
	now := factsOf(d)
	place, err := v.put(conn, before, old, known, now, d)
	if err != nil {
		return err
	}
	if known {
		changed.count(old, -1)
	}
	if !d.Hidden {
		changed.count(now, +1)
	}
	if old.words == now.words && before == place {
		return nil
	}
	if old.words != 0 {
		changed.words = append(changed.words, wording{place: before, gone: true})
	}
	if now.words != 0 {
		changed.words = append(changed.words, wording{place: place, tokens: tokensOf(d)})
	}
	return nil
}
