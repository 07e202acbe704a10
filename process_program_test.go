package main_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

// The tests in process_*_test.go run the program as its users do: as a process with an environment, over HTTP, and with
// signals. They build it once, without the race detector: what they measure themselves against is time.
var (
	building sync.Mutex
	built    bool
)

// program is the path of the program.
func program(t testing.TB) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path, err := filepath.Abs("bin/queuecommerce.test") // where builds go; nothing else looks for this name
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil || !built { // "make" may clear the folder at any time
		output, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
		require.NoError(t, err, "build the program: %s", output)
		built = true
	}
	return path
}

// startPatience is how long a program that starts may take until it is ready: the machine may be busy with other tests.
const startPatience = 60 * time.Second

// shop is one data directory and the process that serves it, if one runs.
type shop struct {
	t    testing.TB
	dir  string
	addr string
	env  []string // beside what every shop has
	log  logBuffer

	mu      sync.Mutex
	process *exec.Cmd
	exited  chan struct{} // closed when process has ended
}

// newShop makes a shop that does not run yet. The environment is the test's, made hermetic, and then env.
func newShop(t testing.TB, env ...string) *shop {
	t.Helper()
	s := &shop{t: t, dir: filepath.Join(t.TempDir(), "data"), addr: freeAddr(t), env: env}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("the end of the program's log:\n%s", s.log.tail())
		}
	})
	return s
}

// freeAddr is a loopback address below the range that the system gives to outgoing connections, so that it stays free
// while the program is down.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		if listener, err := net.Listen("tcp", addr); err == nil {
			require.NoError(t, listener.Close())
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

func (s *shop) url() string { return "http://" + s.addr }

func (s *shop) environment() []string {
	keep := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir(),
		"DATA_DIR=" + s.dir, "HTTP_ADDR=" + s.addr, "AMQP_URL=off"}
	return append(keep, s.env...)
}

func (s *shop) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program(s.t), args...)
	cmd.Env = s.environment()
	return cmd
}

// launch starts serving and returns at once.
func (s *shop) launch() {
	s.t.Helper()
	cmd := s.command(context.Background(), "serve")
	cmd.Stderr = &s.log
	require.NoError(s.t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.mu.Lock()
	s.process, s.exited = cmd, exited
	s.mu.Unlock()
}

// start serves, and returns when the shop is ready.
func (s *shop) start() {
	s.t.Helper()
	s.launch()
	bridgetest.Eventually(s.t, startPatience, s.ready, func() string { return "not ready; its log:\n" + s.log.tail() })
}

func (s *shop) ready() bool {
	select {
	case <-s.exited:
		s.t.Fatalf("the program ended by itself: %v; its log:\n%s", s.process.ProcessState, s.log.tail())
	default:
	}
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Get(s.url() + "/health/ready")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// kill ends the process as a crash would, and returns when it is gone.
func (s *shop) kill() {
	s.mu.Lock()
	process, exited := s.process, s.exited
	s.mu.Unlock()
	if process == nil {
		return
	}
	_ = process.Process.Kill() // it may be gone already
	<-exited
}

// terminate asks the process to end.
func (s *shop) terminate() {
	s.t.Helper()
	require.NoError(s.t, s.process.Process.Signal(syscall.SIGTERM))
}

// wait returns the exit code of a process that was asked to end.
func (s *shop) wait() int {
	s.t.Helper()
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		s.t.Fatalf("the program does not end; its log:\n%s", s.log.tail())
	}
	return s.process.ProcessState.ExitCode()
}

// stop ends the process in order.
func (s *shop) stop() {
	s.t.Helper()
	s.terminate()
	require.Zero(s.t, s.wait(), "exit code after SIGTERM")
}

// run runs another command on the shop's data, which must not be served now.
func (s *shop) run(args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := s.command(ctx, args...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if failure := cmd.Run(); failure != nil {
		var exit *exec.ExitError
		require.ErrorAs(s.t, failure, &exit, "run %v", args)
	}
	return cmd.ProcessState.ExitCode(), out.String(), err.String()
}

// succeed runs a command that must exit with 0.
func (s *shop) succeed(args ...string) (stdout string) {
	s.t.Helper()
	code, stdout, stderr := s.run(args...)
	require.Zero(s.t, code, "%v: %s%s", args, stdout, stderr)
	return stdout
}

// wantCleanLog fails when the program has logged an error: none is due to a crash.
func (s *shop) wantCleanLog() {
	s.t.Helper()
	for line := range strings.Lines(s.log.all()) {
		if strings.Contains(line, "level=ERROR") {
			s.t.Errorf("the program logged an error: %s", line)
		}
	}
}

// logBuffer takes what several lives of the program write.
type logBuffer struct {
	mu    sync.Mutex
	bytes []byte
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes = append(b.bytes, p...)
	return len(p), nil
}

func (b *logBuffer) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.bytes)
}

func (b *logBuffer) tail() string {
	text := b.all()
	return text[max(0, len(text)-6000):]
}
