// Package actors holds the virtual actors: the host that makes any set of rules an event-sourced entity, and one file
// for each kind that connects its rules to messages, to the other kinds and to the read models.
//
// Life of an activation (grain.go): the first message loads the entity: snapshot, then the journal's tail. A command is
// decided on the newest state, including what is still being written; its events join the entity's pending batch. While
// one batch is being appended the next one gathers, so a hot entity commits hundreds of commands in one write. An answer
// leaves when the batch that it depends on is durable; a refusal and a read wait in the same way, because they too have
// looked at that state. If the journal says that another activation has written (ErrConflict), nothing of the batch
// happened: everybody is told to ask again and the activation ends. An activation that has nothing to do ends as well.
//
// What an entity still has to do is a function of its journalled state (agenda): the task of the moment, which runs
// outside the actor and reports back as a command, and the next deadline. After a crash the sweeper wakes the entity and
// the same state gives the same agenda.
//
// Goroutines, and who waits for them: the committer, the projector and the sweeper belong to the Host, whose Stop waits
// for them. Entities and their tasks run on the workers of the Host's crew; a task belongs to its activation, which cancels
// it when it ends, and the Host waits for all of them.
package actors
