// Package cluster makes this process a member of a cluster and is the way in to every entity: Client.Ask finds the
// entity's owner, wherever that is.
//
// A member is whoever has a lease in the store (membership.go). All members compute the same owner of an entity from the
// same leases (view.go); a command goes straight to the owner's door (door.go), which hands it to the activation, opens
// that if need be (lookup.go), or says that it was not executed. When the view changes, the new owner asks the former one
// to end its activation before it opens its own (handover.go). Everybody lists the leases now and then; who joins, leaves or
// evicts says so at the others' doors, so that they do it at once: news only makes them look, the leases decide.
//
// Proto.Actor runs the actors and carries the messages; of its cluster only the message is used that tells an entity who it
// is. Its placement, member list and gossip were measured to run one entity twice, to lose queued commands, to stall, and to
// ban healthy members.
//
// What is promised: a command that was certainly not executed is asked again until the context ends, and one that may
// have been is never reported otherwise. A member that the others may have gone on without executes nothing. What is not
// promised: that an entity is active only once; the journal's fence is what keeps the books right. Callers must not change
// a command after they have asked it.
//
// Goroutines, all owned by the Member, whose Stop waits for them: one renews the lease and does nothing else; one lists
// the leases, publishes the view and evicts what has expired; one looks for members whose port is closed; one tidies up
// after a change of the view. A hand-over has a timer, which ends with it.
package cluster
