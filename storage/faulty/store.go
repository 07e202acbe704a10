// Package faulty wraps a storage.Store for tests of everything that can go wrong with one. A rule, given by the test,
// sees each call before it reaches the store and names its fate: it passes, fails, stalls, is done though the caller is
// told that it failed, or is done later. Hooks stand right before and right after each append, and Cut plays the death
// of the process: nothing that the host still tries reaches the store, which a new host can then use.
// The wrapper starts no goroutine; without rules it changes nothing. It is not for production.
package faulty

import (
	"context"
	"errors"
	"sync"

	"github.com/queuecommerce/queuecommerce/storage"
)

var (
	// ErrInjected is the error of a call whose fate was Fail, Lose or Delay. The caller can't tell which.
	ErrInjected = errors.New("injected fault")
	// ErrCut is the error of every call after Cut.
	ErrCut = errors.New("store is cut off")
)

// Step names a method of the store, or of leases under its rules.
type Step string

const (
	Append    Step = "append"
	Read      Step = "read"
	ReadBack  Step = "read back"
	Committed Step = "committed"
	Scan      Step = "scan"
	Enlist    Step = "enlist"
	Writers   Step = "writers"
	Advance   Step = "advance"
	Retire    Step = "retire"
	Save      Step = "save"
	Snapshot  Step = "snapshot"
	Due       Step = "due"
	Get       Step = "get"
	List      Step = "list"
	Count     Step = "count"
	Search    Step = "search"
	Reset     Step = "reset"
	Secret    Step = "secret"
	Ping      Step = "ping"
	Join      Step = "join"
	Renew     Step = "renew"
	Retreat   Step = "retreat"
	Leases    Step = "leases"
	Evict     Step = "evict"
)

// Call is what a rule decides on.
type Call struct {
	Step        Step
	Number      int                  // how many calls of this step there were, this one included
	Stream      storage.Stream       // read, read back, snapshot
	Writer      string               // committed, enlist, advance, retire, save
	Member      string               // join, renew, retreat, evict
	Entries     []storage.Entry      // append
	Projections []storage.Projection // save
}

// Fate is what becomes of a call.
type Fate int

const (
	Pass  Fate = iota // it reaches the store
	Fail              // it does not; the caller gets ErrInjected
	Stall             // it waits for Release, then passes; it ends with the caller's context
	Lose              // it is done; the caller gets ErrInjected instead of the answer
	Delay             // the caller gets ErrInjected at once; it is done at Settle, if that comes. Only for writes
)

// Store is the wrapper. Make it with New.
type Store struct {
	inner storage.Store

	mu           sync.Mutex
	rule         Rule
	beforeAppend func([]storage.Entry)
	afterAppend  func([]storage.Entry, []error)
	counts       map[Step]int
	delayed      []func()
	stalled      int
	gate         chan struct{} // closed by Release
	cut          bool
}

var _ storage.Store = (*Store)(nil)

// New wraps a store.
func New(inner storage.Store) *Store {
	return &Store{inner: inner, counts: map[Step]int{}, gate: make(chan struct{})}
}

// Set replaces the rule; nil lets everything pass. A rule must be safe for concurrent use; those of this package are.
func (s *Store) Set(rule Rule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rule = rule
}

// Hook sets what is called right before an append reaches the store and right after it was done there, before the
// caller learns of it. Either may be nil, and may call Cut.
func (s *Store) Hook(before func([]storage.Entry), after func([]storage.Entry, []error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beforeAppend, s.afterAppend = before, after
}

// Cut ends the host's access for good; Close, too, no longer reaches the store. Stalled calls end with ErrCut.
func (s *Store) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = true
	s.delayed = nil
	s.open()
}

// Release lets all stalled calls go on.
func (s *Store) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
}

func (s *Store) open() {
	close(s.gate)
	s.gate = make(chan struct{})
}

// Stalled is the number of calls that wait for Release.
func (s *Store) Stalled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stalled
}

// Settle does all delayed writes, in the order of their calls, and returns how many there were.
func (s *Store) Settle() int {
	s.mu.Lock()
	delayed := s.delayed
	s.delayed = nil
	s.mu.Unlock()
	for _, write := range delayed {
		write()
	}
	return len(delayed)
}

// Calls is how many calls of a step there were.
func (s *Store) Calls(step Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[step]
}

// Close closes the wrapped store, unless it is cut off.
func (s *Store) Close() error {
	if s.isCut() {
		return nil
	}
	return s.inner.Close()
}

func (s *Store) isCut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

// do gives a call its fate. write is nil for a read; otherwise it does the call on a copy of its arguments.
func (s *Store) do(ctx context.Context, c Call, call func() error, write func()) error {
	s.mu.Lock()
	s.counts[c.Step]++
	c.Number = s.counts[c.Step]
	rule, cut := s.rule, s.cut
	s.mu.Unlock()
	if cut {
		return ErrCut
	}
	fate := Pass
	if rule != nil {
		fate = rule(c)
	}
	switch fate {
	case Fail:
		return ErrInjected
	case Stall:
		if err := s.stall(ctx); err != nil {
			return err
		}
	case Delay:
		if write != nil {
			s.delay(write)
		}
		return ErrInjected
	}
	if err := call(); err != nil {
		return err
	}
	if fate == Lose {
		return ErrInjected
	}
	return nil
}

func (s *Store) delay(write func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.cut {
		s.delayed = append(s.delayed, write)
	}
}

func (s *Store) stall(ctx context.Context) error {
	s.mu.Lock()
	gate := s.gate
	s.stalled++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.stalled--
		s.mu.Unlock()
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-gate:
	}
	if s.isCut() {
		return ErrCut
	}
	return nil
}
