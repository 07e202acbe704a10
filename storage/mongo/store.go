package mongo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/queuecommerce/queuecommerce/storage"
)

// ErrClosed is what every call returns after Close.
var ErrClosed = errors.New("store is closed")

// Config says where the databases are. Zero fields take the defaults.
type Config struct {
	URI            string        // mongodb:// or mongodb+srv://; required
	Prefix         string        // of the three databases' names; default "queuecommerce"
	Timeout        time.Duration // of one call whose context has no deadline; default 15 s
	Selection      time.Duration // how long to look for a server that takes the call; default 3 s
	Connections    uint64        // at most, per server; default 64
	RememberedEnds int           // streams whose end is remembered, at least; default 100,000
}

const (
	defaultPrefix         = "queuecommerce"
	defaultTimeout        = 15 * time.Second
	defaultSelection      = 3 * time.Second
	defaultConnections    = 64
	defaultRememberedEnds = 100_000
	pingTimeout           = 2 * time.Second
	goodbyeTimeout        = 5 * time.Second
	wholeTimeout          = time.Hour
)

// Store is a storage.Store on MongoDB. Safe for concurrent use.
type Store struct {
	config    Config
	client    *driver.Client
	journals  [shardCount]*driver.Collection
	snapshots [shardCount]*driver.Collection
	views     map[storage.Collection]*driver.Collection
	marks     *driver.Collection
	secrets   *driver.Collection
	ends      *ends
	changes   *changes
	catalogue *catalogue
	gate      gate

	leasing sync.Mutex
	leases  *leases // made at first use
}

var _ storage.Store = (*Store)(nil)

// Open connects, proves that the server would take a write, and creates missing indexes. It returns an error when no
// server answers within the selection time; the caller may try again.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	client, err := driver.Connect(cfg.clientOptions())
	if err != nil {
		return nil, fmt.Errorf("connect to mongodb: %w", err)
	}
	s := &Store{
		config: cfg, client: client, ends: newEnds(cfg.RememberedEnds), views: map[storage.Collection]*driver.Collection{},
	}
	s.bind(cfg.Prefix)
	s.gate.init()
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open mongodb: %w", err), s.disconnect())
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Prefix == "" {
		c.Prefix = defaultPrefix
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Selection <= 0 {
		c.Selection = defaultSelection
	}
	if c.Connections == 0 {
		c.Connections = defaultConnections
	}
	if c.RememberedEnds <= 0 {
		c.RememberedEnds = defaultRememberedEnds
	}
	return c
}

func (c Config) clientOptions() *options.ClientOptions {
	return options.Client().ApplyURI(c.URI).
		SetAppName("queuecommerce").
		SetTimeout(c.Timeout).
		SetServerSelectionTimeout(c.Selection).
		SetConnectTimeout(c.Selection).
		SetMaxPoolSize(c.Connections).
		SetRetryWrites(true).
		SetRetryReads(true).
		SetReadPreference(readpref.Primary())
}

// truth is how collections are read and written whose content nothing else brings back.
func truth() *options.CollectionOptionsBuilder {
	journaled := true
	durable := &writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled}
	return options.Collection().SetReadConcern(readconcern.Majority()).SetWriteConcern(durable)
}

func (s *Store) bind(prefix string) {
	derived := options.Collection().SetReadConcern(readconcern.Local()).SetWriteConcern(writeconcern.Majority())
	var databases [shardCount]*driver.Database
	for i := range shardCount {
		databases[i] = s.client.Database(prefix + "_" + shardNames[i])
		s.journals[i] = databases[i].Collection(journalName, truth())
		s.snapshots[i] = databases[i].Collection(snapshotsName, derived)
	}
	for _, collection := range collections {
		i, _ := shardOfCollection(collection)
		s.views[collection] = databases[i].Collection(string(collection), derived)
	}
	s.marks = databases[orders].Collection(marksName, truth())
	s.secrets = databases[orders].Collection(secretsName, truth())
	s.changes = newChanges(databases[inventory].Collection(changesName, derived))
	s.catalogue = newCatalogue(s.changes, s.views[storage.Products])
}

func (s *Store) start(ctx context.Context) error {
	if err := s.client.Ping(ctx, readpref.Primary()); err != nil {
		return err
	}
	if err := s.createIndexes(ctx); err != nil {
		return err
	}
	return s.changes.sweep(ctx)
}

// unhurried gives work on whole collections the time it needs, unless the caller has set a deadline.
func unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, hurried := ctx.Deadline(); hurried {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, wholeTimeout)
}

// Ping returns nil when a server that takes writes answered within two seconds.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.gate.enter(ctx); err != nil {
		return err
	}
	defer s.gate.leave()
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := s.client.Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("ping mongodb: %w", err)
	}
	return nil
}

// Close waits for the calls that are under way and closes all connections. A second Close does nothing.
func (s *Store) Close() error {
	if !s.gate.shut() {
		return nil
	}
	return s.disconnect()
}

func (s *Store) disconnect() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbyeTimeout)
	defer cancel()
	err := s.client.Disconnect(ctx)
	if s.leases != nil {
		err = errors.Join(err, s.leases.client.Disconnect(ctx))
	}
	if err != nil {
		return fmt.Errorf("disconnect from mongodb: %w", err)
	}
	return nil
}

// gate counts the calls that are under way, so that Close can wait for them. A call may start another one.
type gate struct {
	mu     sync.Mutex
	idle   *sync.Cond
	inside int
	closed bool
}

func (g *gate) init() { g.idle = sync.NewCond(&g.mu) }

// enter refuses a call that begins after Close, or with a context that is over.
func (g *gate) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrClosed
	}
	g.inside++
	return nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 {
		g.idle.Broadcast()
	}
}

// shut waits until nobody is inside; it returns false when the gate was shut before.
func (g *gate) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.closed
	g.closed = true
	for g.inside > 0 {
		g.idle.Wait()
	}
	return first
}
