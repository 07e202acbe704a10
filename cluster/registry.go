package cluster

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// registryBuckets is among how many buckets, of 32 maps each, this process's actors and inquiries are spread.
const registryBuckets = 8

// shrinkRegistry leaves the system 256 of the 32768 maps of its registry. Each of those would soon hold room for the few
// names that ever met in it: 13 MB that every garbage collection goes through, and a cache miss for each message.
// It must be called before anybody sends or registers anything.
func shrinkRegistry(system *actor.ActorSystem) {
	registry := system.ProcessRegistry
	processes := map[string]any{}
	for _, bucket := range registry.LocalPIDs.LocalPIDs {
		for name, process := range bucket.Items() {
			bucket.Remove(name)
			processes[name] = process
		}
	}
	registry.LocalPIDs.LocalPIDs = slices.Clone(registry.LocalPIDs.LocalPIDs[:registryBuckets])
	for name, process := range processes {
		registry.LocalPIDs.GetBucket(name).Set(name, process)
	}
}
