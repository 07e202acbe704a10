package mongo

import (
	"slices"
	"testing"
)

// Products are announced whenever they sell; their words must not be cut and placed anew for that.
func TestStockChangesLeaveWordsAlone(t *testing.T) {
	c := newCatalogue(nil, nil)
	c.clear()
	lamp := catalogued{ID: idAt(1), Version: 1, Created: t0, Bucket: bucket{Active: true, InStock: true}, Title: "Lamp", Text: "Gives light"}
	c.put(lamp)
	words := c.words
	c.words = nil // nobody may touch them now
	lamp.Version, lamp.Bucket.InStock = 2, false
	c.put(lamp)
	c.words = words
	lamp.Version, lamp.Text = 3, "Gives warm light"
	c.put(lamp)
	for _, text := range []string{"lamp", "warm"} {
		if got := c.search(text, 5); !slices.Equal(got, []string{lamp.ID}) {
			t.Errorf("search %q: got %v, want the lamp", text, got)
		}
	}
}
