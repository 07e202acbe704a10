package bridge

import (
	"context"
	"fmt"

	"github.com/queuecommerce/queuecommerce/storage"
)

// precede hands out what is missing of the stream before e, oldest first; false: more than fits at a time, so that e has
// to wait.
func (s *supply) precede(ctx context.Context, e *storage.Entry) (complete bool, err error) {
	if s.missing == 0 {
		if s.lineage.known(e) {
			return true, nil
		}
		if s.missing, err = s.lineage.missing(ctx, e, s.has); err != nil {
			return false, err
		}
	}
	for s.missing < e.First {
		if len(s.messages) >= s.page {
			return false, nil
		}
		entries, err := s.journal.Read(ctx, e.Stream, s.missing-1, s.page)
		if err != nil {
			return false, fmt.Errorf("read %s from %d: %w", e.Stream, s.missing, err)
		}
		if len(entries) == 0 || entries[0].First != s.missing {
			return false, fmt.Errorf("read %s from %d: nothing begins there", e.Stream, s.missing)
		}
		for i := range entries {
			if entries[i].First >= e.First {
				break
			}
			if err := s.translate(ctx, &entries[i]); err != nil {
				return false, err
			}
			s.lineage.note(&entries[i])
			s.missing = entries[i].Last() + 1
		}
	}
	return true, nil
}

// has says that the entry was handed out by this relay with its writer's log, or by somebody before it.
func (s *supply) has(writer string, number uint64) bool {
	if writer == s.own {
		return number <= s.cursor
	}
	e := s.estates[writer]
	return e != nil && e.handed(number)
}
