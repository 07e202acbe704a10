package memory

import (
	"context"
	"fmt"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Enlist registers a writer.
func (s *Store) Enlist(ctx context.Context, writer string) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers[writer] == nil {
		s.writers[writer] = &storage.Marks{Writer: writer}
	}
	return s.lastNumber(writer), nil
}

func (s *Store) lastNumber(writer string) uint64 {
	mine := s.numbers[writer]
	if len(mine) == 0 {
		return 0
	}
	return mine[len(mine)-1].Number
}

// Writers returns all marks.
func (s *Store) Writers(ctx context.Context) ([]storage.Marks, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []storage.Marks
	for _, marks := range s.writers {
		out = append(out, *marks)
	}
	return out, nil
}

// Advance moves a mark of an enlisted writer.
func (s *Store) Advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.advance(writer, mark, number)
}

func (s *Store) advance(writer string, mark storage.Mark, number uint64) error {
	marks := s.writers[writer]
	if marks == nil {
		return unknownWriter(writer)
	}
	switch mark {
	case storage.MarkRelayed:
		marks.Relayed = max(marks.Relayed, number)
	case storage.MarkProjected:
		marks.Projected = max(marks.Projected, number)
	default:
		return fmt.Errorf("writer %s: unknown mark %d", writer, mark)
	}
	return nil
}

// Retire forgets a writer, and refuses while one of its marks is below its last entry.
func (s *Store) Retire(ctx context.Context, writer string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	marks, last := s.writers[writer], s.lastNumber(writer)
	if marks != nil && min(marks.Relayed, marks.Projected) < last {
		return fmt.Errorf("retire writer %s: relayed to %d, projected to %d, last entry is %d",
			writer, marks.Relayed, marks.Projected, last)
	}
	delete(s.writers, writer)
	return nil
}
