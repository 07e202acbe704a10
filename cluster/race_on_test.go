//go:build race

package cluster_test

// raceEnabled: with several members in one process the race detector finds that each start of Proto.Actor's remote
// replaces gRPC's global logger, and nothing else.
const raceEnabled = true
