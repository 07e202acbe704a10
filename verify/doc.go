// Package verify reads a whole journal and proves on it what the shop guarantees: streams without gap or overlap (G1),
// stock that was never oversold at any sequence (G3), orders that got all of their lines or none (G4), money that moved
// once (G5), and events that fit to each other, so that none is lost, invented or altered (G7).
//
// It folds every event by itself, without the rules that decided on it: a fault of the rules shows as well as a fault
// of the store. It promises to name the place of every violation, to read every entry once, in one pass (twice those
// that relay and projections have yet to come to), and to keep a few hundred bytes per order. It changes nothing. What
// a journal says only once (a name, an address, a free text) it can't prove. Callers must not take open orders for
// faults: a journal that was read while the shop ran, or after a crash, has some.
//
// The shop may run meanwhile. Streams are then read at different moments, but each of them at least as far as it had
// come when the run began. So what nobody has written to since then is as it was at that one moment, and is compared;
// an order that somebody has written to is set aside and counted (Report.Fresh), and the claims of a product are set
// aside in the same way. What was there when the run began is known by the writers' own numbers. Instants say nothing
// about it, as members' clocks differ and jump: one that goes back from an event to the next is worth a warning, no
// more.
//
// Only one verdict rests on clocks: that a deadline is long over although nothing has happened since. It is passed when
// no clock contradicts it. A member's clock is read in the order of the member's numbers, which no jump changes. It has
// to be past the deadline in each of the member's last entries, as many as show that Options.Grace went by; a pause
// between two of them counts as a quarter of that at most, for it can't be told from a jump. So a clock that is put
// forward makes nothing overdue before its member had the time to act on it, and after it was put back it is as if it
// had never been ahead. The journal does not say which member has an order, and one that is idle or gone shows no
// clock: it is taken to be behind by no more than Options.Skew.
package verify
