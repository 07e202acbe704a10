package cluster_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/cluster"
)

// TestRollingRestart replaces each member by a new process at its address, round after round, with the settings of
// production, while all of them ask.
func TestRollingRestart(t *testing.T) {
	t.Setenv(ttlVariable, cluster.DefaultLeaseTTL.String())
	store, addr := serveStore(t)
	const rounds = 2
	members, addresses := make([]*process, 3), make([]string, 3)
	for i := range members {
		addresses[i] = freeAddress(t)
		members[i] = spawn(t, store, addr, fmt.Sprint("m", i), addresses[i])
	}
	works(t, len(members), 100, members...)
	names := []string{"m0", "m1", "m2"}
	for round := range rounds {
		for i, old := range members {
			lap := laps(t)
			require.NoError(t, old.stdin.Close())
			require.Zero(t, old.exit())
			lap(old.name + " has left")
			name := fmt.Sprintf("m%d-%d", i, round)
			names = append(names, name)
			members[i] = spawn(t, store, addr, name, addresses[i])
			works(t, len(members), 100, members...)
			lap(name + " is there")
		}
	}
	for i, m := range members {
		works(t, len(members)-i, 1, members[i:]...)
		require.NoError(t, m.stdin.Close())
		require.Zero(t, m.exit())
	}
	executed, conflicts := store.executed()
	for _, name := range names {
		r := store.report(name)
		assert.Empty(t, r.Failed, name)
		for _, command := range r.Acked {
			assert.Equal(t, 1, executed[command], "acknowledged command %s", command)
		}
		t.Logf("%s: %d answers, longest %v (%s)", name, len(r.Acked), r.Longest, r.Slowest)
	}
	t.Logf("%d commands, %d fenced", len(executed), conflicts)
}
