package cluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/storage"
)

func members(addrs ...string) []storage.Lease {
	leases := make([]storage.Lease, len(addrs))
	for i, addr := range addrs {
		leases[i] = storage.Lease{Member: fmt.Sprintf("%02d-Vq3nYcT8fWp%d", i, i*7919), Addr: addr}
	}
	return leases
}

func addresses(format string, first, count int) []string {
	var addrs []string
	for i := range count {
		addrs = append(addrs, fmt.Sprintf(format, first+i))
	}
	return addrs
}

// orderKey looks like a real one: ids of one moment differ in few characters only.
func orderKey(i int) key { return key{"order", fmt.Sprintf("674123ab%016x", i)} }

func TestEveryMemberOwnsItsShare(t *testing.T) {
	const keys = 300_000
	for _, shape := range [][]string{
		addresses("127.0.0.1:%d", 9101, 3), addresses("10.42.0.%d:8080", 11, 3), addresses("shop-%d.shop:7000", 0, 5),
		addresses("node%d:7000", 1, 5), addresses("10.42.0.%d:8080", 100, 16),
	} {
		v := emptyView().next(members(shape...), time.Now())
		owned := map[string]int{}
		for i := range keys {
			owned[v.ring.owner(orderKey(i)).id]++
		}
		even := float64(keys) / float64(len(shape))
		for _, lease := range v.leases {
			assert.InDelta(t, even, owned[lease.Member], 0.03*even, "%s owns %.2f %% of %d", lease.Addr, 100*float64(owned[lease.Member])/keys, keys)
		}
	}
}

func TestAChangeMovesOnlyWhatItMust(t *testing.T) {
	all := members(addresses("10.42.0.%d:8080", 11, 4)...)
	three, four := emptyView().next(all[:3], time.Now()), emptyView().next(all, time.Now())
	moved := 0
	for i := range 10_000 {
		before, after := three.ring.owner(orderKey(i)).id, four.ring.owner(orderKey(i)).id
		if before != after {
			moved++
			require.Equal(t, all[3].Member, after, "an entity moved between members that both stay")
		}
	}
	assert.InDelta(t, 2500, moved, 250)
}

func TestViewsFollowEachOther(t *testing.T) {
	now := time.Now()
	all := members(addresses("10.42.0.%d:8080", 11, 3)...)
	leaving := append([]storage.Lease{}, all...)
	leaving[1].Leaving = true
	first := emptyView().next(all[:2], now)

	t.Run("renewals change nothing", func(t *testing.T) {
		renewed := append([]storage.Lease{}, all[:2]...)
		renewed[0].Expires = now.Add(time.Hour)
		assert.Nil(t, first.next(renewed, now))
	})
	t.Run("a member that leaves owns nothing and stays reachable", func(t *testing.T) {
		v := first.next(leaving[:2], now)
		for i := range 100 {
			require.Equal(t, all[0].Member, v.ring.owner(orderKey(i)).id)
		}
		assert.NotNil(t, v.peers[all[1].Member])
	})
	t.Run("a member is the same in every view", func(t *testing.T) {
		v := first.next(all, now)
		assert.Same(t, first.peers[all[0].Member], v.peers[all[0].Member])
	})
	t.Run("a newborn member asks everybody for a while", func(t *testing.T) {
		v := emptyView().next(all, now)
		assert.Len(t, v.formerOwners(orderKey(1), all[0].Member, now.Add(memory/2)), 2)
		assert.Empty(t, v.formerOwners(orderKey(1), all[0].Member, now.Add(memory)))
	})
	t.Run("every owner of the last ten seconds is asked, if it is still there", func(t *testing.T) {
		alone := emptyView().next(all[:1], now.Add(-memory))
		two := alone.next(all[:2], now.Add(time.Second))
		three := two.next(all, now.Add(2*time.Second))
		gone := three.next(all[1:], now.Add(3*time.Second))
		for i := range 1000 {
			k := orderKey(i)
			if three.ring.owner(k).id != all[2].Member {
				continue
			}
			asked := map[string]bool{all[0].Member: true, two.ring.owner(k).id: true}
			got := three.formerOwners(k, all[2].Member, now.Add(4*time.Second))
			require.Len(t, got, len(asked))
			for _, p := range got {
				require.True(t, asked[p.id])
			}
			for _, p := range gone.formerOwners(k, all[2].Member, now.Add(4*time.Second)) {
				require.NotEqual(t, all[0].Member, p.id, "it is gone")
			}
			require.Empty(t, three.formerOwners(k, all[2].Member, now.Add(2*time.Second+memory)))
		}
	})
}

func BenchmarkOwner(b *testing.B) {
	for _, count := range []int{1, 3, 16} {
		v := emptyView().next(members(addresses("10.42.0.%d:8080", 11, count)...), time.Now())
		k := orderKey(4711)
		b.Run(fmt.Sprint(count, " members"), func(b *testing.B) {
			for b.Loop() {
				v.ring.owner(k)
			}
		})
	}
}

func TestOwnersAreKnownFromOutside(t *testing.T) {
	leases := members(addresses("10.42.0.%d:8080", 11, 3)...)
	v := emptyView().next(leases, time.Now())
	for i := range 100 {
		assert.Equal(t, v.ring.owner(orderKey(i)).id, OwnerOf(leases, "order", orderKey(i).identity))
	}
	for i := range leases {
		leases[i].Leaving = true
	}
	assert.Empty(t, OwnerOf(leases, "order", "x"), "all are leaving")
	assert.Empty(t, OwnerOf(nil, "order", "x"))
}
