package sqlite_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// Members append and readers read, in every way there is, while whatever may go to the archive goes there at once.
func TestArchivingBesideWritersAndReaders(t *testing.T) {
	s := openBlocks(t, t.TempDir(), 8)
	defer closeStore(t, s)
	const writers, streams, rounds = 3, 4, 60
	name := func(writer, stream int) storage.Stream {
		return storage.StreamOf("order", fmt.Sprint(writer, "-", stream))
	}
	var ends [writers][streams]atomic.Uint64
	var appending, reading sync.WaitGroup
	for writer := range writers {
		appending.Go(func() {
			number := uint64(0)
			for first := uint64(1); first <= rounds; first++ {
				for stream := range streams {
					number++
					e := entry(name(writer, stream), first, fmt.Sprint("member-", writer), number)
					if err := s.Append(t.Context(), []storage.Entry{e})[0]; err != nil {
						t.Errorf("append %s at %d: %v", e.Stream, first, err)
						return
					}
					ends[writer][stream].Store(first)
				}
			}
		})
	}
	done := make(chan struct{})
	meanwhile := func(look func() error) {
		reading.Go(func() {
			for last := false; ; { // once more when all has been appended
				select {
				case <-done:
					last = true
				default:
				}
				if err := look(); err != nil {
					t.Error(err)
					return
				}
				if last {
					return
				}
			}
		})
	}
	meanwhile(func() error { _, err := s.Archive(t.Context(), time.Now(), 0); return err })
	for reader := range 2 {
		random := rand.New(rand.NewPCG(1, uint64(reader)))
		meanwhile(func() error {
			writer, stream := random.IntN(writers), random.IntN(streams)
			end := ends[writer][stream].Load()
			entries, err := s.Read(t.Context(), name(writer, stream), 0, 0)
			if err == nil && uint64(len(entries)) < end {
				err = fmt.Errorf("%s has %d entries, want %d", name(writer, stream), len(entries), end)
			}
			back, e := s.ReadBack(t.Context(), name(writer, stream), 0, 3)
			if e == nil && uint64(len(back)) < min(end, 3) {
				e = fmt.Errorf("%s has %d newest entries, want %d", name(writer, stream), len(back), min(end, 3))
			}
			return errors.Join(err, e)
		})
	}
	meanwhile(func() error {
		writer := fmt.Sprint("member-", 0)
		least := uint64(0)
		for stream := range streams {
			least += ends[0][stream].Load()
		}
		entries, err := s.Committed(t.Context(), writer, 0, 10_000)
		for i, e := range entries {
			if e.Number != uint64(i+1) {
				return fmt.Errorf("%s has number %d after %d", writer, e.Number, i)
			}
		}
		if err == nil && uint64(len(entries)) < least {
			err = fmt.Errorf("%s has committed %d entries, want %d", writer, len(entries), least)
		}
		return err
	})
	meanwhile(func() error {
		least, found := uint64(0), uint64(0)
		for writer := range writers {
			for stream := range streams {
				least += ends[writer][stream].Load()
			}
		}
		seen := map[storage.Stream]uint64{}
		err := s.Scan(t.Context(), func(e storage.Entry) error {
			found++
			if seen[e.Stream]++; e.First != seen[e.Stream] {
				return fmt.Errorf("scan shows %s at %d after %d", e.Stream, e.First, seen[e.Stream]-1)
			}
			return nil
		})
		if err == nil && found < least {
			err = fmt.Errorf("scan shows %d entries, want %d", found, least)
		}
		return err
	})
	appending.Wait()
	close(done)
	reading.Wait()
	archive(t, s)
	wantArchived(t, s, writers*streams*rounds/8*8)
	for writer := range writers {
		for stream := range streams {
			wantEnd(t, s, name(writer, stream), rounds)
		}
	}
}

// talk makes events that say as much as real ones do: names of fields come again and again, ids never.
type talk struct {
	random *rand.Rand
	number uint64
}

func newTalk() *talk { return &talk{random: rand.New(rand.NewPCG(1, 1))} }

func (k *talk) entries(count int) []storage.Entry {
	batch := make([]storage.Entry, count)
	for i := range batch {
		k.number++
		id := fmt.Sprintf("%016x%08x", k.random.Uint64(), k.number)
		batch[i] = storage.Entry{
			Stream: storage.StreamOf("order", id), First: 1, Writer: "member-1", Number: k.number,
			Trace: fmt.Sprintf("00-%016x%016x-%016x-01", k.random.Uint64(), k.random.Uint64(), k.random.Uint64()),
			Events: []storage.Event{{
				Type: "order.placed", Schema: 1, At: time.UnixMilli(int64(1741944413589 + k.number)).UTC(),
				Command: fmt.Sprintf("%016x", k.random.Uint64()), Cause: "POST /orders",
				Data: fmt.Appendf(nil, `{"orderId":%q,"orderNumber":"ORD-%X","customer":{"customerId":"cust-%d","email":"buyer-%d@example.com",`+
					`"firstName":"Ada","lastName":"Lovelace"},"items":[{"productId":"bench-%04d","quantity":%d,"unitPrice":%d}],"subtotal":%d,`+
					`"tax":%d,"shipping":1000,"shippingAddress":{"street":"%d St James Square","city":"London","postalCode":"SW1Y 4JH"},"currency":"usd"}`,
					id, k.random.Uint64()>>12, k.random.IntN(1e6), k.random.IntN(1e6), k.random.IntN(1000), 1+k.random.IntN(3),
					k.random.IntN(1e5), k.random.IntN(1e6), k.random.IntN(1e5), k.random.IntN(100)),
			}},
		}
	}
	return batch
}

func size(t testing.TB, dir, name string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Entries of a second life of the shop go where those of the first one were, and those take a third of that elsewhere.
func TestArchivedEntriesMakeRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load := newTalk()
	const batches, batch = 50, 200
	live := func(archiving bool) int64 {
		t.Helper()
		for n := range batches {
			put(t, s, load.entries(batch)...)
			if archiving && n%5 == 0 { // as many as are added
				if _, err := s.Archive(t.Context(), time.UnixMilli(int64(1741944413589+load.number)), batches*batch/10*time.Millisecond); err != nil {
					t.Fatal(err)
				}
			}
		}
		closeStore(t, s)
		grown := size(t, dir, journalFile)
		s = open(t, dir)
		return grown
	}
	first := live(false)
	moved, err := s.Archive(t.Context(), time.UnixMilli(int64(1741944413589+load.number)), batches*batch/10*time.Millisecond)
	if err != nil || moved.Entries < batches*batch*9/10-128 || moved.Entries > batches*batch*9/10 {
		t.Fatalf("%d entries were archived, %v, want 90 %% of %d", moved.Entries, err, batches*batch)
	}
	if moved.Freed < first*8/10 {
		t.Errorf("%d bytes of %d are free, want 80 %%", moved.Freed, first)
	}
	second := live(true)
	if second > first*11/10 {
		t.Errorf("journal.db has grown from %d to %d bytes", first, second)
	}
	if packed := size(t, dir, archiveFile); packed > (first+second)/3 {
		t.Errorf("archive.db has %d bytes, in the place of nearly %d", packed, 2*first)
	}
	count := 0
	if err := s.Scan(t.Context(), func(storage.Entry) error { count++; return nil }); err != nil || count != 2*batches*batch {
		t.Errorf("scan: %d entries, %v, want %d", count, err, 2*batches*batch)
	}
	closeStore(t, s)
}

// BenchmarkArchive: one operation moves one entry.
func BenchmarkArchive(b *testing.B) {
	s := open(b, b.TempDir())
	defer s.Close()
	load := newTalk()
	for n := 0; n < b.N+128; n += 500 {
		put(b, s, load.entries(500)...)
	}
	b.ResetTimer()
	moved, err := s.Archive(b.Context(), time.Now(), 0)
	if err != nil || moved.Entries < int64(b.N) {
		b.Fatalf("%d entries were moved, %v", moved.Entries, err)
	}
	b.ReportMetric(float64(moved.Entries)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(moved.Written)/float64(moved.Freed), "written/freed")
}

// BenchmarkReadArchived: one operation reads a stream of 6 entries among many, each in a block of its own, or all in one; it
// is BenchmarkRead on an archived journal.
func BenchmarkReadArchived(b *testing.B) {
	for _, c := range []struct {
		name     string
		together int
	}{{"apart", 256}, {"together", 16}} {
		b.Run(c.name, func(b *testing.B) {
			s := open(b, b.TempDir())
			defer s.Close()
			entries := newBenchEntries(c.together)
			var streams []storage.Stream
			for range 61_440 / c.together {
				put(b, s, entries.next()...)
				if entries.life%6 == 0 {
					for _, e := range entries.batch {
						streams = append(streams, e.Stream)
					}
				}
			}
			archive(b, s)
			b.ResetTimer()
			for n := range b.N {
				at := n * 7919 % (len(streams) * 9 / 10)
				if got, err := s.Read(b.Context(), streams[at], 0, 0); err != nil || len(got) != 6 {
					b.Fatalf("got %d entries, %v", len(got), err)
				}
			}
		})
	}
}
