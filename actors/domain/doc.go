// Package domain is the shared kernel of the rules: refusals, instants, ids, stored forms and stock-keeping words that
// order, product and payment have in common. Standard library only, no clock, no randomness, no I/O: the host stamps
// instants and ids into commands.
package domain
