package verify

import (
	"fmt"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
)

// demand is what one order wants of one product, by its own journal, and what it has of it, by the product's.
type demand struct {
	shelf  uint32 // index of the product
	prefix uint32 // of the order's id, as the product knows it
	wanted int64  // what the order's reservation says; 0: the order does not name the product
	quote  digest // what the buyer of an order that was placed here saw; 0: none

	heldAt, changedAt uint32      // sequences in the product's journal of the last hold and the last event; 0: none
	expires           domain.Time // of the last hold
	quantity          int64       // of the last hold
	sold              int64       // taken and not given back
	held              bool
	remembered        bool // the product has not forgotten the order
	returned          bool // the product will refuse, or has refused, another hold
	late              bool // held again after it was forgotten
	fresh             bool // the product has recorded something since the run began
}

// demand returns what is kept of the saga's demand for that product. It may move when another one is added.
func (g *saga) demand(shelf uint32) *demand {
	for i := range g.demands {
		if g.demands[i].shelf == shelf {
			return &g.demands[i]
		}
	}
	g.demands = append(g.demands, demand{shelf: shelf})
	return &g.demands[len(g.demands)-1]
}

// change notes that the product has recorded something.
func (d *demand) change(s *step) {
	d.changedAt, d.fresh = s.seq(), d.fresh || s.fresh
}

// wanted is what the order wants of that product.
func (g *saga) wanted(shelf uint32) int64 {
	for _, d := range g.demands {
		if d.shelf == shelf {
			return d.wanted
		}
	}
	return 0
}

// cloned keeps a text without the larger one that it may be part of.
func cloned(text string) string { return strings.Clone(text) }

const foreign = "x:" // how the identity of another system's order begins

// orderID is the order's id, made of the identity and what it lacks.
func orderID(identity string, prefix uint32) string {
	if raw, ok := strings.CutPrefix(identity, foreign); ok {
		return raw
	}
	return fmt.Sprintf("%08x%s", prefix, identity)
}
