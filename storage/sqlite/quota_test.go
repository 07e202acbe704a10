//go:build unix

package sqlite_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// playQuota fills the journal against a limit that the system enforces, and goes on when it is lifted.
func playQuota(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir)
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	unlimited := limit
	limit.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	first, failures := uint64(1), 0
	for failures < 5 {
		if first > 100_000 {
			return errors.New("the limit was never reached")
		}
		err := s.Append(ctx, []storage.Entry{entry("order/quota", first, "member-1", first)})[0]
		switch {
		case err == nil && failures > 0:
			return fmt.Errorf("append at %d was answered beyond the limit", first)
		case err == nil:
			first++
		case errors.Is(err, storage.ErrConflict):
			return fmt.Errorf("append at %d: %w", first, err)
		default:
			failures++
		}
	}
	if err := s.Ping(ctx); err == nil {
		return errors.New("ping is nil beyond the limit")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		return err
	}
	if err := s.Ping(ctx); err != nil {
		return err
	}
	for range 3 {
		if err := s.Append(ctx, []storage.Entry{entry("order/quota", first, "member-1", first)})[0]; err != nil {
			return fmt.Errorf("append at %d again: %w", first, err)
		}
		first++
	}
	fmt.Println("last", first-1)
	return s.Close()
}

// playArchiveQuota archives against a limit that the system enforces, and goes on when it is lifted.
func playArchiveQuota(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir, sqlite.WithBlocks(64))
	if err != nil {
		return err
	}
	last := uint64(0)
	add := func(count int) error {
		for range count {
			e := entry("order/quota", last+1, "member-1", last+1)
			e.Events[0].Data = []byte(rand.Text() + strings.Repeat(rand.Text(), 9))
			if err := s.Append(ctx, []storage.Entry{e})[0]; err != nil {
				return err
			}
			last++
		}
		return nil
	}
	if err := add(2000); err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	unlimited := limit
	if err := s.Flush(ctx); err != nil {
		return err
	}
	for _, full := range []struct {
		bytes uint64
		file  string // that has no room
	}{{0, "archive.db"}, {20_000, "archive.db"}, {200_000, "journal.db"}} {
		limit.Cur = full.bytes
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
		if moved, err := s.Archive(ctx, time.Now(), 0); err == nil || moved.Entries > 0 || !strings.Contains(err.Error(), full.file) {
			return fmt.Errorf("limit of %d: %d entries were moved, %v, want an error about %s", full.bytes, moved.Entries, err, full.file)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
			return err
		}
		if err := add(1); err != nil {
			return fmt.Errorf("append after a limit of %d: %w", full.bytes, err)
		}
	}
	moved, err := s.Archive(ctx, time.Now(), 0)
	if err != nil || moved.Entries != 1984 {
		return fmt.Errorf("%d entries were moved when there was room, %v", moved.Entries, err)
	}
	fmt.Println("last", last)
	return s.Close()
}

func TestFullDiskIsAnErrorAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir, last := playToTheLimit(t, "quota")
	s := open(t, dir)
	defer closeStore(t, s)
	wantEnd(t, s, "order/quota", last)
}

func TestFullDiskDoesNotHurtWhatIsArchived(t *testing.T) {
	dir, last := playToTheLimit(t, "archive quota")
	s := open(t, dir)
	defer closeStore(t, s)
	wantArchived(t, s, 1984)
	wantAll(t, s, "order/quota", last)
}

func playToTheLimit(t *testing.T, role string) (dir string, last uint64) {
	t.Helper()
	dir = t.TempDir()
	cmd, lines := play(t, role, dir)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "last %d", &last); err != nil {
			t.Error(lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || last < 100 {
		t.Fatalf("process ended with %v at %d", err, last)
	}
	return dir, last
}
