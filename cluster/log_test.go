package cluster_test

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

// warnings is what members have logged above INFO.
type warnings struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *warnings) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(line)
}

func (w *warnings) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *warnings) log(c *cluster.Config) {
	c.Logger = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

func TestAnOrderlyLeaveIsNoWarning(t *testing.T) {
	s := newShop(t)
	w := &warnings{}
	a, b, c := s.join("a", w.log), s.join("b", w.log), s.join("c", w.log)
	s.settled(3, a, b, c)
	_, err := a.Client().Ask(t.Context(), "entity", s.owned(b, "far"), &messages.Command{})
	require.NoError(t, err)

	require.NoError(t, b.Leave(t.Context()))
	b.Stop()
	s.settled(2, a, c)
	require.NoError(t, c.Leave(t.Context()))
	c.Stop()
	s.settled(1, a)
	s.lists(a, 3)
	assert.Empty(t, w.all())
}

func TestALostConnectionToAMemberIsAWarning(t *testing.T) {
	s := newShop(t)
	w := &warnings{}
	listens := freeAddress(t)
	cable := lay(t, listens)
	a := s.join("a", w.log)
	b := s.join("b", func(c *cluster.Config) { c.Addr, c.Advertise = listens, cable.addr })
	s.settled(2, a, b)
	far := s.owned(b, "far")
	_, err := a.Client().Ask(t.Context(), "entity", far, &messages.Command{})
	require.NoError(t, err)
	assert.Empty(t, w.all())

	cable.cut()
	until(t, "the loss is logged", func() bool { return strings.Contains(w.all(), "lost connection") }, func() any { return w.all() })
	assert.Contains(t, w.all(), cable.addr)
	_, err = a.Client().Ask(t.Context(), "entity", far, &messages.Command{})
	assert.NoError(t, err)
}

// cable leads from its address to another one.
type cable struct {
	addr string

	mu   sync.Mutex
	ends []net.Conn
}

func lay(t *testing.T, to string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{addr: listener.Addr().String()}
	var streams sync.WaitGroup
	streams.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			c.mu.Lock()
			c.ends = append(c.ends, near, far)
			c.mu.Unlock()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				streams.Go(func() { _, _ = io.Copy(way[0], way[1]); _ = way[0].Close() })
			}
		}
	})
	t.Cleanup(func() { _ = listener.Close(); c.cut(); streams.Wait() })
	return c
}

// cut ends the connections that there are; new ones come about.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		_ = end.Close()
	}
	c.ends = nil
}
