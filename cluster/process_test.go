package cluster_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// process is a member in a process of its own.
type process struct {
	t     *testing.T
	name  string
	store *Store
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when it has
	err   error
}

func spawn(t *testing.T, store *Store, addr, name, listen string) *process {
	t.Helper()
	p := &process{t: t, name: name, store: store, cmd: exec.Command(os.Args[0]), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), storeVariable+"="+addr, nameVariable+"="+name, listenVariable+"="+listen)
	p.cmd.Stderr = logTo()
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	p.stdin = stdin
	require.NoError(t, p.cmd.Start())
	go func() { defer close(p.ended); p.err = p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	return p
}

func (p *process) signal(signal syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(signal))
}

// exit waits for the end and returns the exit code.
func (p *process) exit() int {
	p.t.Helper()
	ended := func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	}
	until(p.t, p.name+" ends", ended, func() any { return p.store.report(p.name).brief() })
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		return exit.ExitCode()
	}
	require.NoError(p.t, p.err)
	return 0
}

// works waits until each of them has had that many answers more, and knows of size members.
func works(t *testing.T, size, more int, members ...*process) {
	t.Helper()
	enough := map[*process]int{}
	for _, p := range members {
		enough[p] = len(p.store.report(p.name).Acked) + more
	}
	until(t, "all work", func() bool {
		for p, acked := range enough {
			if r := p.store.report(p.name); r.Size != size || len(r.Acked) < acked {
				return false
			}
		}
		return true
	}, func() any {
		var state []string
		for _, p := range members {
			state = append(state, p.store.report(p.name).brief())
		}
		return state
	})
}

func TestProcessesDieFreezeJoinAndLeaveUnderLoad(t *testing.T) {
	store, addr := serveStore(t)
	address := freeAddress(t)
	a, b, c := spawn(t, store, addr, "a", freeAddress(t)), spawn(t, store, addr, "b", address), spawn(t, store, addr, "c", freeAddress(t))
	works(t, 3, 100, a, b, c)
	lap := laps(t)
	lap("three have started together")

	b.signal(syscall.SIGKILL)
	works(t, 2, 1, a, c)
	lap("one was killed and noticed")
	works(t, 2, 100, a, c)

	d := spawn(t, store, addr, "d", address)
	works(t, 3, 100, a, c, d)
	lap("another has joined at its address")

	d.signal(syscall.SIGKILL)
	<-d.ended
	e := spawn(t, store, addr, "e", address)
	works(t, 3, 100, a, c, e)
	lap("one was killed and is back at once")

	c.signal(syscall.SIGSTOP)
	works(t, 2, 1, a, e)
	lap("one was frozen and evicted")
	works(t, 2, 100, a, e)
	c.signal(syscall.SIGCONT)
	assert.Equal(t, exitLost, c.exit(), "it learns that the others have gone on")
	lap("it came back and has ended itself")

	require.NoError(t, e.stdin.Close())
	assert.Zero(t, e.exit())
	lap("one has left")
	works(t, 1, 100, a)
	lap("the last one works alone")
	require.NoError(t, a.stdin.Close())
	assert.Zero(t, a.exit())

	executed, conflicts := store.executed()
	for command, times := range executed {
		assert.Equal(t, 1, times, command)
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r := store.report(name)
		if name != "c" { // its questions may fail after it was evicted
			assert.Empty(t, r.Failed, name)
		}
		for _, command := range r.Acked {
			assert.Equal(t, 1, executed[command], "acknowledged command %s", command)
		}
		t.Log(r.brief())
	}
	t.Logf("%d commands, %d fenced", len(executed), conflicts)
	leases, _, err := store.leases.Leases(t.Context())
	require.NoError(t, err)
	assert.Empty(t, leases)
}

// laps logs what took how long.
func laps(t *testing.T) func(what string) {
	last := time.Now()
	return func(what string) {
		t.Helper()
		t.Logf("%5d ms: %s", time.Since(last).Milliseconds(), what)
		last = time.Now()
	}
}
