package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if second, err := sqlite.Open(t.Context(), dir); !errors.Is(err, sqlite.ErrInUse) {
		_ = second.Close()
		t.Errorf("got %v, want ErrInUse", err)
	}
	closeStore(t, s)
	closeStore(t, open(t, dir))
}

func TestFailedOpenLetsGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, journalFile)
	if err := os.WriteFile(path, []byte(fmt.Sprintf("%04096d", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := sqlite.Open(t.Context(), dir); err == nil {
		closeStore(t, s)
		t.Fatal("opened garbage as a journal")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	closeStore(t, open(t, dir))
}

func TestUseAfterCloseIsAnError(t *testing.T) {
	s := open(t, t.TempDir())
	put(t, s, entry("order/a", 1, "member-1", 1))
	closeStore(t, s)
	closeStore(t, s)
	if err := s.Append(t.Context(), []storage.Entry{entry("order/a", 2, "member-1", 2)})[0]; err == nil {
		t.Error("append: no error")
	}
	if _, err := s.Read(t.Context(), "order/a", 0, 0); err == nil {
		t.Error("read: no error")
	}
	if err := s.Save(t.Context(), nil, "", 0); err == nil {
		t.Error("save: no error")
	}
	if _, err := s.List(t.Context(), storage.Filter{Collection: storage.Orders}, storage.Position{}, 0, 1); err == nil {
		t.Error("list: no error")
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("ping: no error")
	}
}

func TestCloseUnderLoadKeepsWhatWasAnswered(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var group sync.WaitGroup
	var ends [8]uint64
	warm := make(chan struct{}, len(ends))
	name := func(worker int) storage.Stream { return storage.StreamOf("order", fmt.Sprint(worker)) }
	for worker := range ends {
		group.Go(func() {
			for last := &ends[worker]; ; *last++ {
				e := entry(name(worker), *last+1, fmt.Sprint("member-", worker), *last+1)
				if err := s.Append(t.Context(), []storage.Entry{e})[0]; err != nil {
					return
				}
				if _, err := s.Read(t.Context(), name(worker), 0, 0); err == nil && *last == 3 {
					warm <- struct{}{}
				}
			}
		})
	}
	deadline := time.After(30 * time.Second)
	for n := range ends {
		select {
		case <-warm:
		case <-deadline:
			t.Fatalf("only %d of %d workers have appended: %v", n, len(ends), s.Ping(t.Context()))
		}
	}
	closeStore(t, s)
	group.Wait()
	s = open(t, dir)
	defer closeStore(t, s)
	for worker, last := range ends {
		wantEnd(t, s, name(worker), last)
	}
}
