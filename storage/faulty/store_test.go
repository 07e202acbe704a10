package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/faulty"
	"github.com/queuecommerce/queuecommerce/storage/memory"
	"github.com/queuecommerce/queuecommerce/storage/storagetest"
)

func TestWithoutRulesNothingChanges(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return faulty.New(memory.New()) })
}

func entry(stream storage.Stream, number uint64) storage.Entry {
	return storage.Entry{Stream: stream, First: 1, Writer: "w", Number: number, Events: []storage.Event{
		{Type: "order.placed", Schema: 1, At: time.UnixMilli(1).UTC(), Data: []byte(`{}`)},
	}}
}

func stored(t *testing.T, s storage.Store, stream storage.Stream) bool {
	t.Helper()
	entries, err := s.Read(t.Context(), stream, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 1
}

func TestFates(t *testing.T) {
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
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := memory.New()
			s := faulty.New(disk)
			s.Set(faulty.Nth(faulty.Append, c.fate, 2))
			if err := s.Append(t.Context(), []storage.Entry{entry("order/first", 1)})[0]; err != nil {
				t.Fatalf("first call: %v", err)
			}
			e := entry("order/a", 2)
			if err := s.Append(t.Context(), []storage.Entry{e})[0]; !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			e.Events[0].Data[0] = 'x'
			if got := stored(t, disk, "order/a"); got != c.done {
				t.Errorf("stored %v, want %v", got, c.done)
			}
			s.Settle()
			if got := stored(t, disk, "order/a"); got != c.settled {
				t.Errorf("stored after settle %v, want %v", got, c.settled)
			}
			entries, err := disk.Read(t.Context(), "order/a", 0, 0)
			if err != nil || (c.settled && string(entries[0].Events[0].Data) != `{}`) {
				t.Errorf("got %v, %v: the entry changed", entries, err)
			}
			if err := s.Append(t.Context(), []storage.Entry{entry("order/b", 3)})[0]; err != nil {
				t.Errorf("third call: %v", err)
			}
		})
	}
}

func waitStalled(t *testing.T, s *faulty.Store, want int) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for s.Stalled() != want {
		if time.Now().After(deadline) {
			t.Fatalf("%d calls are stalled, want %d", s.Stalled(), want)
		}
		runtime.Gosched()
	}
}

func TestStall(t *testing.T) {
	disk := memory.New()
	s := faulty.New(disk)
	s.Set(faulty.Every(faulty.Append, faulty.Stall))
	results := make(chan error, 1)
	call := func(ctx context.Context, e storage.Entry) { results <- s.Append(ctx, []storage.Entry{e})[0] }

	go call(t.Context(), entry("order/a", 1))
	waitStalled(t, s, 1)
	if stored(t, disk, "order/a") {
		t.Error("a stalled call was done")
	}
	s.Release()
	if err := <-results; err != nil || !stored(t, disk, "order/a") {
		t.Errorf("after release: %v", err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	go call(ctx, entry("order/b", 2))
	waitStalled(t, s, 1)
	cancel()
	if err := <-results; !errors.Is(err, context.Canceled) || stored(t, disk, "order/b") {
		t.Errorf("after cancel: %v", err)
	}

	go call(t.Context(), entry("order/c", 3))
	waitStalled(t, s, 1)
	s.Cut()
	if err := <-results; !errors.Is(err, faulty.ErrCut) || stored(t, disk, "order/c") {
		t.Errorf("after cut: %v", err)
	}
}

func TestCutInAHook(t *testing.T) {
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprint("after ", after), func(t *testing.T) {
			disk := memory.New()
			s := faulty.New(disk)
			if after {
				s.Hook(nil, func([]storage.Entry, []error) { s.Cut() })
			} else {
				s.Hook(func([]storage.Entry) { s.Cut() }, nil)
			}
			if err := s.Append(t.Context(), []storage.Entry{entry("order/a", 1)})[0]; !errors.Is(err, faulty.ErrCut) {
				t.Errorf("got %v, want ErrCut", err)
			}
			if got := stored(t, disk, "order/a"); got != after {
				t.Errorf("stored %v, want %v", got, after)
			}
			if err := s.Save(t.Context(), []storage.Projection{{Stream: "order/a", Version: 1}}, "", 0); !errors.Is(err, faulty.ErrCut) {
				t.Errorf("save after cut: got %v, want ErrCut", err)
			}
			if _, err := disk.Snapshot(t.Context(), "order/a"); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("the store was reached after cut: %v", err)
			}
		})
	}
}

func TestRules(t *testing.T) {
	s := faulty.New(memory.New())
	s.Set(faulty.First(
		faulty.Times(1, faulty.Every(faulty.Save, faulty.Fail)),
		faulty.Holding(faulty.Fail, func(e storage.Entry) bool { return e.Stream.Kind() == "payment" }),
	))
	save := func() error { return s.Save(t.Context(), nil, "", 0) }
	if err := save(); !errors.Is(err, faulty.ErrInjected) {
		t.Errorf("first save: %v", err)
	}
	if err := save(); err != nil {
		t.Errorf("second save: %v", err)
	}
	if err := s.Append(t.Context(), []storage.Entry{entry("order/a", 1)})[0]; err != nil {
		t.Errorf("append of an order: %v", err)
	}
	for _, err := range s.Append(t.Context(), []storage.Entry{entry("order/b", 2), entry("payment/a", 3)}) {
		if !errors.Is(err, faulty.ErrInjected) {
			t.Errorf("append with a payment: %v", err)
		}
	}
	if s.Calls(faulty.Append) != 2 || s.Calls(faulty.Save) != 2 {
		t.Errorf("counted %d appends and %d saves", s.Calls(faulty.Append), s.Calls(faulty.Save))
	}
}

func TestRandomRepeatsWithItsSeed(t *testing.T) {
	draw := func(seed uint64) string {
		rule := faulty.Random(seed, 0.3, []faulty.Fate{faulty.Fail, faulty.Lose}, faulty.Append)
		text := ""
		for range 200 {
			text += fmt.Sprint(int(rule(faulty.Call{Step: faulty.Append})))
			if rule(faulty.Call{Step: faulty.Save}) != faulty.Pass {
				t.Fatal("a step that was not named did not pass")
			}
		}
		return text
	}
	if first, again := draw(1), draw(1); first != again {
		t.Error("one seed gave two histories")
	}
	if draw(1) == draw(2) {
		t.Error("two seeds gave one history")
	}
}
