package verify_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/actors/claim"
	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
	"github.com/queuecommerce/queuecommerce/actors/webhook"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// shop writes a journal with the real rules: it does one after another what a member's actors do beside each other.
type shop struct {
	t       testing.TB
	random  *rand.Rand
	now     domain.Time
	policy  order.Policy
	entries []storage.Entry
	number  uint64
	writer  string
	members *members      // nil: one member, whose clock is right
	jump    time.Duration // by which the clock is put forward at one order, and back at the next

	orders   map[string]*order.State
	products map[string]*product.State
	payments map[string]*payment.State
	claims   map[string]*claim.State
	inboxes  map[string]*webhook.State
}

var opening = domain.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))

func newShop(t testing.TB, seed uint64) *shop {
	return &shop{t: t, random: rand.New(rand.NewPCG(seed, 7)), now: opening, writer: "member-1",
		policy: order.Policy{TaxPPM: 100_000, ShippingFlat: 1000, Currency: "usd", ReservationTTL: 15 * time.Minute},
		orders: map[string]*order.State{}, products: map[string]*product.State{}, payments: map[string]*payment.State{},
		claims: map[string]*claim.State{}, inboxes: map[string]*webhook.State{}}
}

// pass lets time go by.
func (s *shop) pass(d time.Duration) domain.Time {
	s.now = s.now.Add(d)
	return s.now
}

func (s *shop) newID() string {
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], s.random.Uint64())
	return domain.NewID(s.now, tail)
}

func entity[S any](states map[string]*S, identity string) *S {
	if states[identity] == nil {
		states[identity] = new(S)
	}
	return states[identity]
}

type event interface{ EventType() string }

// run decides, evolves, and journals what happened as one entry.
func run[S, C any, E event](s *shop, kind, identity, cause string, states map[string]*S, command C,
	decide func(*S, C) ([]E, error), evolve func(*S, E), codec domain.Codec[E]) ([]E, error) {
	s.t.Helper()
	e := storage.Entry{Stream: storage.StreamOf(kind, identity), First: 1}
	writer, ahead := s.decider(e.Stream)
	state := entity(states, identity)
	events, err := decide(state, stamped(command, ahead))
	if err != nil || len(events) == 0 {
		if _, refused := domain.AsRefusal(err); err != nil && !refused {
			s.t.Fatalf("%s/%s: %T: %v", kind, identity, command, err)
		}
		return nil, err
	}
	e.Writer = writer
	for i := len(s.entries) - 1; i >= 0; i-- {
		if s.entries[i].Stream == e.Stream {
			e.First = s.entries[i].Last() + 1
			break
		}
	}
	for _, event := range events {
		data, err := codec.Encode(event)
		if err != nil {
			s.t.Fatal(err)
		}
		e.Events = append(e.Events, storage.Event{Type: event.EventType(), Schema: domain.CurrentSchema, At: s.now.Add(ahead).Std(), Cause: cause, Data: data})
		evolve(state, event)
	}
	s.number++
	e.Number = s.number
	s.entries = append(s.entries, e)
	return events, nil
}

func (s *shop) order(identity string, c order.Command) error {
	s.t.Helper()
	_, err := run(s, "order", identity, "", s.orders, c, order.Decide, (*order.State).Evolve, order.Codec)
	return err
}

func (s *shop) product(id string, c product.Command) error {
	s.t.Helper()
	_, err := run(s, "product", id, "", s.products, c, product.Decide, (*product.State).Evolve, product.Codec)
	return err
}

func (s *shop) payment(identity, cause string, c payment.Command) error {
	s.t.Helper()
	_, err := run(s, "payment", identity, cause, s.payments, c, payment.Decide, (*payment.State).Evolve, payment.Codec)
	return err
}

func (s *shop) claim(identity string, c claim.Command) error {
	s.t.Helper()
	_, err := run(s, "claim", identity, "", s.claims, c, claim.Decide, (*claim.State).Evolve, claim.Codec)
	return err
}

func (s *shop) inbox(identity string, c webhook.Command) error {
	s.t.Helper()
	_, err := run(s, "webhook", identity, "", s.inboxes, c, webhook.Decide, (*webhook.State).Evolve, webhook.Codec)
	return err
}

// must fails the test for a command that was expected to be accepted.
func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// store holds the entries, with marks as a member leaves them that has published and projected everything.
func (s *shop) store() *memory.Store { return storeOf(s.t, s.entries, s.writer, s.number) }

func storeOf(t testing.TB, entries []storage.Entry, writer string, mark uint64) *memory.Store {
	t.Helper()
	store, ctx := memory.New(), context.Background()
	for i, err := range store.Append(ctx, entries) {
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
	}
	if _, err := store.Enlist(ctx, writer); err != nil {
		t.Fatal(err)
	}
	for _, m := range []storage.Mark{storage.MarkRelayed, storage.MarkProjected} {
		if err := store.Advance(ctx, writer, m, mark); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// tape is a journal as a list: it holds what no store would take.
type tape struct {
	entries []storage.Entry
	marks   []storage.Marks
}

func (j tape) Scan(_ context.Context, visit func(storage.Entry) error) error {
	for _, e := range j.entries {
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

func (j tape) Committed(_ context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	var found []storage.Entry
	for _, e := range j.entries {
		if e.Writer == writer && e.Number > after {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(x, y storage.Entry) int { return cmp.Compare(x.Number, y.Number) })
	return found[:min(limit, len(found))], nil
}

func (j tape) Writers(context.Context) ([]storage.Marks, error) { return j.marks, nil }

func (s *shop) tape() tape { return tape{entries: s.entries, marks: marksOf(s.entries)} }

// catalogue puts a product on sale, with its claims made as the front end and the product make them.
func (s *shop) catalogue(id, sku string, price, stock, threshold int64) {
	s.t.Helper()
	at := s.pass(time.Second)
	docID := s.newID()
	for _, name := range []string{"sku/" + sku, "product/" + docID} {
		s.must(s.claim(name, claim.Acquire{Owner: docID, Value: id, Until: at.Add(time.Minute), At: at}))
	}
	s.must(s.product(id, product.Create{Entry: product.Created{ID: docID, ProductID: id, Name: "The " + id, Description: "What it is.",
		Category: "things", Price: price, Currency: "usd", Stock: stock, LowStockThreshold: threshold, SKU: sku, Weight: 1.5,
		Dimensions: "1 x 2 x 3 cm", Active: true, At: at}}))
	s.settleClaims(id)
}

// settleClaims does what a product still has to do about its claims.
func (s *shop) settleClaims(id string) {
	s.t.Helper()
	p := s.products[id]
	if p.ClaimsSettled() {
		return
	}
	sku, at := "", s.pass(10*time.Millisecond)
	release := func(name string) { s.must(s.claim(name, claim.Release{Owner: p.Entry.ID, At: at})) }
	if p.Exists {
		sku = p.Entry.SKU
		for _, name := range []string{"sku/" + sku, "product/" + p.Entry.ID} {
			s.must(s.claim(name, claim.Acquire{Owner: p.Entry.ID, Value: id, At: at}))
		}
	} else {
		release("product/" + p.Entry.ID)
		release("sku/" + p.Entry.SKU)
	}
	if p.ClaimedSKU != "" && p.ClaimedSKU != p.Entry.SKU {
		release("sku/" + p.ClaimedSKU)
	}
	s.must(s.product(id, product.RecordClaims{SKU: sku, At: at}))
}

type want struct {
	product  string
	quantity int64
}

// place takes an order and returns its identity.
func (s *shop) place(method string, wants ...want) string {
	s.t.Helper()
	s.pass(s.jump)
	s.jump = -s.jump
	id := s.newID()
	identity, at := domain.OrderIdentity(id), s.pass(time.Second)
	place := order.Place{ID: id, Number: domain.OrderNumber(id), ReservationDocID: s.newID(), ReservationID: "RES-" + identity,
		Customer:        order.Customer{CustomerID: fmt.Sprintf("customer-%d", s.random.IntN(1000)), Email: "ada@example.com", FirstName: "Ada", LastName: "L", Phone: "0123456789"},
		ShippingAddress: order.Address{Street: "Street 1", City: "Town", State: "State", PostalCode: "12345", Country: "Land"},
		PaymentMethod:   method, Notes: "ring twice", Policy: s.policy, At: at}
	for _, w := range wants {
		e := s.products[w.product].Entry
		place.Demands = append(place.Demands, order.Demand{ProductID: w.product, Quantity: w.quantity, Known: true, Name: e.Name,
			Price: e.Price, Currency: e.Currency, Active: e.Active})
	}
	s.must(s.order(identity, place))
	return identity
}
