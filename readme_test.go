package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/bridge/bridgetest"
)

// What the README says must be so: its commands work as they stand there, its links lead somewhere, and the tests that
// it names exist.

const readmeURL = "http://127.0.0.1:3000"

func readText(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// shellBlocks are the fenced blocks of language sh, in order.
func shellBlocks(t testing.TB, path string) []string {
	t.Helper()
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(readText(t, path), -1) {
		blocks = append(blocks, strings.TrimSpace(match[1]))
	}
	require.NotEmpty(t, blocks)
	return blocks
}

// TestReadmeCommands runs every shell block, in order, on a shop of its own. What would run the tests again is held
// against the Makefile and CI instead.
func TestReadmeCommands(t *testing.T) {
	s := newShop(t)
	makefile := readText(t, "Makefile")
	ran := 0
	for _, block := range shellBlocks(t, "README.md") {
		switch {
		case block == "make run":
			s.makeRun(t)
			ran++
		case block == "make test":
			require.Regexp(t, `(?m)^test:`, makefile)
			require.Regexp(t, `(?m)^exec make test$`, readText(t, ".ci/run"), "CI runs what the README says")
		case block == "make cluster":
			makeCluster(t)
			ran++
		case block == "make failover":
			makeFailover(t)
			ran++
		case strings.HasPrefix(block, "make chaos"):
			require.Regexp(t, `(?m)^chaos:`, makefile)
		case strings.HasPrefix(block, "curl "):
			s.shell(t, block)
			ran++
		case strings.HasPrefix(block, "bin/queuecommerce "):
			s.stopGroup(t)
			s.shell(t, block)
			ran++
		default:
			t.Errorf("nobody knows how to try this block of the README:\n%s", block)
		}
	}
	require.GreaterOrEqual(t, ran, 4, "blocks that were run")
}

// makeRun runs "make run" as the README's reader does, on the test's address and data.
func (s *shop) makeRun(t testing.TB) {
	t.Helper()
	cmd := exec.Command("make", "run")
	cmd.Env = append(s.environment(), "GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOFLAGS="+goEnv(t, "GOFLAGS"), "GOPROXY="+goEnv(t, "GOPROXY"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // make and what it runs get signals together, as from a terminal
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	require.NoError(t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.process, s.exited = cmd, exited
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	bridgetest.Eventually(t, 3*time.Minute, s.ready, func() string { return "make run is not ready:\n" + s.log.tail() })
	require.Contains(t, s.log.all(), s.url()+"/docs", "it greets with an address to go on from")
}

// portBase keeps what the tests start off the ports that a developer's own cluster has.
const portBase = 23000

func clusterCommand(t testing.TB, target string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("make", target)
	cmd.Env = append(os.Environ(), fmt.Sprint("PORT_BASE=", portBase), "MONGODB_URI=", "FAILOVER_RATE=50")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	return cmd
}

// makeCluster runs "make cluster" until each member knows of all three, and ends it as Ctrl-C does.
func makeCluster(t testing.TB) {
	t.Helper()
	cmd := clusterCommand(t, "cluster")
	var log logBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	bridgetest.Eventually(t, 3*time.Minute, func() bool { return strings.Contains(log.all(), "members on http://") }, log.tail)
	for n := 1; n <= 3; n++ {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", portBase+n))
		require.NoError(t, err)
		metrics, err := io.ReadAll(response.Body)
		require.NoError(t, errors.Join(err, response.Body.Close()))
		require.Contains(t, string(metrics), "queuecommerce_cluster_members 3\n")
	}
	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	_ = cmd.Wait() // its exit code says that it was interrupted
	for n := 1; n <= 3; n++ {
		_, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health", portBase+n))
		require.Error(t, err, "member %d has ended with the script", n)
	}
}

// makeFailover runs "make failover": buyers see a pause, and no failure.
func makeFailover(t testing.TB) {
	t.Helper()
	cmd := clusterCommand(t, "failover")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Logf("%s", output)
	require.Regexp(t, `longest that a buyer was without an order: \d+ ms`, string(output))
	require.Regexp(t, ` 0 failed, [\d.]+ s\); POST p50`, string(output))
}

func goEnv(t testing.TB, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(value))
}

func (s *shop) stopGroup(t testing.TB) {
	t.Helper()
	_ = syscall.Kill(-s.process.Process.Pid, syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		t.Fatalf("make run does not end:\n%s", s.log.tail())
	}
	s.waitFree(t)
}

// waitFree waits until nobody serves any more: make may be gone before what it ran.
func (s *shop) waitFree(t testing.TB) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer lock.Close()
	bridgetest.Eventually(t, 30*time.Second, func() bool { return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil },
		func() string { return "the data is still in use" })
}

// shell runs a block; what curl prints must be answers, not problems.
func (s *shop) shell(t testing.TB, block string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", strings.ReplaceAll(block, readmeURL, s.url()))
	cmd.Env = s.environment()
	output, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", block, output)
	if !strings.HasPrefix(block, "curl ") {
		return
	}
	decoder := json.NewDecoder(strings.NewReader(string(output)))
	answers := 0
	for ; ; answers++ {
		var answer any
		if err := decoder.Decode(&answer); err == io.EOF {
			break
		} else {
			require.NoError(t, err, "%s\n%s", block, output)
		}
		if object, ok := answer.(map[string]any); ok {
			require.NotContains(t, object, "statusCode", "%s\n%s", block, output)
			if number, ok := object["orderNumber"]; ok {
				require.Equal(t, "confirmed", object["status"], "order %v", number)
			}
		}
	}
	require.Equal(t, strings.Count(block, "curl "), answers, "%s\n%s", block, output)
}

// TestReadmeAddresses asks for every address of the shop that the README names.
func TestReadmeAddresses(t *testing.T) {
	s := newShop(t)
	s.start()
	addresses := regexp.MustCompile(regexp.QuoteMeta(readmeURL)+`(/[a-z/.]*)?>`).FindAllStringSubmatch(readText(t, "README.md"), -1)
	require.NotEmpty(t, addresses)
	for _, address := range addresses {
		if address[1] == "" {
			continue // the server itself
		}
		r, err := newClient(s.url()).do(t.Context(), http.MethodGet, address[1], "", "")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, r.status, address[1])
	}
}

func documents(t testing.TB) []string {
	t.Helper()
	paths := []string{"README.md"}
	for _, pattern := range []string{"docs/*.md", "docs/decisions/*.md"} {
		more, err := filepath.Glob(pattern)
		require.NoError(t, err)
		paths = append(paths, more...)
	}
	return paths
}

// TestDocumentLinks follows every relative link of the documents.
func TestDocumentLinks(t *testing.T) {
	for _, path := range documents(t) {
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(readText(t, path), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(path), link[1]))
			require.NoError(t, err, "%s links to %s", path, link[1])
		}
	}
}

// TestDocumentsNameWhatExists looks for every test and folder that the documents name.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(readText(t, path), -1) {
			tests[match[1]] = true
		}
		return nil
	}))
	for _, path := range documents(t) {
		text := readText(t, path)
		for _, match := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(text, -1) {
			require.True(t, tests[match[1]], "%s names %s, which does not exist", path, match[1])
		}
		for _, match := range regexp.MustCompile("`([a-z]+(?:/[a-z]+)*/|[a-z]+(?:/[a-z]+)*\\.go)`").FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(match[1])
			if err != nil { // a folder inside the one that its line is about
				_, err = os.Stat(filepath.Join("actors", match[1]))
			}
			if err != nil {
				_, err = os.Stat(filepath.Join("storage", match[1]))
			}
			require.NoError(t, err, "%s names %s", path, match[1])
		}
	}
	readme := readText(t, "README.md")
	for g := 1; g <= 9; g++ {
		require.Regexp(t, `(?m)^\| G`+string(rune('0'+g))+` \|.*`+"`Test", readme, "a guarantee and its test")
	}
}
