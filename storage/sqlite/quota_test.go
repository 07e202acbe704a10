//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"testing"

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

func TestFullDiskIsAnErrorAndGoesOnWhenThereIsRoom(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := play(t, "quota", dir)
	last := uint64(0)
	for lines.Scan() {
		if _, err := fmt.Sscanf(lines.Text(), "last %d", &last); err != nil {
			t.Error(lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil || last < 100 {
		t.Fatalf("process ended with %v at %d", err, last)
	}
	s := open(t, dir)
	defer closeStore(t, s)
	wantEnd(t, s, "order/quota", last)
}
