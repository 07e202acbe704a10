// Package verify reads a whole journal and proves on it what the shop guarantees: streams without gap or overlap (G1),
// stock that was never oversold at any sequence (G3), orders that got all of their lines or none (G4), money that moved
// once (G5), and events that fit to each other, so that none is lost, invented or altered (G7).
//
// It folds every event by itself, without the rules that decided on it: a fault of the rules shows as well as a fault of
// the store. It promises to name the place of every violation, to read every entry once, in one pass, and to keep a few
// hundred bytes per order. It changes nothing. What a journal says only once (a name, an address, a free text) it can't
// prove. Callers must not take open orders for faults: a journal that was read while the shop ran, or after a crash, has
// some.
package verify
