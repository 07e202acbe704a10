package chaos

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// condition is what a link does to what passes.
type condition struct {
	delay  time.Duration // of every piece of data
	hold   bool          // nothing passes; it arrives late, when the condition ends
	cut    bool          // nothing passes, and what was sent is lost: the connections break when the condition ends
	deaf   bool          // requests pass, answers are lost: the connections break when the condition ends
	refuse bool          // connections are reset, and none is taken
}

// link is a network path to one address, and can be put into any condition. It owns its goroutines; close waits for
// them.
type link struct {
	addr   string // of this end
	target string
	all    sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil: connections are refused
	now      condition
	dead     bool          // nobody listens at the target
	changed  chan struct{} // closed, and made anew, at every change
	pairs    map[*pair]bool
	closed   bool
}

// pair is one connection through the link.
type pair struct {
	client, server net.Conn
	spoilt         bool // something that it carried is lost
}

func newLink(addr, target string) (*link, error) {
	l := &link{addr: addr, target: target, changed: make(chan struct{}), pairs: map[*pair]bool{}}
	return l, l.set(condition{})
}

func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	for p := range l.pairs {
		p.reset()
	}
	_ = l.turn() // nothing is opened any more
	l.mu.Unlock()
	l.all.Wait()
}

// set puts the link into a condition; the zero one makes it whole.
func (l *link) set(c condition) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = c
	for p := range l.pairs {
		switch {
		case c.refuse, p.spoilt && !c.cut && !c.deaf:
			p.reset()
		case c.cut, c.deaf:
			p.spoilt = true
		}
	}
	return l.turn()
}

// setDead says whether nobody listens at the target, so that a connection is refused here as it would be there.
func (l *link) setDead(dead bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = dead
	return l.turn()
}

// turn lets the change be felt: by those who connect, and by those who wait. The mutex is held.
func (l *link) turn() (err error) {
	close(l.changed)
	l.changed = make(chan struct{})
	open := !l.closed && !l.now.refuse && (!l.dead || l.now.hold || l.now.cut)
	switch {
	case open && l.listener == nil:
		if l.listener, err = net.Listen("tcp", l.addr); err != nil {
			return fmt.Errorf("link to %s: %w", l.target, err)
		}
		l.addr = l.listener.Addr().String()
		listener := l.listener
		l.all.Go(func() { l.accept(listener) })
	case !open && l.listener != nil:
		_ = l.listener.Close()
		l.listener = nil
	}
	return nil
}

func (l *link) condition() (c condition, changed <-chan struct{}, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.changed, l.closed
}

func (l *link) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		l.all.Go(func() { l.serve(conn) })
	}
}

// serve carries one connection. Like a host that can't be reached, a cut or held link takes no part in it until it is
// whole.
func (l *link) serve(client net.Conn) {
	p := &pair{client: client}
	if !l.reachable() {
		p.reset()
		return
	}
	server, err := net.DialTimeout("tcp", l.target, 5*time.Second)
	if err != nil {
		p.reset()
		return
	}
	p.server = server
	l.mu.Lock()
	if l.closed || l.now.refuse {
		p.reset()
		l.mu.Unlock()
		return
	}
	l.pairs[p] = true
	p.spoilt = l.now.cut || l.now.deaf
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.carry(p, client, server, false) })
	both.Go(func() { l.carry(p, server, client, true) })
	both.Wait()
	l.mu.Lock()
	delete(l.pairs, p)
	l.mu.Unlock()
}

// reachable waits until a connection can be made.
func (l *link) reachable() bool {
	for {
		now, changed, closed := l.condition()
		switch {
		case closed, now.refuse:
			return false
		case !now.cut && !now.hold:
			return true
		}
		<-changed
	}
}

// carry copies one direction until either end is gone.
func (l *link) carry(p *pair, from, to net.Conn, answers bool) {
	defer p.end()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && l.passes(answers) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// passes waits for as long as the link holds a piece of data back, and says whether it arrives.
func (l *link) passes(answers bool) bool {
	now, changed, closed := l.condition()
	if now.delay > 0 {
		timer := time.NewTimer(now.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
			now, changed, closed = l.condition()
		case <-changed:
			now, changed, closed = l.condition()
		}
	}
	for now.hold && !closed {
		<-changed
		now, changed, closed = l.condition()
	}
	return !closed && !now.cut && !(now.deaf && answers)
}

// reset ends both connections as a crash of the network would: what is under way is lost.
func (p *pair) reset() {
	for _, conn := range []net.Conn{p.client, p.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	p.end()
}

// end ends both connections; what has been written arrives.
func (p *pair) end() {
	_ = p.client.Close()
	if p.server != nil {
		_ = p.server.Close()
	}
}
