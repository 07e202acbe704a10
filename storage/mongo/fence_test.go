package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/queuecommerce/queuecommerce/storage"
)

func TestStaleWriterInsideALongerEntryIsFenced(t *testing.T) {
	for _, length := range []int{2, window, 3 * window} {
		for _, memory := range []string{"that read an older end", "that knows nothing"} {
			t.Run(fmt.Sprintf("entry of %d events, a member %s", length, memory), func(t *testing.T) {
				fresh, stale := openTwo(t)
				stored := []storage.Entry{entryAt("order/a", 1, 3, "m1", 1), entryAt("order/a", 4, length, "m1", 2)}
				mustAppend(t, fresh, stored[0])
				if memory == "that read an older end" {
					if _, err := stale.Read(t.Context(), "order/a", 0, 0); err != nil {
						t.Fatal(err)
					}
				}
				mustAppend(t, fresh, stored[1])
				for first := uint64(1); first <= stored[1].Last()+3; first++ {
					if first == stored[1].Last()+1 {
						continue
					}
					mustConflict(t, stale, entryAt("order/a", first, 1, "m2", first))
					mustConflict(t, stale, entryAt("order/a", first, length, "m2", first))
				}
				last := entryAt("order/a", stored[1].Last()+1, 1, "m2", 99)
				mustAppend(t, stale, last)
				all := append(stored, last)
				prove(t, fresh, all, all)
			})
		}
	}
}

func TestTheFenceHoldsWithoutMemory(t *testing.T) {
	prefix := server.Prefix(t)
	s, err := Open(t.Context(), Config{URI: server.URI(), Prefix: prefix, RememberedEnds: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []storage.Entry
	for round := range uint64(4) {
		for n := range uint64(20) {
			e := entryAt(storage.StreamOf("order", fmt.Sprint(n)), 2*round+1, 2, "m1", round*20+n+1)
			mustAppend(t, s, e)
			all = append(all, e)
		}
		for n := range uint64(20) {
			mustConflict(t, s, entryAt(storage.StreamOf("order", fmt.Sprint(n)), 2*round+2, 1, "m2", n+1))
		}
	}
	prove(t, s, all, all)
}

func TestReadFromInsideLongEntries(t *testing.T) {
	s, other := openTwo(t)
	first, number := uint64(1), uint64(0)
	var all []storage.Entry
	for _, length := range []int{1, 40, 2, 17, 100, 1, 1, 33} {
		number++
		e := entryAt("product/a", first, length, "m1", number)
		mustAppend(t, s, e)
		all, first = append(all, e), e.Last()+1
	}
	for _, reader := range []*Store{s, other} {
		for after := range first + 3 {
			want := slices.IndexFunc(all, func(e storage.Entry) bool { return e.Last() > after })
			got, err := reader.Read(t.Context(), "product/a", after, 0)
			if err != nil {
				t.Fatalf("read after %d: %v", after, err)
			}
			count := 0
			if want >= 0 {
				count = len(all) - want
			}
			if len(got) != count || (count > 0 && got[0].First != all[want].First) {
				t.Fatalf("read after %d: got %d entries, want %d", after, len(got), count)
			}
		}
	}
}

func TestHotPathIsExactInsertsOnly(t *testing.T) {
	w := newWire(t)
	s := open(t, w.uri(), server.Prefix(t))
	defer s.Close()
	w.obey(nil)
	for i := range uint64(5) {
		mustAppend(t, s, entryAt("order/a", i+1, 1, "m1", i+1))
	}
	if got, want := w.passed(), []string{"insert", "insert", "insert", "insert", "insert"}; !slices.Equal(got, want) {
		t.Errorf("five appends made the commands %v, want %v", got, want)
	}
	fresh := open(t, w.uri(), server.Prefix(t))
	defer fresh.Close()
	w.obey(nil)
	if _, err := fresh.Snapshot(t.Context(), "order/b"); !errors.Is(err, storage.ErrNotFound) {
		t.Fatal(err)
	}
	if _, err := fresh.Read(t.Context(), "order/b", 0, 0); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, fresh, entryAt("order/b", 1, 1, "m1", 1))
	if got, want := w.passed(), []string{"find", "find", "insert"}; !slices.Equal(got, want) {
		t.Errorf("recovery and first append of a new entity made the commands %v, want %v", got, want)
	}
}

func TestRecoveryFromASnapshotIsOneExactRead(t *testing.T) {
	w := newWire(t)
	prefix := server.Prefix(t)
	before, after := open(t, server.URI(), prefix), open(t, w.uri(), prefix)
	defer before.Close()
	defer after.Close()
	for i := range uint64(30) {
		mustAppend(t, before, entryAt("order/a", 2*i+1, 2, "m1", i+1))
	}
	w.obey(nil)
	if tail, err := after.Read(t.Context(), "order/a", 60, 0); err != nil || len(tail) != 0 {
		t.Fatalf("read above the snapshot: got %d entries, %v", len(tail), err)
	}
	mustAppend(t, after, entryAt("order/a", 61, 1, "m2", 1))
	if got, want := w.passed(), []string{"find", "insert"}; !slices.Equal(got, want) {
		t.Errorf("made the commands %v, want %v", got, want)
	}
}

func TestOutcomesOfOneInsert(t *testing.T) {
	duplicate := []driver.BulkWriteError{{WriteError: driver.WriteError{Index: 1, Code: 11000}}}
	lag := &driver.WriteConcernError{Code: 64, Message: "waiting for replication timed out"}
	network := errors.New("connection reset")
	for name, c := range map[string]struct {
		err  error
		want []string // ok, duplicate, unknown
	}{
		"success":       {nil, []string{"ok", "ok", "ok"}},
		"no answer":     {network, []string{"unknown", "unknown", "unknown"}},
		"one duplicate": {driver.BulkWriteException{WriteErrors: duplicate}, []string{"ok", "duplicate", "ok"}},
		"not by a majority": {
			driver.BulkWriteException{WriteConcernError: lag}, []string{"unknown", "unknown", "unknown"},
		},
		"a duplicate, not by a majority": {
			driver.BulkWriteException{WriteConcernError: lag, WriteErrors: duplicate}, []string{"unknown", "duplicate", "unknown"},
		},
		"an exception that names nothing": {driver.BulkWriteException{}, []string{"unknown", "unknown", "unknown"}},
	} {
		for i, err := range outcomesOf(c.err, 3) {
			got := "unknown"
			if err == nil {
				got = "ok"
			} else if driver.IsDuplicateKeyError(err) {
				got = "duplicate"
			}
			if got != c.want[i] {
				t.Errorf("%s: document %d: got %s, want %s", name, i, got, c.want[i])
			}
		}
	}
}

func TestEntryThatIsTooLargeHarmsNobodyElse(t *testing.T) {
	s, _ := openTwo(t)
	large := entryAt("order/large", 1, 1, "m1", 1)
	large.Events[0].Data = bytesOf(17 << 20)
	good := entryAt("order/good", 1, 1, "m1", 2)
	results := s.Append(t.Context(), []storage.Entry{large, good})
	if results[0] == nil || errors.Is(results[0], storage.ErrConflict) || results[1] != nil {
		t.Fatalf("got %v, want an error for the first and nil for the second", results)
	}
}

func bytesOf(size int) []byte { return slices.Repeat([]byte("x"), size) }

func TestOpenWithoutAServerFailsInTime(t *testing.T) {
	began := time.Now()
	_, err := Open(t.Context(), Config{URI: "mongodb://127.0.0.1:1", Selection: 300 * time.Millisecond})
	if err == nil || time.Since(began) > 5*time.Second {
		t.Fatalf("got %v after %v", err, time.Since(began))
	}
}

func TestCloseWaitsAndThenRefuses(t *testing.T) {
	w := newWire(t)
	s := open(t, w.uri(), server.Prefix(t))
	entered, proceed := make(chan struct{}), make(chan struct{})
	w.obey(func(command string) verdict {
		if command == "insert" {
			close(entered)
			<-proceed
		}
		return verdict{}
	})
	appended, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		appended <- s.Append(context.WithoutCancel(t.Context()), []storage.Entry{entryAt("order/a", 1, 1, "m1", 1)})[0]
	}()
	<-entered
	go func() { closed <- s.Close() }()
	eventually(t, "a closed gate", func() (bool, string) {
		_, err := s.Get(t.Context(), storage.Orders, "x")
		return errors.Is(err, ErrClosed), fmt.Sprint(err)
	})
	select {
	case err := <-closed:
		t.Fatalf("close returned %v while an append was under way", err)
	default:
	}
	close(proceed)
	if err := <-appended; err != nil {
		t.Errorf("the append under way: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func TestIndexesForEveryList(t *testing.T) {
	s, _ := openTwo(t)
	for _, collection := range collections {
		specs, err := s.views[collection].Indexes().ListSpecifications(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, spec := range specs {
			keys = append(keys, spec.KeysDocument.String())
		}
		for _, model := range viewIndexes(collection) {
			raw, err := bson.Marshal(model.Keys)
			if err != nil {
				t.Fatal(err)
			}
			if want := bson.Raw(raw).String(); !slices.Contains(keys, want) {
				t.Errorf("%s has no index %s, only %v", collection, want, keys)
			}
		}
	}
}
