// Package bridge connects the journal with RabbitMQ: the relay publishes what was committed as integration events, the
// consumer turns commands of other systems into commands to entities, and the AsyncAPI document describes both.
//
// It promises: every catalogue event of the journal is published at least once, confirmed by the broker, with an id that
// never changes, in the order in which its member committed; a command is acknowledged only after its effect is durable.
// A repeat (after a crash, a lost connection, a move) carries the id of the first; subscribers drop it by that id.
//
// With several members on one journal and one broker, each relays its own log, and one or more of the others the log of a
// member that is gone. Entities move between them, so the events of one aggregate stand in several logs. A subscriber
// still sees them for the first time in order, whatever freezes, dies, wakes or lags, because of three rules:
//
//   - Before an entry leaves, what precedes it in its stream has been relayed: its writer's mark has reached it, or else
//     this relay publishes the missing entries itself, first (lineage). That moves nobody's mark.
//   - A mark moves only over a prefix of its writer's log that is confirmed together with all that left before it
//     (window), also when another member relays that log.
//   - A mark does not pass a number that may still become durable. For one's own log the committer knows; in that of a
//     member that is gone a gap is trusted only when it is old enough, and the end is looked at again and again, until
//     the writer is retired a day later (estate, adoption).
//
// One case can show a subscriber an aggregate's events out of order: the broker itself refuses one message (nack, such as
// a queue with a length limit and reject-publish) and takes a later one. The relay then sends again from the refused one,
// so that nothing is lost, and the header "sequence" tells.
//
// Goroutines: Relay.Run owns the marker and the adoption; a lineage that looks back waits for its own; Consumer.Run owns
// its workers; all return only after these have ended. Callers must not run one Relay or Consumer twice, and must not
// retire a writer that could still write.
package bridge
