package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

func TestThreeStartTogether(t *testing.T) {
	s := newShop(t)
	members := make([]*member, 3)
	var starts sync.WaitGroup
	for i := range members {
		starts.Go(func() {
			var err error
			members[i], err = s.tryJoin(fmt.Sprint("m", i))
			assert.NoError(t, err)
		})
	}
	starts.Wait()
	require.False(t, t.Failed())
	load := s.load(300, members...)
	load.served(t, "m0", "m1", "m2")
	load.end(t)
	assert.Empty(t, s.overlapped())
	for _, m := range members {
		names := []string{}
		for _, lease := range m.Members() {
			names = append(names, lease.Writer)
		}
		assert.ElementsMatch(t, []string{"m0", "m1", "m2"}, names)
	}
}

func TestMembersComeAndGoUnderLoad(t *testing.T) {
	s := newShop(t)
	a := s.join("a")
	load := s.load(300, a)
	load.served(t, "a")

	b, c := s.join("b"), s.join("c")
	s.settled(3, a, b, c)
	load.answers()
	load.served(t, "a", "b", "c")
	load.more(t, 2000)
	load.end(t)
	assert.Empty(t, s.overlapped(), "while others joined")

	load = s.load(300, a, b, c)
	load.more(t, 2000)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Leave(ctx))
	s.mu.Lock()
	opened := len(s.opened)
	s.mu.Unlock()
	require.Equal(t, 300, opened)
	assert.False(t, b.Owns("entity", s.owned(a, "order")))
	load.more(t, 100) // those that had been asked before
	load.answers()
	load.served(t, "a", "c")
	load.more(t, 2000) // also through b, which hands over but still asks
	load.end(t)
	b.Stop()
	s.settled(2, a, c)
	assert.Empty(t, s.overlapped(), "while one left")
	assert.Zero(t, load.by["b"])
}

func TestAnEntityIsOpenedOnlyAfterItsFormerOwnerHasEndedIt(t *testing.T) {
	s := newShop(t)
	end := make(chan struct{})
	s.linger.Store(&end)
	a := s.join("a")
	identities := []string{}
	for i := range 20 {
		identities = append(identities, fmt.Sprint("order-", i))
		reply, err := a.Client().Ask(t.Context(), "entity", identities[i], &messages.Command{})
		require.NoError(t, err)
		require.Equal(t, "a", string(reply.GetDocument()))
	}
	b := s.join("b", func(c *cluster.Config) { c.MaxQueued = 4 })
	s.settled(2, a, b)
	moved := ""
	for _, id := range identities {
		if b.Owns("entity", id) {
			moved = id
		}
	}
	require.NotEmpty(t, moved)

	// The former owner takes its time; what waits for it is bounded, and what does not wait was not executed.
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	unknown, notExecuted := outcomes(10, func(i int) error {
		_, err := b.Client().Ask(ctx, "entity", moved, &messages.Command{Id: fmt.Sprint("queued-", i)})
		return err
	})
	assert.Equal(t, 4, unknown)
	assert.Equal(t, 6, notExecuted)
	assert.Equal(t, 1, s.opens(moved))

	close(end)
	reply, err := b.Client().Ask(t.Context(), "entity", moved, &messages.Command{})
	require.NoError(t, err)
	assert.Equal(t, "b", string(reply.GetDocument()))
	assert.Empty(t, s.overlapped())
}

func TestAFormerOwnerThatDoesNotEndDelaysButDoesNotStop(t *testing.T) {
	s := newShop(t)
	end := make(chan struct{})
	s.linger.Store(&end)
	a := s.join("a")
	for i := range 20 {
		_, err := a.Client().Ask(t.Context(), "entity", fmt.Sprint("order-", i), &messages.Command{})
		require.NoError(t, err)
	}
	b := s.join("b")
	t.Cleanup(func() { close(end) }) // before the members stop
	s.settled(2, a, b)
	reply, err := a.Client().Ask(t.Context(), "entity", s.owned(b, "order"), &messages.Command{})
	require.NoError(t, err)
	assert.Equal(t, "b", string(reply.GetDocument()))
	assert.Len(t, s.overlapped(), 1, "the journal's fence decides then")
}

func TestTwoMembers(t *testing.T) {
	s := newShop(t)
	a := s.join("a", func(c *cluster.Config) { c.MaxWaiting = 2500 })
	b := s.join("b", publishing)
	s.settled(2, a, b)
	far := s.owned(b, "far")

	t.Run("two thousand commands at once arrive, with more in them than the library takes by default", func(t *testing.T) {
		text := strings.Repeat("x", 16<<10)
		var callers sync.WaitGroup
		for i := range 2000 {
			callers.Go(func() {
				reply, err := a.Client().Ask(context.Background(), "entity", far, &messages.Command{Id: fmt.Sprint("burst-", i), Fingerprint: text})
				if assert.NoError(t, err) {
					assert.EqualValues(t, len(text), reply.GetVersion())
				}
			})
		}
		callers.Wait()
	})
	t.Run("a deadline by another member's clock is that of the owner's when it arrives", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before := time.Now()
		reply, err := a.Client().Ask(ctx, "entity", far, &messages.Command{Cause: "deadline", Deadline: before.Add(-time.Hour).UnixMilli()})
		require.NoError(t, err)
		assert.WithinRange(t, time.UnixMilli(int64(reply.GetVersion())), before.Add(30*time.Second), before.Add(2*time.Minute))
	})
	t.Run("one command of a megabyte arrives", func(t *testing.T) {
		reply, err := a.Client().Ask(t.Context(), "entity", far, &messages.Command{Fingerprint: strings.Repeat("x", 1<<20)})
		require.NoError(t, err)
		assert.EqualValues(t, 1<<20, reply.GetVersion())
	})
	t.Run("what is published is answered by the owner without the entity", func(t *testing.T) {
		quiet := s.owned(b, "quiet")
		for _, m := range []*member{a, b} {
			reply, err := m.Client().Ask(t.Context(), "entity", quiet, &messages.Command{Body: &messages.Command_GetProduct{GetProduct: &messages.GetProduct{}}})
			require.NoError(t, err)
			assert.Equal(t, "published "+quiet, string(reply.GetDocument()))
		}
		assert.Zero(t, s.opens(quiet))
	})
	t.Run("an unknown kind is never executed", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := a.Client().Ask(ctx, "no such kind", far, &messages.Command{})
		assert.ErrorIs(t, err, cluster.ErrNotExecuted)
	})
	t.Run("what is not answered may have been executed", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := a.Client().Ask(ctx, "entity", far, &messages.Command{Cause: "silent"})
		require.ErrorIs(t, err, cluster.ErrUnknown)
		assert.NotErrorIs(t, err, cluster.ErrNotExecuted)
	})
	t.Run("a lost answer is asked for again with the same command", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			_, _ = a.Client().Ask(ctx, "entity", far, &messages.Command{Id: "again", Cause: "silent"})
		}()
		until(t, "the entity is asked twice", func() bool { return s.times("again") == 2 }, func() any { return s.times("again") })
		cancel()
		<-asked
	})
	t.Run("an entity that ends loses no question of another member", func(t *testing.T) {
		var callers sync.WaitGroup
		for i := range 40 {
			callers.Go(func() {
				for n := range 25 {
					command := &messages.Command{}
					if (n+i)%10 == 0 {
						command.Cause = "stop"
					}
					ctx, cancel := context.WithTimeout(context.Background(), patience)
					_, err := a.Client().Ask(ctx, "entity", far, command)
					cancel()
					assert.NoError(t, err)
				}
			})
		}
		callers.Wait()
		assert.Empty(t, s.overlapped())
	})
	t.Run("telling reaches the owner", func(t *testing.T) {
		a.Client().Tell("entity", far, &messages.Command{Id: "told"})
		until(t, "the entity was told", func() bool { return s.times("told") == 1 }, func() any { return s.times("told") })
	})
}

func TestQuestionsThatWaitForAMemberAreBounded(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a", func(c *cluster.Config) { c.MaxWaiting = 3 }), s.join("b")
	s.settled(2, a, b)
	far := s.owned(b, "far")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	unknown, notExecuted := outcomes(10, func(i int) error {
		_, err := a.Client().Ask(ctx, "entity", far, &messages.Command{Id: fmt.Sprint(i), Cause: "silent"})
		return err
	})
	assert.Equal(t, 3, unknown)
	assert.Equal(t, 7, notExecuted)
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Len(t, s.executed, 3)
}

// outcomes asks at once, and counts how it ended.
func outcomes(count int, ask func(i int) error) (unknown, notExecuted int) {
	errs := make([]error, count)
	var callers sync.WaitGroup
	for i := range errs {
		callers.Go(func() { errs[i] = ask(i) })
	}
	callers.Wait()
	for _, err := range errs {
		switch {
		case errors.Is(err, cluster.ErrUnknown):
			unknown++
		case errors.Is(err, cluster.ErrNotExecuted):
			notExecuted++
		}
	}
	return unknown, notExecuted
}
