// Package simulation has no code but its tests. They run the rules of orders, products and payments as one shop: a host
// that crashes, messages that are lost, doubled, late and out of order, a payment provider that is asked and speaks in
// such messages too, buyers and staff who interfere at any time. What the shop promises is checked after every step, and
// again when everything has come to rest. It is the one place where the rules of siblings meet.
package simulation
