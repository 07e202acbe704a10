// Package storage defines the ports for durable state and their contract: the journal (the truth), the projections that
// are derived from it (read models, snapshots, deadlines), and the marks that say how far relay and projections got.
// It promises nothing itself; storagetest proves an implementation. Callers must not keep or change slices after they
// passed them in, nor change what they were handed.
package storage

import (
	"context"
	"errors"
	"strings"
	"time"
)

var (
	// ErrConflict says that the place (stream, sequence) is taken by another entry: the writer has been fenced out.
	ErrConflict = errors.New("sequence already taken")
	// ErrNotFound says that there is no such document or snapshot.
	ErrNotFound = errors.New("not found")
)

// Stream names one entity's journal: "<kind>/<identity>". A kind has no slash, an identity may have.
type Stream string

// StreamOf names the stream of an entity.
func StreamOf(kind, identity string) Stream { return Stream(kind + "/" + identity) }

// Kind is the part before the first slash.
func (s Stream) Kind() string {
	kind, _, _ := strings.Cut(string(s), "/")
	return kind
}

// Identity is the part after the first slash.
func (s Stream) Identity() string {
	_, identity, _ := strings.Cut(string(s), "/")
	return identity
}

// Event is one stored fact.
type Event struct {
	Type    string    // such as "order.placed"
	Schema  int       // version of the shape of Data, from 1
	At      time.Time // when it was decided; UTC, milliseconds
	Command string    // id of the command that caused it, empty where the entity acted by itself
	Cause   string    // who sent that command, for people: "POST /orders", "order/4b1c...", "deadline"
	Data    []byte    // JSON
}

// Entry is one append: the events that one stream gained in one durable write.
type Entry struct {
	Stream Stream
	First  uint64  // sequence of Events[0]; a stream's sequences start at 1 and have no gaps
	Events []Event // at least one
	Writer string  // the member that wrote it
	Number uint64  // the writer's own counter, from 1: the member's commit order. Rising, gaps are allowed
	Trace  string  // W3C traceparent of the first command, may be empty
}

// Last is the sequence of the entry's last event.
func (e Entry) Last() uint64 { return e.First + uint64(len(e.Events)) - 1 }

// Journal holds every event of every entity, for ever. Safe for concurrent use.
type Journal interface {
	// Append stores each entry all or none, independently of the others, and returns one result per entry, in order:
	//   nil          the entry is durable: it survives the loss of power of whatever the store promises to survive.
	//                Also when exactly this entry (same stream, first, writer and number) was stored before: repeating
	//                an append whose outcome is unknown is safe, and the way to learn the outcome.
	//   ErrConflict  another entry covers Entry.First, or the stream does not end at First-1. Nothing was stored.
	//   other        the outcome is unknown. The caller repeats the append until it gets one of the above.
	// Two entries of one stream must not be in one call.
	Append(ctx context.Context, entries []Entry) []error
	// Read returns the stream's entries that hold sequences above after, ascending, at most limit (0: all). The first
	// one may begin at or below after, when after lies inside it.
	Read(ctx context.Context, stream Stream, after uint64, limit int) ([]Entry, error)
	// ReadBack returns the stream's entries that hold sequences below before (0: from the end), newest first, at most
	// limit (0: all).
	ReadBack(ctx context.Context, stream Stream, before uint64, limit int) ([]Entry, error)
	// Committed returns the writer's entries with a number above after, by number, at most limit.
	Committed(ctx context.Context, writer string, after uint64, limit int) ([]Entry, error)
	// Scan calls visit with every entry; each stream's entries come in sequence. It stops at visit's first error and
	// returns it. Entries that are appended meanwhile may or may not be seen.
	Scan(ctx context.Context, visit func(Entry) error) error
}

// Marks of one writer: everything up to and including the number is done.
type Marks struct {
	Writer    string
	Relayed   uint64 // confirmed by the broker
	Projected uint64 // contained in the projections
}

// Mark names one of the two.
type Mark int

const (
	MarkRelayed Mark = iota + 1
	MarkProjected
)

// Writers keeps the marks. Safe for concurrent use.
type Writers interface {
	// Enlist registers a writer, if it is new, and returns the number of its last entry (0: none).
	Enlist(ctx context.Context, writer string) (last uint64, err error)
	// Writers returns the marks of every writer that is enlisted.
	Writers(ctx context.Context) ([]Marks, error)
	// Advance moves one mark forward, durably before a later process reads it back; a lower number changes nothing.
	Advance(ctx context.Context, writer string, mark Mark, number uint64) error
	// Retire forgets a writer that is gone and whose marks have reached its last entry.
	Retire(ctx context.Context, writer string) error
}

// Projection is what is derived from one stream at one version. It can be deleted and made again from the journal.
type Projection struct {
	Stream    Stream
	Version   uint64
	Snapshot  []byte     // the entity's state, which says itself of which version; empty: the stored one, if any, stays
	Due       time.Time  // when the entity has to be woken if nobody did; zero: it has nothing left to do
	Documents []Document // each replaces the document of the same collection and id
}

// Collection names a read model.
type Collection string

const (
	Orders       Collection = "orders"
	Products     Collection = "products"
	Reservations Collection = "inventory_reservations"
	Payments     Collection = "payments"
)

// Document is one row of a read model: the answer document as JSON, and what lists can filter by.
type Document struct {
	Collection Collection
	ID         string    // the answer's _id, unique in the collection; 24 hex digits
	Created    time.Time // lists are sorted by it, then by ID, newest first
	Status     string
	Customer   string
	Order      string // the order it belongs to; for a product its productId
	External   string // another unique name: an order's number, a payment's Stripe id, a product's sku
	Category   string // products
	Active     bool   // products
	InStock    bool   // products
	Title      string // products: its name, for search
	Text       string // products: its description, for search
	Hidden     bool   // not in lists, searches and counts, and not found by Get
	Body       []byte // JSON object with the answer keys
}

// Filter selects documents of one collection; zero fields do not filter.
type Filter struct {
	Collection Collection
	Status     string
	Customer   string
	Order      string
	External   string
	Category   string
	Active     *bool
	InStock    *bool
}

// Position is a place in a list, after the document with this key; the zero Position is the start.
type Position struct {
	Created time.Time
	ID      string
}

// Projections holds the read models, snapshots and deadlines. It may lag behind the journal; it is never asked for what
// a decision depends on. Safe for concurrent use.
type Projections interface {
	// Save stores the projections; one whose version is not above the stored one changes nothing. When mark is not
	// zero, the writer's projected mark moves to it together with, or after, the projections, never before.
	Save(ctx context.Context, projections []Projection, writer string, mark uint64) error
	// Snapshot returns the stored projection of a stream without its documents, or ErrNotFound. Its Snapshot is the last
	// one that was not empty, so it may be of an older version than the projection.
	Snapshot(ctx context.Context, stream Stream) (Projection, error)
	// Due returns streams whose Due is set and not after at, soonest first, at most limit.
	Due(ctx context.Context, at time.Time, limit int) ([]Stream, error)
	// Get returns one document by its id, or ErrNotFound.
	Get(ctx context.Context, collection Collection, id string) (Document, error)
	// List returns matching documents newest first, at most limit, starting behind after and then skipping skip.
	// Of the documents only ID, Created, Status and Body are promised to be filled in; the same holds for Get and Search.
	List(ctx context.Context, filter Filter, after Position, skip, limit int) ([]Document, error)
	// Count returns how many documents match. It reads kept counters, so it is cheap at any size; Filter may set
	// Category, Active and InStock only, on Products.
	Count(ctx context.Context, filter Filter) (int64, error)
	// Search returns active products whose name or description hold every word of text, the last one also as a prefix;
	// best match first: by how many of the words stand in the name, then newest first, then by ID from the highest.
	// Case-insensitive, at most limit.
	Search(ctx context.Context, text string, limit int) ([]Document, error)
	// Reset deletes all projections and puts every writer's projected mark back to 0; the journal, the relayed marks
	// and the secret stay.
	Reset(ctx context.Context) error
}

// Store is everything that one installation keeps.
type Store interface {
	Journal
	Writers
	Projections
	// Secret returns the installation's random secret of that name, 32 bytes, made on first use, the same ever after.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Ping returns nil when the store would take a write now.
	Ping(ctx context.Context) error
	// Close waits for what is under way and lets go of everything.
	Close() error
}
