package bridge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// inheritance is what a gone writer left to relay.
type inheritance struct {
	writer string
	final  bool      // it can't write any more: what is missing in its log stays missing
	since  time.Time // age of its first event
}

// adopt queues what a gone writer left.
func (s *supply) adopt(in inheritance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.queue {
		if s.queue[i].writer == in.writer {
			s.queue[i].final = s.queue[i].final || in.final
			return
		}
	}
	if in.writer != s.own {
		s.queue = append(s.queue, in)
	}
}

// forget lets go of what is known about writers that are retired.
func (s *supply) forget(writers []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = append(s.retired, writers...)
}

// choose puts gone writers before the own tail.
func (s *supply) choose(ctx context.Context) error {
	for {
		next := s.head()
		if next.writer == s.own || next.writer == s.source {
			s.source = next.writer
			return nil
		}
		all, err := s.writers.Writers(ctx)
		if err != nil {
			return fmt.Errorf("list writers: %w", err)
		}
		i := slices.IndexFunc(all, func(w storage.Marks) bool { return w.Writer == next.writer })
		if i < 0 { // retired meanwhile
			s.finish()
			continue
		}
		if s.estates[next.writer] == nil {
			s.estates[next.writer] = newEstate()
		}
		s.estates[next.writer].begin(all[i].Relayed, s.underWay, next.final)
		s.marks.load(next.writer, all[i].Relayed)
		s.source = next.writer
		return nil
	}
}

// head is whose turn it is.
func (s *supply) head() inheritance {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, writer := range s.retired {
		delete(s.estates, writer)
		s.marks.forget(writer)
	}
	s.retired = nil
	if len(s.queue) > 0 {
		return s.queue[0]
	}
	return inheritance{writer: s.own}
}

// finish is called when a gone writer has nothing left, or can't be gone on with now.
func (s *supply) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = s.queue[1:]
	s.source = ""
}
