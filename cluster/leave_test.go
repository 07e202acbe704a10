package cluster_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
)

func TestLeavingIsRepeatableAndTheLastMemberGoesOn(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a"), s.join("b")
	s.settled(2, a, b)
	moved := s.owned(a, "moved")
	for range 2 {
		require.NoError(t, a.Leave(t.Context()))
	}
	until(t, "b owns everything", func() bool { return b.Owns("entity", moved) }, func() any { return b.Members() })
	for range 2 {
		require.NoError(t, b.Leave(t.Context()))
		reply, err := a.Client().Ask(t.Context(), "entity", moved, &messages.Command{})
		require.NoError(t, err)
		assert.Equal(t, "b", string(reply.GetDocument()))
	}
	for range 2 {
		a.Stop()
	}
	s.settled(1, b)
	b.Drain()
	refuses(t, b, moved)
	b.Stop()
	leases, _ := s.all()
	assert.Empty(t, leases)
}

func TestWhenAllLeaveTogetherNobodyIsKeptWaiting(t *testing.T) {
	s := newShop(t)
	members := []*member{s.join("a"), s.join("b"), s.join("c")}
	s.settled(3, members...)
	for _, m := range members {
		m.link.lists.on.Store(true) // so that each believes that there are others to hand over to
	}
	for _, m := range members {
		require.NoError(t, m.Leave(t.Context()))
	}
	for _, m := range members {
		m.link.lists.on.Store(false)
		before := m.link.listed.Load()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := m.Client().Ask(ctx, "entity", "order-1", &messages.Command{})
		cancel()
		assert.ErrorIs(t, err, cluster.ErrNotExecuted)
		assert.Less(t, m.link.listed.Load()-before, int64(10), "it does not wait for owners that will not come")
	}
}

func TestTheOthersLearnOfAChangeBeforeTheyListTheLeases(t *testing.T) {
	s := newShop(t)
	seldom := func(c *cluster.Config) { c.LeaseTTL = 100 * patience }
	a := s.join("a", seldom)
	b := s.join("b", seldom)
	s.settled(2, a, b)
	moved := s.owned(b, "moved")
	require.NoError(t, b.Leave(t.Context()))
	until(t, "a has taken over", func() bool { return a.Owns("entity", moved) }, func() any { return a.Members() })
	b.Stop()
	s.settled(1, a)
}

func TestAnEntityIsNotGivenUpToWhomTheLeasesContradict(t *testing.T) {
	s := newShop(t)
	a, b := s.join("a"), s.join("b")
	s.settled(2, a, b)
	own := s.owned(b, "own")
	b.link.lists.on.Store(true)
	var gone string
	for _, l := range a.Members() {
		if l.Writer == "b" {
			gone = l.Member
		}
	}
	require.NoError(t, s.leases.Retreat(t.Context(), gone)) // which b does not see
	until(t, "a owns it now", func() bool { return a.Owns("entity", own) }, func() any { return a.Members() })
	_, err := b.Client().Ask(t.Context(), "entity", own, &messages.Command{}) // b has just joined, and asks a to release it
	require.NoError(t, err)

	before := a.link.listed.Load()
	reply, err := a.Client().Ask(t.Context(), "entity", own, &messages.Command{})
	require.NoError(t, err)
	assert.Equal(t, "a", string(reply.GetDocument()))
	assert.Less(t, a.link.listed.Load()-before, int64(10), "the next list shows that b has left")
}
