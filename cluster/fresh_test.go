package cluster_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

// gateway is an address through which a member is reached, until it is closed: then it refuses.
type gateway struct{ net.Listener }

func openGateway(t *testing.T, to string) gateway {
	t.Helper()
	listener, err := net.Listen("tcp", freeAddress(t))
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go forward(in, to)
		}
	}()
	return gateway{listener}
}

func forward(in net.Conn, to string) {
	defer in.Close() //nolint:errcheck // of a test
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close() //nolint:errcheck // of a test
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	_, _ = io.Copy(in, out)
}

// TestWhatAMemberTellsIsTrueUntilItsLeaseIsEnded: a network that refuses in a member's name makes it look dead, although
// it lives and serves. It may be replaced soon, but not before it has stopped answering from memory.
func TestWhatAMemberTellsIsTrueUntilItsLeaseIsEnded(t *testing.T) {
	s := newShop(t)
	listens := freeAddress(t)
	gate := openGateway(t, listens)
	a := s.join("a")
	b := s.join("b", publishing, func(c *cluster.Config) { c.Addr, c.Advertise = listens, gate.Addr().String() })
	s.settled(2, a, b)
	own := s.owned(b, "own")
	read := &messages.Command{Body: &messages.Command_GetProduct{}}
	until(t, "b tells what it has published", func() bool {
		reply, err := b.Client().Ask(t.Context(), "entity", own, read)
		return err == nil && string(reply.GetDocument()) == "published "+own
	}, func() any { return nil })

	told := make(chan bool, 100)
	ending := func() { told <- b.Fresh() }
	a.link.ending.Store(&ending)
	b.link.cut(true)
	require.NoError(t, gate.Close())
	until(t, "a goes on alone", func() bool { return a.Size() == 1 }, func() any { return a.Members() })
	assert.False(t, <-told, "b still told what it knew when its lease was ended")
	assert.True(t, b.Current(), "long before its lease would have expired")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	reply, err := b.Client().Ask(ctx, "entity", own, &messages.Command{Body: &messages.Command_GetProduct{}})
	assert.True(t, err != nil || string(reply.GetDocument()) != "published "+own, "b does not tell any more")
}
