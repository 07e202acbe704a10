package mongo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// openMembers returns stores of several members of one installation. One of them remembers hardly any stream's end.
func openMembers(t *testing.T, count int) []*Store {
	t.Helper()
	prefix := server.Prefix(t)
	members := make([]*Store, count)
	for i := range members {
		cfg := Config{URI: server.URI(), Prefix: prefix}
		if i == count-1 {
			cfg.RememberedEnds = 1
		}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		members[i] = s
	}
	return members
}

// atOnce runs f for every member, all at the same time, and waits for them.
func atOnce(members []*Store, f func(i int, s *Store)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i, s := range members {
		done.Go(func() {
			start.Wait()
			f(i, s)
		})
	}
	start.Done()
	done.Wait()
}

func nameOf(i int) string { return fmt.Sprint("m", i) }

// TestAFencedMemberLearnsTheTrueEnd lets members that know only older ends append in turn: each refusal must come with
// what is needed to go on.
func TestAFencedMemberLearnsTheTrueEnd(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 4))
	members := openMembers(t, 3)
	streams := []storage.Stream{"order/a", "product/a", "payment/a"}
	believed := map[string]uint64{} // by member and stream: where the stream ended when the member last knew
	ends, numbers := map[storage.Stream]uint64{}, map[int]uint64{}
	var all []storage.Entry
	fenced := 0
	for range 300 {
		i, stream := random.IntN(len(members)), streams[random.IntN(len(streams))]
		s, place := members[i], fmt.Sprint(i, stream)
		numbers[i]++
		e := entryAt(stream, believed[place]+1, 1+random.IntN(2*window), nameOf(i), numbers[i])
		if believed[place] != ends[stream] {
			fenced++
			mustConflict(t, s, e)
			tail, err := s.Read(t.Context(), stream, believed[place], 0)
			if err != nil || len(tail) == 0 || tail[0].First != e.First || tail[len(tail)-1].Last() != ends[stream] {
				t.Fatalf("%s after the conflict at %d: read %d entries, %v, want all from there to %d",
					nameOf(i), e.First, len(tail), err, ends[stream])
			}
			e = entryAt(stream, ends[stream]+1, len(e.Events), e.Writer, e.Number)
		}
		mustAppend(t, s, e)
		all = append(all, e)
		ends[stream], believed[place] = e.Last(), e.Last()
	}
	if fenced < 100 {
		t.Errorf("only %d appends met a fence", fenced)
	}
	prove(t, members[0], all, all)
}

// TestMembersRaceForOneStream has several processes where storagetest has one: their memories of ends differ.
func TestMembersRaceForOneStream(t *testing.T) {
	const each = 40
	const stream = storage.Stream("product/hot")
	members := openMembers(t, 4)
	var mu sync.Mutex
	var attempted, acknowledged []storage.Entry
	atOnce(members, func(i int, s *Store) {
		next := uint64(1)
		for n := uint64(1); n <= each; {
			e := entryAt(stream, next, 1+int(n)%3, nameOf(i), n)
			err := s.Append(t.Context(), []storage.Entry{e})[0]
			mu.Lock()
			attempted = append(attempted, e)
			if err == nil {
				acknowledged = append(acknowledged, e)
			}
			mu.Unlock()
			switch {
			case err == nil:
				n, next = n+1, e.Last()+1
			case errors.Is(err, storage.ErrConflict):
				tail, err := s.Read(t.Context(), stream, next-1, 0)
				if err != nil || len(tail) == 0 {
					t.Errorf("%s after the conflict at %d: read %d entries, %v", nameOf(i), next, len(tail), err)
					return
				}
				next = tail[len(tail)-1].Last() + 1
			default:
				t.Errorf("%s: %v", nameOf(i), err)
				return
			}
		}
	})
	// A number is attempted at several places; only where it was acknowledged may it be.
	attempted = slices.DeleteFunc(attempted, func(e storage.Entry) bool {
		return !slices.ContainsFunc(acknowledged, func(a storage.Entry) bool {
			return a.Writer == e.Writer && a.Number == e.Number && a.First == e.First
		})
	})
	prove(t, members[0], acknowledged, attempted)
	if len(acknowledged) != len(members)*each {
		t.Errorf("%d entries were acknowledged, want %d", len(acknowledged), len(members)*each)
	}
}

// versionOf is a product at a version: what it is counted by, whether it is hidden, and its deadline follow from that.
func versionOf(n int, version uint64) storage.Projection {
	p := productAt(n, version, fmt.Sprintf("sku-%d-%d", n, version%3))
	d := &p.Documents[0]
	state := (uint64(n) + version) % 12
	d.Category, d.Active, d.InStock, d.Hidden = fmt.Sprint("c", state%2), state%3 > 0, state%4 > 0, state == 5
	p.Snapshot = fmt.Appendf(nil, `{"version":%d}`, version)
	if version%2 == 1 {
		p.Due = t0.Add(time.Duration(n) * time.Second)
	}
	return p
}

func TestTheNewestVersionWinsWhicheverMemberSavesIt(t *testing.T) {
	const products, last = 12, uint64(24)
	members := openMembers(t, 4)
	for _, s := range members {
		wantActive(t, s, 0) // every catalogue follows from here on
	}
	atOnce(members, func(i int, s *Store) {
		random := rand.New(rand.NewPCG(uint64(i), 5))
		versions := random.Perm(int(last)) // each member saves every version of every product, in an order of its own
		for _, v := range versions {
			var projections []storage.Projection
			for _, n := range random.Perm(products) {
				projections = append(projections, versionOf(n, uint64(v)+1))
			}
			if err := s.Save(t.Context(), projections, "", 0); err != nil {
				t.Errorf("%s: save version %d: %v", nameOf(i), v+1, err)
			}
			if _, err := s.Count(t.Context(), storage.Filter{Collection: storage.Products}); err != nil {
				t.Errorf("%s: count: %v", nameOf(i), err)
			}
		}
	})
	for _, s := range members {
		for n := range products {
			want := versionOf(n, last)
			if !want.Documents[0].Hidden {
				wantAnswer(t, s, want.Documents[0])
			}
			got, err := s.Snapshot(t.Context(), want.Stream)
			if err != nil || got.Version != last || string(got.Snapshot) != string(want.Snapshot) || !got.Due.Equal(want.Due) {
				t.Errorf("snapshot: got %+v, %v, want version %d as saved", got, err, last)
			}
		}
		wantCountsOf(t, s, products, last)
	}
}

// wantCountsOf compares every counter with what the products are at that version.
func wantCountsOf(t *testing.T, s *Store, products int, version uint64) {
	t.Helper()
	yes, no := true, false
	for _, category := range []string{"", "c0", "c1"} {
		for _, active := range []*bool{nil, &yes, &no} {
			for _, inStock := range []*bool{nil, &yes, &no} {
				f := storage.Filter{Collection: storage.Products, Category: category, Active: active, InStock: inStock}
				want := int64(0)
				for n := range products {
					d := versionOf(n, version).Documents[0]
					if !d.Hidden && (category == "" || category == d.Category) &&
						(active == nil || *active == d.Active) && (inStock == nil || *inStock == d.InStock) {
						want++
					}
				}
				if got, err := s.Count(t.Context(), f); err != nil || got != want {
					t.Errorf("count %q %v %v: got %d, %v, want %d", category, active, inStock, got, err, want)
				}
			}
		}
	}
}

func TestTwoMembersInsertTheSameDocumentsAtOnce(t *testing.T) {
	const rounds = 40
	members := openMembers(t, 4)
	for round := range rounds {
		atOnce(members, func(i int, s *Store) {
			p := productAt(round, uint64(1+(i+round)%len(members)), fmt.Sprint("sku-", round))
			if err := s.Save(t.Context(), []storage.Projection{p}, "", 0); err != nil {
				t.Errorf("round %d: %s: %v", round, nameOf(i), err)
			}
		})
		newest := productAt(round, uint64(len(members)), fmt.Sprint("sku-", round))
		wantAnswer(t, members[round%len(members)], newest.Documents[0])
	}
	for _, s := range members {
		wantActive(t, s, rounds)
	}
}
