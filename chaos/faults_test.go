package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ordinary is how the program is changed for faults to be possible: not at all, but for a clock that can be set wrong.
func ordinary() []edit {
	for _, k := range kinds() {
		if k.name == "clock" && k.needs(options.members) {
			return skewedClock
		}
	}
	return nil
}

// everybody is a load that leaves the machine room for the faults.
var everybody = crowd{buyers: 8, keepers: 3, watchers: 3, rest: 120 * time.Millisecond}

// faulty is a run with faults drawn from the seed.
func faulty(t testing.TB, program string, seed uint64, names string) plan {
	t.Helper()
	of, err := chosen(names, options.members)
	require.NoError(t, err)
	s := drawSchedule(seed, options.duration, options.members, of)
	return plan{layout: layout{program: program, members: options.members, lease: faultLease}, seed: seed, crowd: everybody, faults: s,
		during: func(ctx context.Context, w *world) { w.lasting(ctx, s, options.duration) }}
}

// lasting makes the faults of a run of that length.
func (w *world) lasting(ctx context.Context, s schedule, length time.Duration) {
	end := time.After(length)
	w.perform(ctx, s)
	<-end
}

// TestFaults breaks the world as each seed has it, and wants every promise kept.
func TestFaults(t *testing.T) {
	program := services.builds.program(t, ordinary()...)
	for n := range options.runs {
		seed := options.seed + uint64(n)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			r := run(t, faulty(t, program, seed, options.faults))
			if len(r.violations) > 0 {
				require.NoError(t, r.preserve())
				t.Fatal(r.story())
			}
			t.Log(r.line())
			for _, grumble := range r.world.grumbles {
				t.Log("note:", grumble)
			}
		})
	}
}
