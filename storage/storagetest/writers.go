package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/queuecommerce/queuecommerce/storage"
)

var writerRules = []rule{
	{"enlist registers once and returns the last number", proveEnlist},
	{"a mark never goes back", proveAdvance},
	{"marks of writers and of kinds are independent", proveMarksAreIndependent},
	{"the highest of parallel advances stays", proveParallelAdvance},
	{"retire forgets a writer whose marks have reached its last entry", proveRetire},
	{"retire keeps a writer whose marks lag", proveRetireLagging},
}

func marksOf(t *testing.T, s storage.Writers) []storage.Marks {
	t.Helper()
	marks, err := s.Writers(ctx(t))
	if err != nil {
		t.Fatalf("writers: %v", err)
	}
	slices.SortFunc(marks, func(a, b storage.Marks) int { return strings.Compare(a.Writer, b.Writer) })
	return marks
}

func wantMarks(t *testing.T, s storage.Writers, want ...storage.Marks) {
	t.Helper()
	if got := marksOf(t, s); !slices.Equal(got, want) {
		t.Fatalf("got marks %+v, want %+v", got, want)
	}
}

func enlist(t *testing.T, s storage.Writers, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := s.Enlist(ctx(t), name); err != nil {
			t.Fatalf("enlist %s: %v", name, err)
		}
	}
}

func advance(t *testing.T, s storage.Writers, name string, mark storage.Mark, number uint64) {
	t.Helper()
	if err := s.Advance(ctx(t), name, mark, number); err != nil {
		t.Fatalf("advance %s: %v", name, err)
	}
}

func proveEnlist(t *testing.T, s storage.Store) {
	wantMarks(t, s)
	for _, want := range []uint64{0, 0, 5, 9} {
		if want > 0 {
			put(t, s, entryOf(stream, marked(want), 1, writer, want))
		}
		last, err := s.Enlist(ctx(t), writer)
		if err != nil || last != want {
			t.Fatalf("enlist: got %d, %v, want %d", last, err, want)
		}
		wantMarks(t, s, storage.Marks{Writer: writer})
	}
	put(t, s, entryOf("order/other", 1, 1, "member-0", 3))
	if last, err := s.Enlist(ctx(t), "member-0"); err != nil || last != 3 {
		t.Fatalf("enlist of one who wrote before: got %d, %v, want 3", last, err)
	}
	wantMarks(t, s, storage.Marks{Writer: "member-0"}, storage.Marks{Writer: writer})
}

// marked places number 5 at sequence 1 and number 9 at sequence 2.
func marked(number uint64) uint64 {
	if number == 5 {
		return 1
	}
	return 2
}

func proveAdvance(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	for _, step := range []struct{ number, want uint64 }{{3, 3}, {2, 3}, {0, 3}, {3, 3}, {10, 10}, {9, 10}} {
		advance(t, s, writer, storage.MarkRelayed, step.number)
		wantMarks(t, s, storage.Marks{Writer: writer, Relayed: step.want})
	}
	enlist(t, s, writer)
	wantMarks(t, s, storage.Marks{Writer: writer, Relayed: 10})
}

func proveMarksAreIndependent(t *testing.T, s storage.Store) {
	enlist(t, s, "member-1", "member-2")
	advance(t, s, "member-1", storage.MarkRelayed, 4)
	advance(t, s, "member-1", storage.MarkProjected, 2)
	advance(t, s, "member-2", storage.MarkProjected, 7)
	advance(t, s, "member-1", storage.MarkProjected, 1)
	wantMarks(t, s,
		storage.Marks{Writer: "member-1", Relayed: 4, Projected: 2},
		storage.Marks{Writer: "member-2", Projected: 7})
}

func proveParallelAdvance(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	together(func(racer int) {
		for i := range 20 {
			mark := storage.MarkRelayed
			if i%2 == 1 {
				mark = storage.MarkProjected
			}
			if err := s.Advance(ctx(t), writer, mark, uint64(i*racers+racer+1)); err != nil {
				t.Errorf("advance: %v", err)
			}
		}
	})
	wantMarks(t, s, storage.Marks{Writer: writer, Relayed: 18*racers + racers, Projected: 19*racers + racers})
}

func proveRetire(t *testing.T, s storage.Store) {
	enlist(t, s, "member-1", "member-2", "member-3")
	put(t, s, entryOf(stream, 1, 1, "member-1", 6))
	advance(t, s, "member-1", storage.MarkRelayed, 6)
	advance(t, s, "member-1", storage.MarkProjected, 6)
	for _, name := range []string{"member-1", "member-3"} {
		if err := s.Retire(ctx(t), name); err != nil {
			t.Fatalf("retire %s: %v", name, err)
		}
	}
	wantMarks(t, s, storage.Marks{Writer: "member-2"})
	wantStream(t, s, stream, entryOf(stream, 1, 1, "member-1", 6))
	if last, err := s.Enlist(ctx(t), "member-1"); err != nil || last != 6 {
		t.Fatalf("enlist again: got %d, %v, want 6", last, err)
	}
}

func proveRetireLagging(t *testing.T, s storage.Store) {
	enlist(t, s, writer)
	put(t, s, entryOf(stream, 1, 1, writer, 6))
	advance(t, s, writer, storage.MarkProjected, 6)
	advance(t, s, writer, storage.MarkRelayed, 5)
	if err := s.Retire(ctx(t), writer); err == nil {
		t.Error("retire while an entry is not relayed: got no error")
	}
	wantMarks(t, s, storage.Marks{Writer: writer, Relayed: 5, Projected: 6})
	advance(t, s, writer, storage.MarkRelayed, 6)
	if err := s.Retire(ctx(t), writer); err != nil {
		t.Fatalf("retire: %v", err)
	}
	wantMarks(t, s)
}

var secretRules = []rule{
	{"a secret is 32 random bytes, one per name, always the same", proveSecret},
	{"first use in parallel gives all the same secret", proveParallelSecret},
	{"ping is nil while the store takes writes", provePing},
}

func secretOf(t *testing.T, s storage.Store, name string) string {
	t.Helper()
	secret, err := s.Secret(ctx(t), name)
	if err != nil {
		t.Fatalf("secret %s: %v", name, err)
	}
	if len(secret) != 32 {
		t.Fatalf("secret %s has %d bytes, want 32", name, len(secret))
	}
	return string(secret)
}

func proveSecret(t *testing.T, s storage.Store) {
	a, b := secretOf(t, s, "cursor"), secretOf(t, s, "webhook")
	if a == b || a == strings.Repeat(a[:1], 32) {
		t.Errorf("secrets are not random: %x and %x", a, b)
	}
	if again := secretOf(t, s, "cursor"); again != a {
		t.Errorf("secret changed from %x to %x", a, again)
	}
}

func proveParallelSecret(t *testing.T, s storage.Store) {
	for round := range 5 {
		var secrets [racers]string
		name := fmt.Sprint("secret-", round)
		together(func(racer int) {
			secret, err := s.Secret(ctx(t), name)
			if err != nil {
				t.Errorf("secret: %v", err)
			}
			secrets[racer] = string(secret)
		})
		for _, secret := range secrets {
			if secret != secrets[0] || secret != secretOf(t, s, name) {
				t.Fatalf("round %d: secrets differ", round)
			}
		}
	}
}

func provePing(t *testing.T, s storage.Store) {
	if err := s.Ping(ctx(t)); err != nil {
		t.Fatalf("ping: %v", err)
	}
	put(t, s, entryOf(stream, 1, 1, writer, 1))
	if err := s.Ping(ctx(t)); err != nil {
		t.Fatalf("ping after a write: %v", err)
	}
}
