//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/sqlite"
)

// roleVariable makes this test binary play another process; its value is the role.
const roleVariable = "QUEUECOMMERCE_SQLITE_TEST_ROLE"

func TestMain(m *testing.M) {
	roles := map[string]func(dir string) error{"load": playLoad, "archive": playArchive, "open": playOpen, "quota": playQuota, "archive quota": playArchiveQuota}
	role := roles[os.Getenv(roleVariable)]
	if role == nil {
		os.Exit(m.Run())
	}
	if err := role(os.Args[1]); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// play starts this test binary in a role; what it prints comes line by line.
func play(t *testing.T, role, dir string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func playOpen(dir string) error {
	s, err := sqlite.Open(context.Background(), dir)
	if errors.Is(err, sqlite.ErrInUse) {
		fmt.Println("in use:", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Println("opened")
	return s.Close()
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ask := func() string {
		t.Helper()
		cmd, lines := play(t, "open", dir)
		lines.Scan()
		line := lines.Text()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		return line
	}
	if got := ask(); !strings.HasPrefix(got, "in use") || !strings.Contains(got, fmt.Sprintf("process %d", os.Getpid())) ||
		!strings.Contains(got, dir) {
		t.Errorf("second process: got %q, want that the directory is in use by process %d", got, os.Getpid())
	}
	put(t, s, entry("order/a", 1, "member-1", 1))
	closeStore(t, s)
	if got := ask(); got != "opened" {
		t.Errorf("after close: got %q, want opened", got)
	}
}

// playLoad appends, saves and advances without end, and prints what was answered.
func playLoad(dir string) error {
	s, err := sqlite.Open(context.Background(), dir)
	if err != nil {
		return err
	}
	return load(s, nil)
}

// playArchive does the same, and archives what it can as fast as it can.
func playArchive(dir string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, dir, sqlite.WithBlocks(8))
	if err != nil {
		return err
	}
	return load(s, func() error { _, err := s.Archive(ctx, time.Now(), 0); return err })
}

// load does work beside the load again and again, too.
func load(s *sqlite.Store, beside func() error) error {
	ctx := context.Background()
	last, err := s.Enlist(ctx, "member-1")
	if err != nil {
		return err
	}
	var mu sync.Mutex // makes numbers rise in the order of commit, as a member's committer does
	work := func(worker, round int) error {
		mu.Lock()
		batch := loadBatch(os.Getpid(), worker, round, last)
		last += uint64(len(batch))
		results := s.Append(ctx, batch)
		mu.Unlock()
		number := batch[0].Number
		err := errors.Join(results...)
		if err == nil {
			err = s.Save(ctx, benchProjections(int(number), 2, 1, "pending"), "member-1", number)
		}
		if err == nil {
			err = s.Advance(ctx, "member-1", storage.MarkRelayed, number)
		}
		report := ""
		for _, e := range batch {
			report += fmt.Sprintf("entry %s %d %d\n", e.Stream, e.First, e.Number)
		}
		if err == nil {
			_, err = os.Stdout.WriteString(report + fmt.Sprintf("marks %d\n", number))
		}
		return err
	}
	errs := make(chan error)
	if beside != nil {
		go func() {
			for {
				if err := beside(); err != nil {
					errs <- err
				}
			}
		}()
	}
	for worker := range 3 {
		go func() {
			for round := 0; ; round++ {
				if err := work(worker, round); err != nil {
					errs <- err
				}
			}
		}()
	}
	return <-errs
}

// loadBatch is a batch of 1 to 30 entries; every worker has 30 streams and its batches go round them.
func loadBatch(process, worker, round int, last uint64) []storage.Entry {
	const streams = 30
	before := 0 // entries of this worker's earlier rounds
	for r := range round {
		before += 1 + r%streams
	}
	var batch []storage.Entry
	for i := range 1 + round%streams {
		place := before + i
		stream := storage.StreamOf("order", fmt.Sprintf("%d-%d-%d", process, worker, place%streams))
		batch = append(batch, entry(stream, uint64(place/streams+1), "member-1", last+uint64(i)+1))
	}
	return batch
}

func TestKilledProcessLosesNothingThatWasAnswered(t *testing.T) { killUnderLoad(t, "load") }

// What is on its way to the archive when the process is killed is there, or still where it was.
func TestKilledWhileArchiving(t *testing.T) {
	dir := killUnderLoad(t, "archive")
	s := openBlocks(t, dir, 8)
	defer closeStore(t, s)
	archived, err := s.Archived(t.Context())
	if err != nil || archived < 1000 {
		t.Errorf("%d rows were archived meanwhile, %v: the test proves little", archived, err)
	}
	count := int64(0)
	if err := s.Scan(t.Context(), func(storage.Entry) error { count++; return nil }); err != nil || count <= archived {
		t.Errorf("scan: %d entries, %v, want more than %d", count, err, archived)
	}
}

func killUnderLoad(t *testing.T, role string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	type place struct {
		stream storage.Stream
		first  uint64
	}
	answered := map[place]uint64{}
	mark := uint64(0)
	for round := range 3 {
		cmd, lines := play(t, role, dir)
		count := 0
		for lines.Scan() {
			var p place
			var number uint64
			if _, err := fmt.Sscanf(lines.Text(), "entry %s %d %d", &p.stream, &p.first, &number); err == nil {
				answered[p] = number
			} else if _, err := fmt.Sscanf(lines.Text(), "marks %d", &number); err == nil {
				mark = max(mark, number)
			} else {
				t.Fatalf("round %d: %s", round, lines.Text())
			}
			if count++; count == 1500 {
				if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("round %d: process ended with %v before it was killed", round, err)
		}
		s := open(t, dir)
		found, numbers := map[place]uint64{}, uint64(0)
		ends := map[storage.Stream]uint64{}
		err := s.Scan(t.Context(), func(e storage.Entry) error {
			if e.First != ends[e.Stream]+1 || e.Number <= numbers {
				return fmt.Errorf("%s at %d number %d comes after %d and number %d", e.Stream, e.First, e.Number, ends[e.Stream], numbers)
			}
			ends[e.Stream], numbers = e.Last(), e.Number
			found[place{e.Stream, e.First}] = e.Number
			return nil
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for p, number := range answered {
			if found[p] != number {
				t.Fatalf("round %d: %s at %d was answered as number %d, found %d", round, p.stream, p.first, number, found[p])
			}
		}
		for stream, last := range ends {
			wantEnd(t, s, stream, last)
		}
		if last, err := s.Enlist(t.Context(), "member-1"); err != nil || last != numbers {
			t.Fatalf("round %d: enlist: got %d, %v, want %d", round, last, err, numbers)
		}
		marks, err := s.Writers(t.Context())
		if err != nil || len(marks) != 1 || marks[0].Relayed < mark || marks[0].Projected < mark ||
			marks[0].Relayed > numbers || marks[0].Projected > numbers {
			t.Fatalf("round %d: got marks %+v, %v, want at least %d and at most %d", round, marks, err, mark, numbers)
		}
		t.Logf("round %d: %d entries found, %d answered so far", round, len(found), len(answered))
		closeStore(t, s)
	}
	return dir
}

func TestFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir() + "/data/deep"
	s := open(t, dir)
	defer closeStore(t, s)
	fill(t, s, 50)
	if moved := archive(t, s); moved.Entries == 0 {
		t.Fatal("nothing was archived")
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v, want 0700", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 10 {
		t.Fatalf("got %d files, %v, want the lock, three databases and their helpers", len(entries), err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
}
