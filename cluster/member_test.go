package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

// echo answers with its identity; "stop" ends it, "silent" gets no answer.
type echo struct {
	identity string
	live     *sync.Map // identity -> *atomic.Int32, how many activations there are now
	opened   *atomic.Int64
	most     *atomic.Int32
}

func (e *echo) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *proto.ClusterInit:
		e.identity = m.Identity.GetIdentity()
		e.opened.Add(1)
		count, _ := e.live.LoadOrStore(e.identity, new(atomic.Int32))
		if n := count.(*atomic.Int32).Add(1); n > e.most.Load() {
			e.most.Store(n)
		}
	case *messages.Command:
		switch m.GetId() {
		case "silent":
			return
		case "stop":
			ctx.Stop(ctx.Self())
		}
		ctx.Respond(&messages.Reply{Document: []byte(e.identity)})
	case *actor.Stopped:
		count, _ := e.live.Load(e.identity)
		count.(*atomic.Int32).Add(-1)
	}
}

func start(t *testing.T) (*cluster.Member, *echo) {
	t.Helper()
	shared := &echo{live: &sync.Map{}, opened: &atomic.Int64{}, most: &atomic.Int32{}}
	member, err := cluster.Start(cluster.Config{Name: "test", Addr: "127.0.0.1:0", Kinds: []string{"echo"}, Logger: slog.New(slog.DiscardHandler),
		Props: func(string) *actor.Props {
			return actor.PropsFromProducer(func() actor.Actor { return &echo{live: shared.live, opened: shared.opened, most: shared.most} })
		}})
	require.NoError(t, err)
	t.Cleanup(member.Stop)
	return member, shared
}

func TestMember(t *testing.T) {
	member, shared := start(t)
	client := member.Client()

	t.Run("an entity is opened by its first message, once", func(t *testing.T) {
		before := shared.opened.Load()
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				reply, err := client.Ask(context.Background(), "echo", "one/with a slash", &messages.Command{})
				if assert.NoError(t, err) {
					assert.Equal(t, "one/with a slash", string(reply.GetDocument()))
				}
			})
		}
		callers.Wait()
		assert.EqualValues(t, 1, shared.opened.Load()-before)
	})

	t.Run("one that has stopped is opened again, never beside its successor, and no question is lost", func(t *testing.T) {
		var callers sync.WaitGroup
		for i := range 40 {
			callers.Go(func() {
				for n := range 50 {
					command := &messages.Command{}
					if (n+i)%10 == 0 {
						command.Id = "stop"
					}
					ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
					_, err := client.Ask(ctx, "echo", fmt.Sprint("restless-", n%4), command)
					cancel()
					assert.NoError(t, err)
				}
			})
		}
		callers.Wait()
		assert.EqualValues(t, 1, shared.most.Load())
	})

	t.Run("no answer in time is an unknown outcome", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := client.Ask(ctx, "echo", "one", &messages.Command{Id: "silent"})
		assert.ErrorIs(t, err, cluster.ErrUnknown)
	})

	t.Run("an unknown kind is never executed", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := client.Ask(ctx, "no such kind", "one", &messages.Command{})
		assert.ErrorIs(t, err, cluster.ErrNotExecuted)
	})

	t.Run("after draining nothing is executed", func(t *testing.T) {
		member.Drain()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := client.Ask(ctx, "echo", "one", &messages.Command{})
		assert.ErrorIs(t, err, cluster.ErrNotExecuted)
	})
}
