package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	pid, parent, ticks, err := parseStat("42 (a) odd (name)) S 7 42 42 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 5 6 7")
	require.NoError(t, err)
	assert.Equal(t, 42, pid)
	assert.Equal(t, 7, parent)
	assert.EqualValues(t, 11+22+33+44, ticks)
	_, _, _, err = parseStat("nonsense")
	assert.Error(t, err)
}

// TestUsageCountsTheWholeFamily: a shell lets one child work and waits for it, and another one is still there.
func TestUsageCountsTheWholeFamily(t *testing.T) {
	p, err := launch(exec.Command("sh", "-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; sleep 1000 & echo ready; wait"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL); <-p.done })
	var used usage
	require.Eventually(t, func() bool {
		used, err = usageOf(p.Process.Pid)
		return err == nil && used.cpu >= 2*tick
	}, 10*time.Second, 10*time.Millisecond, "what the child used that has ended is its parent's")
	assert.Greater(t, used.peak, int64(100<<10))
	_, err = usageOf(1 << 30)
	assert.Error(t, err, "a process that is not there has no usage")
}

func TestFileSystemHasAName(t *testing.T) {
	name, err := fileSystem(os.TempDir())
	require.NoError(t, err)
	assert.NotEmpty(t, name)
}
