package mongo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

// faultyLine is a proxy in front of the server, a store that goes through it, and one that does not.
type faultyLine struct {
	proxy    *toxiproxy.Proxy
	through  *Store
	directly *Store
}

func newFaultyLine(t *testing.T) *faultyLine {
	t.Helper()
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(api, t.Name(), "127.0.0.1:0", primaryOf(t))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	prefix := server.Prefix(t)
	directly := open(t, server.URI(), prefix)
	t.Cleanup(func() { directly.Close() })
	through, err := Open(t.Context(), Config{
		URI: server.Via(proxy.Listen), Prefix: prefix, Selection: 500 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { through.Close() })
	return &faultyLine{proxy: proxy, through: through, directly: directly}
}

func (l *faultyLine) poison(t *testing.T, kind, stream, attributes string) {
	t.Helper()
	toxic := fmt.Sprintf(`{"name":"it","type":%q,"stream":%q,"attributes":{%s}}`, kind, stream, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

func (l *faultyLine) heal(t *testing.T) {
	t.Helper()
	if err := l.proxy.Toxics.RemoveToxic(t.Context(), "it"); err != nil {
		t.Fatal(err)
	}
}

// attempt appends with a deadline and demands an unknown outcome.
func (l *faultyLine) attempt(t *testing.T, e storage.Entry, limit time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := l.through.Append(ctx, []storage.Entry{e})[0]; err == nil || errors.Is(err, storage.ErrConflict) {
		t.Fatalf("append through the broken line: got %v, want an unknown outcome", err)
	}
}

// waitFor waits until the server has the entry.
func (l *faultyLine) waitFor(t *testing.T, e storage.Entry) {
	t.Helper()
	eventually(t, "the entry at the server", func() (bool, string) {
		got, err := l.directly.Read(t.Context(), e.Stream, e.First-1, 1)
		return err == nil && len(got) == 1, fmt.Sprint(got, err)
	})
}

func TestLostAnswerOfAnAppendIsFoundByRepeatingIt(t *testing.T) {
	line := newFaultyLine(t)
	first, lost := entryAt("order/a", 1, 2, "m1", 1), entryAt("order/a", 3, 2, "m1", 2)
	mustAppend(t, line.through, first)
	line.poison(t, "limit_data", "downstream", `"bytes":0`)
	line.attempt(t, lost, 2*time.Second)
	line.waitFor(t, lost)
	line.heal(t)
	for range 2 {
		if err := insist(t.Context(), line.through, lost, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	next := entryAt("order/a", 5, 1, "m1", 3)
	mustAppend(t, line.through, next)
	all := []storage.Entry{first, lost, next}
	prove(t, line.directly, all, all)
}

func TestAnswerBeyondTheDeadlineIsFoundByRepeatingTheAppend(t *testing.T) {
	line := newFaultyLine(t)
	first, late := entryAt("product/a", 1, 1, "m1", 1), entryAt("product/a", 2, 3, "m1", 2)
	mustAppend(t, line.through, first)
	line.poison(t, "latency", "downstream", `"latency":2000`)
	line.attempt(t, late, 100*time.Millisecond)
	line.waitFor(t, late)
	line.heal(t)
	if err := insist(t.Context(), line.through, late, time.Second); err != nil {
		t.Fatal(err)
	}
	prove(t, line.directly, []storage.Entry{first, late}, []storage.Entry{first, late})
}

func TestAppendThatArrivesLateOverwritesNobody(t *testing.T) {
	line := newFaultyLine(t)
	first := entryAt("order/a", 1, 1, "m1", 1)
	mustAppend(t, line.through, first)
	line.poison(t, "latency", "upstream", `"latency":700`)
	late := entryAt("order/a", 2, 1, "m1", 2)
	line.attempt(t, late, 100*time.Millisecond)
	foreign := []storage.Entry{entryAt("order/a", 2, 2, "m2", 1), entryAt("order/a", 4, 1, "m2", 2)}
	mustAppend(t, line.directly, foreign[0])
	mustAppend(t, line.directly, foreign[1])
	line.heal(t)
	if err := insist(t.Context(), line.through, late, 3*time.Second); !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("repeat of the late append: got %v, want ErrConflict", err)
	}
	prove(t, line.directly, append(foreign, first), append(foreign, first))
}

func TestServerAwayAndBack(t *testing.T) {
	line := newFaultyLine(t)
	first, during := entryAt("order/a", 1, 1, "m1", 1), entryAt("order/a", 2, 1, "m1", 2)
	mustAppend(t, line.through, first)
	line.proxy.Stop()
	line.attempt(t, during, 2*time.Second)
	if err := line.through.Ping(t.Context()); err == nil {
		t.Error("ping while the server is away: got nil")
	}
	if err := line.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	if err := insist(t.Context(), line.through, during, time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a good ping", func() (bool, string) {
		err := line.through.Ping(t.Context())
		return err == nil, fmt.Sprint(err)
	})
	prove(t, line.directly, []storage.Entry{first, during}, []storage.Entry{first, during})
}

// record gathers what the writers of a load attempted and what was acknowledged.
type record struct {
	mu           sync.Mutex
	attempted    []storage.Entry
	acknowledged []storage.Entry
	onProgress   func(acknowledged int)
}

func (r *record) attempt(e storage.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempted = append(r.attempted, e)
}

func (r *record) acknowledge(e storage.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acknowledged = append(r.acknowledged, e)
	r.onProgress(len(r.acknowledged))
}

func TestConnectionsBrokenUnderSixteenWriters(t *testing.T) {
	const writers, each, faults = 16, 40, 8
	line := newFaultyLine(t)
	breakNow := make(chan struct{}, 1)
	r := &record{onProgress: func(n int) {
		if n%(writers*each/faults) == 0 {
			select {
			case breakNow <- struct{}{}:
			default:
			}
		}
	}}
	var load, breaking sync.WaitGroup
	broken := 0
	breaking.Go(func() {
		for range breakNow {
			line.proxy.Stop() // every connection is cut, in the middle of whatever it carries
			if err := line.proxy.Start(); err != nil {
				t.Errorf("start the proxy again: %v", err)
			}
			broken++
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for w := range writers {
		load.Go(func() { writeAll(ctx, t, line.through, r, fmt.Sprint("m", w), each) })
	}
	load.Wait()
	close(breakNow)
	breaking.Wait()
	if len(r.acknowledged) != writers*each || broken < faults/2 {
		t.Errorf("%d appends acknowledged, want %d; %d faults, want at least %d",
			len(r.acknowledged), writers*each, broken, faults/2)
	}
	prove(t, line.directly, r.acknowledged, r.attempted)
}

// writeAll appends count entries, every second one to a stream that all writers share.
func writeAll(ctx context.Context, t *testing.T, s *Store, r *record, writer string, count int) {
	own, shared := storage.StreamOf("payment", writer), storage.Stream("product/shared")
	ownNext, sharedNext, number := uint64(1), uint64(1), uint64(0)
	for done := 0; done < count; {
		number++
		e := entryAt(own, ownNext, 1+done%3, writer, number)
		if done%2 == 1 {
			e = entryAt(shared, sharedNext, 1+done%3, writer, number)
		}
		r.attempt(e)
		switch err := insist(ctx, s, e, 2*time.Second); {
		case err == nil:
			r.acknowledge(e)
			done++
			if e.Stream == own {
				ownNext = e.Last() + 1
			} else {
				sharedNext = e.Last() + 1
			}
		case errors.Is(err, storage.ErrConflict) && e.Stream == shared:
			// An error leaves the place as it was: the next append is refused, and this is done again.
			if newest, err := s.ReadBack(ctx, shared, 0, 1); err == nil && len(newest) == 1 {
				sharedNext = newest[0].Last() + 1
			}
		default:
			t.Errorf("%s at %s %d: %v", writer, e.Stream, e.First, err)
			return
		}
	}
}

func TestErrorsThatTheServerAnswers(t *testing.T) {
	notPrimary := bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: 10107}, {Key: "codeName", Value: "NotWritablePrimary"},
		{Key: "errmsg", Value: "not primary"},
	}
	lag := bson.D{
		{Key: "code", Value: 64}, {Key: "codeName", Value: "WriteConcernTimeout"},
		{Key: "errmsg", Value: "waiting for replication timed out"},
	}
	notReplicated := bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 1}, {Key: "writeConcernError", Value: lag}}
	for name, v := range map[string]verdict{
		"not primary, nothing stored":         {keep: true, answer: notPrimary},
		"not primary any more, but stored":    {answer: notPrimary},
		"stored, but not by a majority":       {answer: notReplicated},
		"connection ends, nothing stored":     {keep: true, hangUp: true},
		"connection ends after it was stored": {hangUp: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t)
			prefix := server.Prefix(t)
			s, direct := open(t, w.uri(), prefix), open(t, server.URI(), prefix)
			defer direct.Close()
			defer s.Close()
			first, e := entryAt("order/a", 1, 1, "m1", 1), entryAt("order/a", 2, 2, "m1", 2)
			mustAppend(t, s, first)
			w.obey(always("insert", v)) // a replica set's driver tries again by itself
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := s.Append(ctx, []storage.Entry{e})[0]; err == nil || errors.Is(err, storage.ErrConflict) {
				t.Fatalf("got %v, want an unknown outcome", err)
			}
			w.obey(nil)
			if err := insist(t.Context(), s, e, 2*time.Second); err != nil {
				t.Fatal(err)
			}
			prove(t, direct, []storage.Entry{first, e}, []storage.Entry{first, e})
		})
	}
}

func TestSaveIsCompleteWhateverAnswerIsLost(t *testing.T) {
	for _, command := range []string{"find", "insert", "update"} {
		for _, keep := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, reached the server: %v", command, !keep), func(t *testing.T) {
				w := newWire(t)
				s := open(t, w.uri(), server.Prefix(t))
				defer s.Close()
				if _, err := s.Enlist(t.Context(), "m1"); err != nil {
					t.Fatal(err)
				}
				for version := uint64(1); version <= 2; version++ {
					w.obey(once(command, verdict{keep: keep, hangUp: true}))
					p := productAt(1, version, "sku-1")
					eventually(t, "a save", func() (bool, string) {
						err := s.Save(t.Context(), []storage.Projection{p}, "m1", version)
						return err == nil, fmt.Sprint(err)
					})
					wantAnswer(t, s, p.Documents[0])
					wantActive(t, s, 1)
				}
			})
		}
	}
}
