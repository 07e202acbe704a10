package verify

import (
	"fmt"
	"slices"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// shelf is a product as its journal tells it.
type shelf struct {
	cursor
	number      uint32
	productID   string
	exists      bool
	alerted     bool
	reclaims    bool   // what it claims may have changed since the run began
	id          string // its _id
	sku, name   string
	threshold   int64
	balance     product.Balance
	totals      Stock
	claimedSKU  string
	claimedID   string
	price       int64
	currency    string
	quotes      []digest // every name and price that it ever had
	createdAt   uint32   // sequences of the events that said these things last
	nameAt      uint32
	quoteAt     uint32
	skuAt       uint32
	thresholdAt uint32
	balanceAt   uint32
}

func (a *audit) shelfNumber(productID string) uint32 {
	n, ok := a.shelfByID[productID]
	if !ok {
		n = uint32(len(a.shelves))
		productID = cloned(productID)
		a.shelves = append(a.shelves, &shelf{number: n, productID: productID})
		a.shelfByID[productID] = n
	}
	return n
}

func (a *audit) shelfOf(productID string) *shelf { return a.shelves[a.shelfNumber(productID)] }

func (f *shelf) available() int64 { return f.balance.Stock - f.balance.Reserved }

// endEntry checks that low stock was announced: the decision that lets stock fall announces it.
func (f *shelf) endEntry(s *step) {
	s.require(!f.exists || f.alerted || f.available() > f.threshold, G7, "%d available, at or below the threshold of %d, and no alert", f.available(), f.threshold)
}

func (f *shelf) fold(s *step, event any) {
	switch event.(type) {
	case product.Created, product.Updated, product.ClaimsSettled, product.Deleted:
		f.reclaims = f.reclaims || s.fresh
	}
	switch e := event.(type) {
	case product.Created:
		f.create(s, &e)
	case product.Updated:
		f.update(s, &e)
	case product.ClaimsSettled:
		f.settleClaims(s, &e)
	case product.Adjusted:
		s.require(f.exists && domain.IsID(e.ID), G7, "stock is adjusted of a product that does not exist, or without an id")
		f.totals.Adjusted += e.Delta
		f.move(s, product.Balance{Stock: f.balance.Stock + e.Delta, Reserved: f.balance.Reserved}, e.Balance)
	case product.Held:
		f.hold(s, &e)
	case product.Taken:
		f.take(s, &e)
	case product.Released:
		f.release(s, &e)
	case product.Restocked:
		f.restock(s, &e)
	case product.Forgotten:
		f.forget(s, &e)
	case product.LowStock:
		f.alert(s, &e)
	case product.Deleted:
		s.require(f.exists, G7, "deleted, but does not exist")
		s.require(f.balance.Reserved == 0, G4, "deleted with %d reserved", f.balance.Reserved)
		f.totals.WrittenOff += f.balance.Stock
		if f.claimedSKU == "" {
			f.claimedSKU = f.sku // its claim may be made for good already, without anybody having recorded it
		}
		f.claimedID = f.id
		f.exists, f.balance = false, product.Balance{}
	default:
		s.wrong(G7, "this version can't check %s", s.stored.Type)
	}
}

// move checks the recorded balance against the one that the quantities make, goes on with what is recorded, and proves
// that nothing was oversold.
func (f *shelf) move(s *step, expected, recorded product.Balance) {
	if recorded != expected {
		s.against(G3, f.place(max(1, f.balanceAt)), fmt.Sprintf("stock %d, reserved %d; what happened since the last balance makes %d and %d",
			recorded.Stock, recorded.Reserved, expected.Stock, expected.Reserved))
	}
	s.require(recorded.Reserved >= 0 && recorded.Reserved <= recorded.Stock, G3, "oversold: %d reserved of %d", recorded.Reserved, recorded.Stock)
	f.balance, f.balanceAt = recorded, s.seq()
	f.rearm()
}

func (f *shelf) rearm() {
	if f.available() > f.threshold {
		f.alerted = false
	}
}

func (f *shelf) create(s *step, e *product.Created) {
	s.require(!f.exists, G7, "created, but exists already")
	s.require(f.claimedSKU == "" && f.claimedID == "", G7, "created before the claims of its earlier life were given up")
	s.require(e.ProductID == s.identity, G7, "product %s is not the one of this stream", e.ProductID)
	s.require(domain.IsID(e.ID), G7, "%q is no id", e.ID)
	s.require(e.Stock >= 0, G3, "created with a stock of %d", e.Stock)
	s.require(e.Price >= 0 && e.LowStockThreshold >= 0 && isCurrency(e.Currency) && e.SKU != "", G7, "price, threshold, currency or sku is out of range")
	f.exists, f.alerted = true, false
	f.id, f.sku, f.name, f.threshold = cloned(e.ID), cloned(e.SKU), cloned(e.Name), e.LowStockThreshold
	f.price, f.currency = e.Price, cloned(e.Currency)
	f.createdAt, f.nameAt, f.skuAt, f.thresholdAt, f.balanceAt = s.seq(), s.seq(), s.seq(), s.seq(), s.seq()
	f.quote(s)
	f.totals.Initial += e.Stock
	f.balance = product.Balance{Stock: e.Stock}
}

func (f *shelf) update(s *step, e *product.Updated) {
	s.require(f.exists, G7, "updated, but does not exist")
	s.require((e.Price == nil || *e.Price >= 0) && (e.LowStockThreshold == nil || *e.LowStockThreshold >= 0) &&
		(e.Currency == nil || isCurrency(*e.Currency)) && (e.SKU == nil || *e.SKU != ""), G7, "price, threshold, currency or sku is out of range")
	if e.Name != nil {
		f.name, f.nameAt = cloned(*e.Name), s.seq()
	}
	if e.SKU != nil {
		s.require(*e.SKU == f.sku || f.claimsSettled(), G7, "another sku before the last one was claimed")
		f.sku, f.skuAt = cloned(*e.SKU), s.seq()
	}
	if e.LowStockThreshold != nil {
		f.threshold, f.thresholdAt = *e.LowStockThreshold, s.seq()
	}
	if e.Price != nil {
		f.price = *e.Price
	}
	if e.Currency != nil {
		f.currency = cloned(*e.Currency)
	}
	f.quote(s)
	f.rearm()
}

// quote remembers what the product is called and costs, for an order may have been placed at that.
func (f *shelf) quote(s *step) {
	if q := s.digestQuote(f.name, f.price, f.currency); !slices.Contains(f.quotes, q) {
		f.quotes, f.quoteAt = append(f.quotes, q), s.seq()
	}
}

func (f *shelf) alert(s *step, e *product.LowStock) {
	s.require(f.exists && !f.alerted && f.available() <= f.threshold, G7, "low stock is announced without a reason")
	s.require(e.ProductID == s.identity, G7, "product %s is not the one of this stream", e.ProductID)
	s.same(e.ProductName == f.name, G7, "the name", f.nameAt)
	s.same(e.Threshold == f.threshold, G7, "the threshold", f.thresholdAt)
	s.require(e.Available == f.available(), G3, "%d available, announced as %d", f.available(), e.Available)
	f.alerted = true
}

func (f *shelf) claimsSettled() bool {
	if !f.exists {
		return f.claimedSKU == "" && f.claimedID == ""
	}
	return f.claimedSKU == f.sku && f.claimedID == f.id
}

func (f *shelf) settleClaims(s *step, e *product.ClaimsSettled) {
	s.require(!f.claimsSettled(), G7, "claims are settled again")
	if f.exists {
		s.same(e.SKU == f.sku, G7, "the sku", f.skuAt)
		f.claimedID = f.id
	} else {
		s.require(e.SKU == "", G7, "a sku is claimed of a product that does not exist")
		f.claimedID = ""
	}
	f.claimedSKU = cloned(e.SKU)
}
