package faulty_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/faulty"
	"github.com/queuecommerce/queuecommerce/storage/memory"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func TestWithoutRulesLeasesAreAsTheyWere(t *testing.T) {
	storagetest.RunLeases(t, func(*testing.T) storage.Leases {
		return faulty.New(memory.New()).Leases(memory.NewLeases(time.Now))
	})
}

func TestFatesOfLeaseCalls(t *testing.T) {
	now := time.UnixMilli(1000).UTC()
	member := storage.Lease{Member: "a", Addr: "a:1", Writer: "w"}
	seen := member
	seen.Expires = now.Add(time.Second)
	calls := map[faulty.Step]func(storage.Leases) error{
		faulty.Join: func(l storage.Leases) error {
			return l.Join(context.Background(), storage.Lease{Member: "b"}, time.Second)
		},
		faulty.Renew:   func(l storage.Leases) error { return l.Renew(context.Background(), "a", time.Minute) },
		faulty.Retreat: func(l storage.Leases) error { return l.Retreat(context.Background(), "a") },
		faulty.Evict: func(l storage.Leases) error {
			evicted, err := l.Evict(context.Background(), seen)
			if evicted != (err == nil) {
				return errors.New("evicted, and an error too")
			}
			return err
		},
		faulty.Leases: func(l storage.Leases) error { _, _, err := l.Leases(context.Background()); return err },
	}
	for _, c := range []struct {
		name          string
		fate          faulty.Fate
		want          error
		done, settled bool
	}{
		{"pass", faulty.Pass, nil, true, true},
		{"fail", faulty.Fail, faulty.ErrInjected, false, false},
		{"lose", faulty.Lose, faulty.ErrInjected, true, true},
		{"delay", faulty.Delay, faulty.ErrInjected, false, true},
		{"cut", faulty.Pass, faulty.ErrCut, false, false},
	} {
		for step, call := range calls {
			t.Run(c.name+" "+string(step), func(t *testing.T) {
				shared := memory.NewLeases(func() time.Time { return now })
				if err := shared.Join(t.Context(), member, time.Second); err != nil {
					t.Fatal(err)
				}
				s := faulty.New(memory.New())
				s.Set(faulty.Every(step, c.fate))
				if c.want == faulty.ErrCut {
					s.Cut()
				}
				unchanged := func() bool {
					all, _, err := shared.Leases(t.Context())
					return err == nil && len(all) == 1 && all[0] == seen
				}
				if err := call(s.Leases(shared)); !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if changed := !unchanged(); changed != (c.done && step != faulty.Leases) {
					t.Errorf("changed: %v", changed)
				}
				s.Settle()
				if changed := !unchanged(); changed != (c.settled && step != faulty.Leases) {
					t.Errorf("changed after settle: %v", changed)
				}
			})
		}
	}
}
