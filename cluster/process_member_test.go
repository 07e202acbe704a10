package cluster_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/rpc"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

// These make this test binary a member instead of a test.
const (
	storeVariable  = "CLUSTER_TEST_STORE"
	nameVariable   = "CLUSTER_TEST_NAME"
	listenVariable = "CLUSTER_TEST_LISTEN"
	ttlVariable    = "CLUSTER_TEST_TTL" // may be missing
)

// exitLost is how a member ends that the others have gone on without.
const exitLost = 3

func TestMain(m *testing.M) {
	if addr := os.Getenv(storeVariable); addr != "" {
		os.Exit(beMember(addr, os.Getenv(nameVariable), os.Getenv(listenVariable)))
	}
	os.Exit(m.Run())
}

// beMember joins the others, asks entities all the time, and leaves when its standard input ends.
func beMember(addr, name, listen string) int {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("process", name)
	connection, err := rpc.Dial("tcp", addr)
	if err != nil {
		logger.Error("no store", "err", err)
		return 1
	}
	store := remoteStore{connection}
	lifetime := ttl
	if text := os.Getenv(ttlVariable); text != "" {
		if lifetime, err = time.ParseDuration(text); err != nil {
			logger.Error("no lifetime", "err", err)
			return 1
		}
	}
	m, err := cluster.Start(cluster.Config{Name: "processes", Addr: listen, Writer: name, Leases: store, LeaseTTL: lifetime,
		Kinds: []string{"counter"}, Logger: logger, Props: func(string) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return &counter{store: store, member: name} })
		}})
	if err != nil {
		logger.Error("not started", "err", err)
		return 1
	}
	stdin := make(chan struct{})
	go func() { defer close(stdin); _, _ = io.Copy(io.Discard, os.Stdin) }()
	buyers := startBuyers(m, store, name)
	select {
	case <-m.Lost():
		return exitLost
	case <-stdin:
	}
	if m.Size() == 1 {
		buyers.finish() // nobody else would answer
	}
	if err := m.Leave(context.Background()); err != nil {
		logger.Error("not left", "err", err)
		return 1
	}
	buyers.finish()
	m.Stop()
	return 0
}

// counter executes each command once: it appends its id to its stream.
type counter struct {
	store    remoteStore
	member   string
	stream   string
	version  int
	executed map[string]bool
	broken   bool
}

func (c *counter) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *proto.ClusterInit:
		c.stream, c.executed = m.Identity.GetIdentity(), map[string]bool{}
		var entries []Entry
		c.broken = c.store.call(context.Background(), "Load", c.stream, &entries) != nil
		for _, e := range entries {
			c.executed[e.Command] = true
		}
		c.version = len(entries)
	case *messages.Command:
		if c.append(m.GetId()) {
			ctx.Respond(&messages.Reply{Version: uint64(c.version)})
			return
		}
		c.broken = true
		ctx.Respond(&messages.Reply{Refusal: &messages.Refusal{Kind: 7, Code: "retry"}})
		ctx.Stop(ctx.Self())
	}
}

func (c *counter) append(command string) bool {
	if c.broken || c.executed[command] {
		return !c.broken
	}
	var done bool
	call := AppendCall{Stream: c.stream, Version: c.version, Entry: Entry{Command: command, Member: c.member}}
	if err := c.store.call(context.Background(), "Append", call, &done); err != nil || !done {
		return false
	}
	c.version++
	c.executed[command] = true
	return true
}

// buyers ask from one member, and report.
type buyers struct {
	member *cluster.Member
	store  remoteStore
	stop   chan struct{}
	once   sync.Once
	all    sync.WaitGroup

	mu     sync.Mutex
	report Report
}

const (
	buyersPerMember = 4
	streams         = 60
)

func startBuyers(m *cluster.Member, store remoteStore, name string) *buyers {
	b := &buyers{member: m, store: store, stop: make(chan struct{}), report: Report{Member: name}}
	for i := range buyersPerMember {
		b.all.Go(func() {
			for n := 0; !b.stopped(0); n++ {
				b.buy(fmt.Sprintf("%s-%d-%d", name, i, n))
			}
		})
	}
	b.all.Go(func() {
		for !b.stopped(50 * time.Millisecond) {
			b.send()
		}
	})
	return b
}

func (b *buyers) stopped(within time.Duration) bool {
	select {
	case <-b.stop:
		return true
	case <-time.After(within):
		return false
	}
}

func (b *buyers) buy(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := time.Now()
	stream := fmt.Sprint("stream-", rand.N(streams))
	_, err := b.member.Client().Ask(ctx, "counter", stream, &messages.Command{Id: id})
	took := time.Since(begun)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Asked++
	if took > b.report.Longest {
		b.report.Longest, b.report.Slowest = took, fmt.Sprintf("%s to %s at %s", id, stream, begun.UTC().Format("05.000"))
	}
	if err != nil {
		b.report.Failed = append(b.report.Failed, fmt.Sprint(id, ": ", err))
		return
	}
	b.report.Acked = append(b.report.Acked, id)
}

func (b *buyers) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Size = b.member.Size()
	select {
	case <-b.member.Lost():
		b.report.Lost = true
	default:
	}
	_ = b.store.call(context.Background(), "Report", b.report, &Nothing{})
}

// finish lets running questions end, and reports them.
func (b *buyers) finish() {
	b.once.Do(func() { close(b.stop) })
	b.all.Wait()
	b.send()
}
