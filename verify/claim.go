package verify

import (
	"maps"
	"slices"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/storage"
)

// claimFold is a claim as its journal tells it.
type claimFold struct {
	cursor
	owner string      // of what products claim: the product's _id
	value string      // of what products claim: its productId
	until domain.Time // zero: for good
	since uint32      // the sequence of the last event
}

// What products claim: their sku, and their _id.
const (
	skuClaim = "sku/"
	idClaim  = "product/"
)

func claimOf(claims map[string]*claimFold, identity string) *claimFold {
	f, ok := claims[identity]
	if !ok {
		f = &claimFold{}
		claims[cloned(identity)] = f
	}
	return f
}

func (f *claimFold) endEntry(*step) {}

func (f *claimFold) fold(s *step, event any) {
	switch e := event.(type) {
	case claim.Acquired:
		free := f.owner == "" || (f.until != 0 && e.At >= f.until)
		s.same(free || f.owner == e.Owner, G7, "the owner, who still has the claim,", f.since)
		longer := e.Until == 0 || e.Until > f.until
		s.require(e.Owner != "" && (free || f.owner != e.Owner || (f.until != 0 && longer)), G7, "acquired by nobody, or by whom it belongs to already")
		if e.Until != 0 && e.Until <= e.At { // once the one was by the asker's clock, the other by that of the claim's member
			s.warn(Violation{Guarantee: G7, Place: s.Place, Detail: "acquired until " + e.Until.String() + ", which had passed at " + e.At.String()})
		}
		s.same(free || f.owner != e.Owner || f.value == e.Value, G7, "the value", f.since)
		id, isID := strings.CutPrefix(s.identity, idClaim)
		s.require(!isID || e.Owner == id, G7, "acquired by %s", e.Owner)
		f.owner, f.value, f.until, f.since = cloned(e.Owner), cloned(e.Value), e.Until, s.seq()
	case claim.Released:
		s.require(f.owner != "", G7, "released, but free")
		f.owner, f.value, f.until, f.since = "", "", 0, s.seq()
	default:
		s.wrong(G7, "this version can't check %s", s.stored.Type)
	}
}

// concludeClaims checks that every product has what it claims.
func (a *audit) concludeClaims() {
	for _, f := range a.shelves {
		if !f.exists || f.broken || f.reclaims || !f.claimsSettled() {
			continue
		}
		for identity, at := range map[string]uint32{skuClaim + f.sku: f.skuAt, idClaim + f.id: f.createdAt} {
			c := a.claims[identity]
			if c != nil && (c.broken || c.fresh || (c.owner == f.id && c.value == f.productID && c.until == 0)) {
				continue
			}
			v := Violation{Guarantee: G7, Place: f.place(at), Detail: "the claim " + identity + " is not the product's own for good"}
			if c != nil {
				v.Against = &Place{storage.StreamOf(kindClaim, identity), uint64(c.since)}
			}
			a.violate(v)
		}
	}
	for _, identity := range slices.Sorted(maps.Keys(a.claims)) {
		a.concludeClaim(identity, a.claims[identity])
	}
}

// concludeClaim warns of a claim for good that its product does not know of: nobody will ever give it up.
func (a *audit) concludeClaim(identity string, c *claimFold) {
	if c.broken || c.fresh || c.owner == "" || c.until != 0 {
		return
	}
	sku, isSKU := strings.CutPrefix(identity, skuClaim)
	_, isID := strings.CutPrefix(identity, idClaim)
	n, known := a.shelfByID[c.value]
	var f shelf
	if known {
		f = *a.shelves[n]
	}
	switch {
	case !isSKU && !isID:
	case f.broken || f.reclaims || (f.next > 1 && !f.claimsSettled()):
	case !f.exists || f.id != c.owner || (isSKU && f.sku != sku):
		a.warn(Violation{Guarantee: G6, Place: Place{storage.StreamOf(kindClaim, identity), uint64(c.since)}, Detail: "claimed for good by product " + c.owner + ", which has no use for it"})
	}
}
