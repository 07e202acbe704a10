// Package bridge connects the journal with RabbitMQ: the relay publishes what was committed as integration events, the
// consumer turns commands of other systems into commands to entities, and the AsyncAPI document describes both.
//
// It promises: every catalogue event of the journal is published at least once, confirmed by the broker, with an id that
// never changes, in the order in which its member committed; a command is acknowledged only after its effect is durable.
// A repeat (after a crash, a lost connection) carries the id of the first; subscribers drop it by that id.
//
// One case can show a subscriber an aggregate's events out of order: the broker itself refuses one message (nack, such as
// a queue with a length limit and reject-publish) and takes a later one. The relay then sends again from the refused one,
// so that nothing is lost, and the header "sequence" tells.
//
// Goroutines: Relay.Run owns the marker; Consumer.Run owns its workers; both return only after these have ended.
// Callers must not run one Relay or Consumer twice.
package bridge
