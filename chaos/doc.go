// Package chaos has no code but its tests. They run the program as a cluster of processes, with MongoDB, RabbitMQ and a
// stand-in for the payment provider beside it, under the load of buyers, stock keepers and onlookers, and break it: members
// are killed, frozen and restarted, networks are cut and slowed, store, broker and provider fail, clocks jump. What is
// broken, and when, is drawn from a seed, so that a run that failed can be run again.
//
// Every operation of every client is recorded. When the world is whole again and at rest, the record is held against what
// the shop promises: answers about a product and about an order are linearizable, every order that was answered is there
// and has ended as it should, stock adds up, subscribers have heard exactly what the journal holds, the provider has taken
// and given back exactly what is due, nothing is stuck, and package verify finds nothing in the journal. That these checks can
// fail is proven by programs that are broken on purpose, one for each guarantee, which have to be caught.
//
// What it does not promise: that a run with the same seed takes the same course. The faults and the clients' wishes are
// the same; who is faster is up to the machine. Nobody may use the machine's figures for more than the machine: the whole
// cluster, its store, its broker and its clients share it.
package chaos
