package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/actors/gateway/gatewaytest"
	"github.com/queuecommerce/queuecommerce/storage/mongo"
)

const (
	stripeKey     = "sk_test_chaos"
	webhookSecret = "whsec_chaos"
)

// world is one installation with everything around it: members, store, broker and provider, and the links between them,
// which are its own. Nothing of it is shared with the world of another run, but for the servers of store and broker.
type world struct {
	t        testing.TB
	dir      string // logs and clocks
	prefix   string // of the databases
	members  []*member
	urls     []string
	toStore  []*link // one per member; none when the store is a real replica set
	toBroker []*link
	toPeer   []*link // the way to each member, for the others
	provider *gatewaytest.Server
	hears    *subscriber
	breaking sync.Mutex // held while the broker is away: killing it again while it starts would be another fault

	mu       sync.Mutex
	grumbles []string // what went wrong while faults were made or ended, and is no fault of the shop
}

// layout is what kind of world is wanted.
type layout struct {
	program string
	members int
	lease   time.Duration // 0: the default
	direct  bool          // without links: only processes can be broken
}

// newWorld starts everything, and waits until all members are ready. It ends with the test.
func newWorld(t testing.TB, l layout) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "queuecommerce-chaos-")
	require.NoError(t, err)
	w := &world{t: t, dir: dir, prefix: services.store.Prefix(t), hears: subscribe(t)}
	t.Cleanup(func() {
		if !t.Failed() && !options.keep {
			_ = os.RemoveAll(dir)
		}
	})
	w.provider = gatewaytest.NewServer(gatewaytest.Config{SecretKey: stripeKey, WebhookSecret: webhookSecret})
	t.Cleanup(w.provider.Close)
	for n := range l.members {
		w.add(n, l)
	}
	for _, m := range w.members {
		t.Cleanup(m.dispose)
		require.NoError(t, m.start())
	}
	w.provider.DeliverTo(w.webhook)
	require.NoError(t, w.awaitReady(time.Minute))
	return w
}

// store opens the store of the world's members, past all links; the caller closes it.
func (w *world) store(ctx context.Context) (*mongo.Store, error) {
	return mongo.Open(ctx, mongo.Config{URI: services.store.URI(), Prefix: w.prefix})
}

// add makes a member that does not run yet.
func (w *world) add(n int, l layout) {
	w.t.Helper()
	address := freeAddress(w.t)
	m := &member{number: n, program: l.program, url: "http://" + address, log: filepath.Join(w.dir, fmt.Sprintf("member-%d.log", n)),
		clock: filepath.Join(w.dir, fmt.Sprintf("member-%d.clock", n))}
	m.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(), "HTTP_ADDR=" + address,
		"MONGODB_PREFIX=" + w.prefix, "STRIPE_SECRET_KEY=" + stripeKey, "STRIPE_WEBHOOK_SECRET=" + webhookSecret,
		"STRIPE_API_BASE=" + w.provider.URL, clockVariable + "=" + m.clock}
	store, broker, listens := services.store.URI(), services.broker.URL(w.t), freeAddress(w.t)
	m.peers = listens
	if l.members > 1 {
		m.env = append(m.env, "CLUSTER=mongo", "CLUSTER_ADDR="+listens)
	}
	if l.lease > 0 {
		m.env = append(m.env, "CLUSTER_LEASE_TTL="+l.lease.String())
	}
	if !l.direct {
		if !services.replicated {
			store = services.store.Via(w.link(&w.toStore, services.storeAddress).addr)
		}
		broker = through(w.t, broker, w.link(&w.toBroker, services.broker.Address(w.t)))
		peer := w.link(&w.toPeer, listens)
		if l.members > 1 {
			require.NoError(w.t, peer.setDead(true))
			m.door, m.peers, m.env = peer, peer.addr, append(m.env, "CLUSTER_ADVERTISE="+peer.addr)
		}
	}
	m.env = append(m.env, "MONGODB_URI="+store, "AMQP_URL="+broker)
	w.members, w.urls = append(w.members, m), append(w.urls, m.url)
}

// through is the address with the link in place of the server.
func through(t testing.TB, address string, l *link) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Host = l.addr
	return u.String()
}

func (w *world) link(among *[]*link, target string) *link {
	w.t.Helper()
	l, err := newLink(freeAddress(w.t), target)
	require.NoError(w.t, err)
	w.t.Cleanup(l.close)
	*among = append(*among, l)
	return l
}

// addresses hands out ports. Each is handed out once until it is given back: it is not listened on all the time.
type addresses struct {
	mu    sync.Mutex
	taken map[string]bool
}

// freeAddress is a loopback address below the range that the system gives to outgoing connections, so that it stays free
// while a member is down. It is this test's until it ends.
func freeAddress(t testing.TB) string {
	t.Helper()
	pool := &services.addresses
	pool.mu.Lock()
	defer pool.mu.Unlock()
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if pool.taken[address] {
			continue
		}
		if listener, err := net.Listen("tcp", address); err == nil {
			require.NoError(t, listener.Close())
			pool.taken[address] = true
			t.Cleanup(func() { pool.giveBack(address) })
			return address
		}
	}
	t.Fatal("no free port")
	return ""
}

func (a *addresses) giveBack(address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.taken, address)
}

// webhook delivers to any member that takes it.
func (w *world) webhook(ctx context.Context, payload []byte, signature string) error {
	var faults []error
	first := rand.IntN(len(w.urls))
	for i := range w.urls {
		url := w.urls[(first+i)%len(w.urls)]
		attempt, cancel := context.WithTimeout(ctx, attemptLimit)
		err := gatewaytest.PostTo(url+"/payments/webhook/stripe")(attempt, payload, signature)
		cancel()
		if err == nil {
			return nil
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// awaitReady waits until every member is ready.
func (w *world) awaitReady(patience time.Duration) error {
	for _, m := range w.members {
		var last error
		if !within(patience, func() bool { last = m.ready(context.Background()); return last == nil }) {
			return fmt.Errorf("member %d is not ready after %v: %w; its log: %s", m.number, patience, last, m.log)
		}
	}
	return nil
}

// heal makes the world whole: whatever a fault has left is ended.
func (w *world) heal() error {
	var faults []error
	for _, links := range [][]*link{w.toStore, w.toBroker, w.toPeer} {
		for _, l := range links {
			faults = append(faults, l.set(condition{}))
		}
	}
	w.provider.Up()
	w.provider.Heal()
	if services.ownBroker {
		faults = append(faults, attempt(w.t, services.broker.Start))
	}
	for _, m := range w.members {
		m.signal(signalContinue)
		faults = append(faults, m.setClock(0), m.start())
	}
	return errors.Join(faults...)
}

// grumble notes what a fault could not do.
func (w *world) grumble(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	text, _, _ := strings.Cut(err.Error(), "\n")
	w.grumbles = append(w.grumbles, text)
}

// within waits until the condition holds, and says whether it came to hold in time.
func within(patience time.Duration, condition func() bool) bool {
	deadline := time.Now().Add(patience)
	for pause := 2 * time.Millisecond; !condition(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(pause)
	}
	return true
}
