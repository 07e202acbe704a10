package mongo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

func TestMembersAdvanceAndReadMarksAtOnce(t *testing.T) {
	const last = 60
	members := openMembers(t, 4)
	if _, err := members[0].Enlist(t.Context(), "w"); err != nil {
		t.Fatal(err)
	}
	atOnce(members, func(i int, s *Store) {
		var before storage.Marks
		for n := range uint64(last) {
			number := (n*7+uint64(i)*13)%last + 1 // every number, in an order of its own
			relayed := s.Advance(t.Context(), "w", storage.MarkRelayed, number)
			projected := s.Save(t.Context(), nil, "w", 2*number)
			all, err := s.Writers(t.Context())
			if err := errors.Join(relayed, projected, err); err != nil || len(all) != 1 {
				t.Errorf("%s: %v, marks %+v", nameOf(i), err, all)
				return
			}
			now := all[0]
			if now.Relayed < max(number, before.Relayed) || now.Projected < max(2*number, before.Projected) {
				t.Errorf("%s: marks went from %+v to %+v after %d", nameOf(i), before, now, number)
			}
			before = now
		}
	})
	want := []storage.Marks{{Writer: "w", Relayed: last, Projected: 2 * last}}
	if got, err := members[0].Writers(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestMembersRetireAWriterAtOnce lets all members try to retire a writer while one moves its marks: none may succeed
// before both marks are at its last entry, which is in any of the databases.
func TestMembersRetireAWriterAtOnce(t *testing.T) {
	members := openMembers(t, 4)
	for round, stream := range []storage.Stream{"order/a", "product/a", "payment/a"} {
		writer := fmt.Sprint("gone-", round)
		if _, err := members[0].Enlist(t.Context(), writer); err != nil {
			t.Fatal(err)
		}
		for n := range uint64(10) {
			mustAppend(t, members[0], entryAt(stream, n+1, 1, writer, n+1))
		}
		var mu sync.Mutex
		var moved storage.Marks // what the one who moves them has begun to move
		atOnce(members, func(i int, s *Store) {
			if i == 0 {
				for n := range uint64(10) {
					mu.Lock()
					moved.Relayed, moved.Projected = n+1, n+1
					mu.Unlock()
					if err := s.Advance(t.Context(), writer, storage.MarkProjected, n+1); err != nil {
						t.Errorf("advance to %d: %v", n+1, err)
					}
					if err := s.Advance(t.Context(), writer, storage.MarkRelayed, n+1); err != nil {
						t.Errorf("advance to %d: %v", n+1, err)
					}
				}
				return
			}
			eventually(t, "retirement", func() (bool, string) {
				err := s.Retire(t.Context(), writer)
				mu.Lock()
				defer mu.Unlock()
				if err == nil && moved.Relayed < 10 {
					t.Errorf("retired while the marks were at %+v", moved)
				}
				return err == nil, fmt.Sprint(err)
			})
		})
		if got, err := members[0].Writers(t.Context()); err != nil || len(got) != 0 {
			t.Errorf("got %+v, %v, want no writers", got, err)
		}
		if err := members[1].Advance(t.Context(), writer, storage.MarkRelayed, 11); err == nil {
			t.Error("a late advance brought the writer back")
		}
	}
}

func TestRetireLeavesAWriterWhoseMarksMoveBack(t *testing.T) {
	w := newWire(t)
	prefix := server.Prefix(t)
	s, other := open(t, w.uri(), prefix), open(t, server.URI(), prefix)
	defer other.Close()
	defer s.Close()
	if _, err := s.Enlist(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, s, entryAt("order/a", 1, 1, "gone", 1))
	for _, mark := range []storage.Mark{storage.MarkRelayed, storage.MarkProjected} {
		if err := s.Advance(t.Context(), "gone", mark, 1); err != nil {
			t.Fatal(err)
		}
	}
	w.obey(func(command string) verdict {
		if command == "delete" { // the marks have been found good; now everything is to be projected again
			if err := other.Reset(t.Context()); err != nil {
				t.Errorf("reset: %v", err)
			}
		}
		return verdict{}
	})
	if err := s.Retire(t.Context(), "gone"); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("retire: got %v, want an error", err)
	}
	w.obey(nil)
	want := []storage.Marks{{Writer: "gone", Relayed: 1}}
	if got, err := s.Writers(t.Context()); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
