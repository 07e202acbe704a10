// Package storagetest is the proof of the contract in package storage: a store that passes Run (and, where it keeps
// anything beyond the process, RunDurable) keeps every sentence of it. Each sub-test is named after the rule that it
// proves. The suite assumes nothing about a store but the port; it must be handed an empty store for every call.
package storagetest

import (
	"context"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Open returns an empty store. The suite closes it.
type Open func(t *testing.T) storage.Store

// Reopen returns the store that is kept under the name of a directory which belongs to the sub-test alone: empty at
// first, then, after Close, with all that it held. A store that is not kept in files may use dir as a mere name.
type Reopen func(t *testing.T, dir string) storage.Store

type rule struct {
	name  string
	prove func(t *testing.T, s storage.Store)
}

type group struct {
	name  string
	rules []rule
}

// Run proves what a store promises while it is open.
func Run(t *testing.T, open Open) {
	RunJournal(t, open)
	run(t, open, []group{
		{"writers", writerRules},
		{"save", saveRules},
		{"due", dueRules},
		{"get", getRules},
		{"list", listRules},
		{"count", countRules},
		{"search", searchRules},
		{"reset", resetRules},
		{"secret", secretRules},
		{"context", contextRules},
	})
}

// RunJournal proves the part of Run that is about the journal.
func RunJournal(t *testing.T, open Open) {
	run(t, open, []group{
		{"append", appendRules},
		{"race", raceRules},
		{"read", readRules},
		{"committed", committedRules},
		{"scan", scanRules},
	})
}

func run(t *testing.T, open Open, groups []group) {
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) {
			for _, r := range group.rules {
				t.Run(r.name, func(t *testing.T) {
					s := open(t)
					t.Cleanup(func() {
						if err := s.Close(); err != nil {
							t.Errorf("close: %v", err)
						}
					})
					r.prove(t, s)
				})
			}
		})
	}
}

func ctx(t *testing.T) context.Context {
	t.Helper()
	return t.Context()
}
