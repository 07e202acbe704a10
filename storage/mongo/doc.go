// Package mongo keeps everything that an installation stores in MongoDB: the journal, the read models, snapshots,
// deadlines, marks and secrets. It implements storage.Store for any number of members at once.
//
// # The fence
//
// One journal document is one entry; its _id is the stream and the entry's first sequence. Two facts together make
// overlap and gaps impossible, however stale a writer is and however many members there are:
//
//  1. An entry is inserted only when its writer knows that an entry of this stream ends at First-1 (or First is 1).
//  2. _id is unique: of all entries that begin at First, the server takes one.
//
// Entries are never changed or deleted, so a fact of the first kind, once true, is true for ever: it may come from any
// earlier read or append, by any member, at any time before. The proof is by induction: let the stream be the chain
// E1..Ek without gaps, and let an insert at First succeed. Some Ei ends at First-1. If i < k, then E(i+1) begins at First
// and the insert would have been a duplicate; so i = k, and the new entry extends the chain. A stale writer whose First
// lies inside a longer entry cannot find an entry that ends at First-1, because the one that covers First covers First-1
// too: it never gets to the insert and gets ErrConflict.
//
// Only facts that a majority holds count (an own append acknowledged by a majority and journaled, or a majority read), so
// no failover takes them back. The store remembers the newest end that it saw of each of the streams used last; only
// without that memory does an append read before it writes. Hence the hot path is one unordered insert per database, by
// exact _id.
//
// # Unknown outcomes
//
// A duplicate _id is read back exactly and compared by writer and number: equal means that this very entry was stored
// before. Every other error, a failed write concern included, is an unknown outcome. Repeating an append is safe at any
// time: the entry that landed late is found by its _id.
//
// # Views
//
// Each read-model document and each snapshot carries the version of the projection that wrote it. A write is an insert,
// or a replacement guarded by that version, without upsert; afterwards the stored versions are read, until all are what
// they should be. No result of a bulk write is relied on. A snapshot is written after its documents and so says that they
// are all there. Views are written with majority too: a deadline that a failover takes back would never be met, since
// the mark says that it is there.
//
// # Unique indexes on views
//
// Order numbers, product ids, skus, payment intents and a reservation's order are unique among visible documents. The
// truth about uniqueness is in the journal (the claims); views lag, so two documents may hold one sku for a moment, and a
// hidden one keeps its own for ever. Save never fails for that: the document that held the value is taken out of the
// index, not changed (see unique.go).
//
// # Leases
//
// The cluster's membership is the collection members, one document per member, in the database of the orders. An evicted
// member's lease is marked, and deleted only a day later by somebody's Join, so that no call that arrives late brings it
// back. A member is told that it was evicted only when a majority holds the mark. Times are the primary's (see lease.go).
//
// # Reads
//
// Every query on a collection that grows goes by exact _id or along an index in the order that is wanted; what a query
// that finds nothing costs does not depend on how much is stored.
//
// # What callers must not do
//
// Write to these databases by other means, run Reset while another member saves projections, let two processes use one
// writer name at a time, retire a writer while something of it may still be under way, or let the clocks of a replica
// set's servers differ by more than a small part of a lease's time. A server below MongoDB 5.0, or one that is not part of a replica set in production, is not
// supported: majority writes are the promise.
package mongo
