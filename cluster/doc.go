// Package cluster makes this process a member of a Proto.Actor cluster and is the way in to every entity: Client.Ask
// finds the entity wherever it lives. It places entities itself (lookup.go), because the stock placement was measured to
// run one entity twice and to lose queued commands. It does not promise that an entity is active only once: the journal
// does that. Callers must not use Proto.Actor's own Request: it may execute a command twice.
package cluster
