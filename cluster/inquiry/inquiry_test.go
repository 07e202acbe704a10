package inquiry_test

import (
	"context"
	"log/slog"
	"sync"
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
	desk := inquiry.NewDesk(s)
	q := desk.Open()
	for _, answer := range []string{"first", "second"} {
		s.Root.Send(q.PID, answer)
	}
	assert.Equal(t, "first", <-q.Answer)
	q.Close()
	abandoned := desk.Open()
	abandoned.Close()

	next := desk.Open() // has the channel of one of those before it
	for _, late := range []*actor.PID{q.PID, abandoned.PID} {
		s.Root.Send(late, "late")
	}
	assert.Empty(t, next.Answer)
	s.Root.Send(next.PID, "its own")
	assert.Equal(t, "its own", <-next.Answer)
	next.Close()

	unseen := desk.Open()
	s.Root.Send(unseen.PID, "nobody looks")
	unseen.Close()
	assert.Empty(t, desk.Open().Answer)
}

// TestEveryQuestionGetsItsOwnAnswer while others are answered twice, late or never.
func TestEveryQuestionGetsItsOwnAnswer(t *testing.T) {
	s := system(t)
	desk := inquiry.NewDesk(s)
	echo := s.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if number, ok := ctx.Message().(int); ok && number%5 != 0 {
			ctx.Respond(number)
			ctx.Respond(number)
		}
	}))
	var askers sync.WaitGroup
	for asker := range 8 {
		askers.Go(func() {
			for n := range 2000 {
				number := asker*2000 + n
				ctx, cancel := context.WithCancel(t.Context())
				if number%3 == 0 || number%5 == 0 {
					cancel() // whether it is answered or not, and before or after
				}
				answer, err := desk.Ask(ctx, echo, number)
				if err == nil {
					assert.Equal(t, number, answer)
				}
				cancel()
			}
		})
	}
	askers.Wait()
}

func TestAsk(t *testing.T) {
	s := system(t)
	desk := inquiry.NewDesk(s)
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

	answer, err := desk.Ask(t.Context(), pid, "question")
	require.NoError(t, err)
	assert.Equal(t, "question answered", answer)

	_, err = desk.Ask(t.Context(), pid, "refused")
	assert.ErrorIs(t, err, inquiry.ErrNotDelivered)

	over, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = desk.Ask(over, pid, "silent")
	assert.ErrorIs(t, err, context.Canceled)

	answer, err = desk.Ask(t.Context(), pid, "end")
	require.NoError(t, err)
	assert.Equal(t, "end answered", answer)
	<-ended
	_, err = desk.Ask(t.Context(), pid, "too late")
	assert.ErrorIs(t, err, inquiry.ErrNotDelivered)
}
