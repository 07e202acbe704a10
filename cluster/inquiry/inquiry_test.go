package inquiry_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster/inquiry"
)

func system(t *testing.T) *actor.ActorSystem {
	s := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	t.Cleanup(s.Shutdown)
	return s
}

func TestNamesAreNeverUsedAgainAlsoNotByTheNextProcess(t *testing.T) {
	names := map[string]bool{}
	for range 2 {
		process := system(t)
		for range 100 {
			name := inquiry.Name(process)
			require.False(t, names[name], name)
			names[name] = true
		}
	}
}

func TestFirstAnswerCountsAndLateOnesAreDropped(t *testing.T) {
	s := system(t)
	q := inquiry.Open(s)
	for _, answer := range []string{"first", "second"} {
		s.Root.Send(q.PID, answer)
	}
	assert.Equal(t, "first", <-q.Answer)
	q.Close()
	_, reached := s.ProcessRegistry.Get(actor.NewPID(q.PID.GetAddress(), q.PID.GetId()))
	assert.False(t, reached, "nobody is there for a late answer")
	assert.Empty(t, q.Answer)
}

func TestAsk(t *testing.T) {
	s := system(t)
	admit := func(message any) bool { return message != "refused" }
	ended := make(chan struct{})
	pid := s.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case string:
			if m == "end" {
				ctx.Stop(ctx.Self())
			}
			if m != "silent" {
				ctx.Respond(m + " answered")
			}
		}
	}, actor.WithMailbox(inquiry.Gated(s, func() { close(ended) }, admit))))

	answer, err := inquiry.Ask(t.Context(), s, pid, "question")
	require.NoError(t, err)
	assert.Equal(t, "question answered", answer)

	_, err = inquiry.Ask(t.Context(), s, pid, "refused")
	assert.ErrorIs(t, err, inquiry.ErrNotDelivered)

	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = inquiry.Ask(over, s, pid, "silent")
	assert.ErrorIs(t, err, context.Canceled)

	answer, err = inquiry.Ask(t.Context(), s, pid, "end")
	require.NoError(t, err)
	assert.Equal(t, "end answered", answer)
	<-ended
	_, err = inquiry.Ask(t.Context(), s, pid, "too late")
	assert.ErrorIs(t, err, inquiry.ErrNotDelivered)
}
