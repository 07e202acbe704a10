// Package sqlite is the embedded storage.Store: pure Go, three SQLite files in one directory, one process at a time. It
// promises that an append it answered with nil survives kill -9 and the loss of power (one fsync per call of Append),
// that a second process on the same directory is refused, and that a start is fast and memory stays small whatever the
// number of entries and streams. Callers must not open, copy or edit the files while the store is open, and should
// batch: a call of Append costs one fsync whether it holds one entry or hundreds.
//
// # journal.db, the truth
//
// One row per entry, no secondary index; rows are added, and the oldest ones move to archive.db:
//
//	journal(
//	  number   INTEGER PRIMARY KEY,  -- 1, 2, 3, ... over all streams: the order of commit, without gaps
//	  prev     INTEGER,              -- number of the stream's previous entry, 0 for its first
//	  stream   TEXT,                 -- "order/4b1c..."
//	  ordinal  INTEGER,              -- the entry's place in its stream, from 1
//	  first    INTEGER,              -- sequence of its first event
//	  last     INTEGER,              -- sequence of its last event
//	  writer   INTEGER,              -- writers.id; negated when serial is below an earlier one of that writer
//	  serial   INTEGER,              -- the writer's own number
//	  sum      INTEGER,              -- CRC-32C over the other columns; NULL is not checked
//	  body     BLOB)                 -- the events, see row.go: Event.Data stands in it as it is
//	writers(id INTEGER PRIMARY KEY, name TEXT, enlisted INTEGER, relayed INTEGER)
//	late(writer, serial, number)     -- the entries whose writer is negated, ordered by serial
//	secrets(name TEXT, value BLOB)
//	meta(key TEXT, value)            -- the random identity that ties the other files to this journal; "archived": see below
//
// To look at a stream by hand: SELECT number, first, last, CAST(body AS TEXT) FROM journal WHERE stream = 'order/...'.
// To change an event by hand (repair, a test of verification), with the store closed, keep the length of the text:
//
//	UPDATE journal SET sum = NULL, body = CAST(replace(CAST(body AS TEXT), '"quantity":2', '"quantity":9') AS BLOB)
//	WHERE stream = 'order/...' AND first <= 3 AND last >= 3
//
// # archive.db, the old part of the truth
//
// Rows up to the number that meta calls "archived" are not in journal.db any more, but here, packed in blocks:
//
//	blocks(first INTEGER PRIMARY KEY, -- number of its first row: 1, 129, 257, ...
//	       count INTEGER, sum INTEGER, body BLOB)  -- see block.go
//	meta(key TEXT, value)             -- the journal's identity; "rows": how many make a block
//
// Nothing above tells them apart: a row keeps its number, its links and its checksum. The file is there from the first move
// on, and then belongs to the journal as much as journal.db does. WithArchive has rows moved when they are old, Archive moves
// them at once (move.go says how). Above that number blocks may lie here that a crash has left; journal.db counts.
//
// # read.db, which can be deleted
//
// It holds the projections and, for the journal, the head of every stream (its last sequence and the row that has it),
// every 64th entry of long streams, the hashes of all streams, and the watermark: the row up to which these are complete.
// They are written in batches behind the answers; what is above the watermark is in memory, and is read again from the
// journal after a crash. A stream's head and the version and deadline of its projection share a row, so that one write
// does for both. A read.db that is missing, damaged, of another layout or of another journal is made anew: heads by one
// pass over the journal, projections empty; ProjectionsLost then says so until a replay has filled them and
// ProjectionsRestored was called.
//
// # Lists
//
// A document's row stands at its place, which begins with the time of its creation (place.go). So the newest documents are
// neighbours at the end of the table, a page of a list that is not filtered is read in one go, and an index on a column has
// what it finds in the order of time without holding the time. What a customer has is in one table for all collections
// (customers.go). A new document is added at the end of all else, and costs one index less; it pays to hand documents over
// in the order of their creation. A hidden document has no row.
//
// # Search
//
// A search is ranked by how many of its words stand in the name, then newest first. To rank by how rare a word is, as
// FTS5 can, all that it finds would have to be looked at. Here the rows of products stand in the order of their creation
// and the index has tokens of their own for words in names; so each rank is one query that FTS5 answers newest first, and
// that is left when the page is full. What a page costs does not depend on how much could be found, unless few products
// have all words and very many have each. Words are written only when they change.
//
// # In memory
//
// About one and a half to three bytes for every stream, for the filter that knows a new stream without asking SQLite; the
// tail that is not in read.db yet, of at most some 16,000 streams; the heads of at most 65,536 other streams; and the page
// caches of the connections, 36 MiB at most; and, once something was archived, a block for each reader of the journal, of
// some 80 KB, with a megabyte or two for packing while rows move. Nothing else grows with what is stored.
//
// # Why it is built so
//
// A unique index on (stream, sequence) would cost more than everything else in an append. One process writes, so the
// fence can be checked against the head, under the one writer's turn. A stream is read by walking back from its head,
// or from the nearest 64th entry. A writer's entries come with rising numbers, so in the rows of one writer the serials
// rise too and a binary search by row finds any number; the exceptions are listed in the table late.
//
// Most entries of a shop begin new streams or follow soon, so most heads are known without a look at read.db: those of
// late from memory, and that a stream is new from a filter that never takes a known stream for new. The filter is made
// from the hashes at a start, not from the heads, which are forty times as many bytes in random order.
package sqlite
