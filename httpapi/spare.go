package httpapi

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// spares knows the connections on which nothing has come yet: browsers and HTTP clients open some ahead of need. The
// HTTP server takes them for requests under way, and would wait for them when it shuts down.
type spares struct {
	net.Listener

	mu    sync.Mutex
	conns map[*spare]time.Time // when it was accepted
}

func newSpares(listener net.Listener) *spares {
	return &spares{Listener: listener, conns: make(map[*spare]time.Time)}
}

// Accept returns the next connection, which counts as spare until its first byte.
func (s *spares) Accept() (net.Conn, error) {
	conn, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &spare{Conn: conn, of: s}
	s.mu.Lock()
	s.conns[c] = time.Now()
	s.mu.Unlock()
	return c, nil
}

// hangUp closes what has been spare for that long.
func (s *spares) hangUp(age time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, accepted := range s.conns {
		if time.Since(accepted) >= age {
			_ = c.Conn.Close() // its reader ends, and with it everything about it
			delete(s.conns, c)
		}
	}
}

func (s *spares) forget(c *spare) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

type spare struct {
	net.Conn
	of   *spares
	used atomic.Bool
}

func (c *spare) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.used.Load() && c.used.CompareAndSwap(false, true) {
		c.of.forget(c)
	}
	return n, err
}

func (c *spare) Close() error {
	c.of.forget(c)
	return c.Conn.Close()
}
