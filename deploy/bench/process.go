package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that the bench has started.
type process struct {
	*exec.Cmd
	log  bytes.Buffer
	done chan struct{} // closed when it has ended
}

// launch starts a program in a process group of its own, so that a Ctrl-C reaches it through the bench only.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{Cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended does not matter: what it should have done is looked at
		close(p.done)
	}()
	return p, nil
}

// stop ends it with the signal, or by force if it does not end in time.
func (p *process) stop(signal syscall.Signal) error {
	_ = p.Process.Signal(signal)
	select {
	case <-p.done:
		return nil
	case <-time.After(30 * time.Second):
		_ = p.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not end in time:\n%s", filepath.Base(p.Path), p.log.String())
	}
}

// until waits for a condition, as long as the process lives, half a minute at most.
func (p *process) until(ctx context.Context, ready func() bool) error {
	for deadline := time.Now().Add(30 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return fmt.Errorf("%s has ended:\n%s", filepath.Base(p.Path), p.log.String())
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready:\n%s", filepath.Base(p.Path), p.log.String())
		}
	}
	return nil
}

// answers says whether a GET is answered with 200.
func answers(url string) bool {
	response, err := http.Get(url)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// freeAddr is an address on the loopback interface that nobody listens on now. Its port lies below those that the system
// gives to outgoing connections, of which the load makes many.
func freeAddr() (string, error) {
	var last error
	for range 100 {
		addr := fmt.Sprint("127.0.0.1:", 10_000+rand.N(20_000))
		listener, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, listener.Close()
		}
		last = err
	}
	return "", fmt.Errorf("find a free port: %w", last)
}

// usage is what a program and all its descendants have used.
type usage struct {
	cpu  time.Duration // user and system; of descendants that have ended, too, once they were waited for
	peak int64         // bytes of memory at their peaks: what each has alone, and once what they share
}

const tick = 10 * time.Millisecond // of the kernel's clock for processes, everywhere that Go runs on Linux

func usageOf(root int) (usage, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return usage{}, err
	}
	ticks, children := map[int]int64{}, map[int][]int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, parent, used, err := parseStat(string(text))
		if err != nil {
			return usage{}, err
		}
		ticks[pid] = used
		children[parent] = append(children[parent], pid)
	}
	if _, lives := ticks[root]; !lives {
		return usage{}, fmt.Errorf("process %d has ended", root)
	}
	var u usage
	var shared int64
	for family := []int{root}; len(family) > 0; family = family[1:] {
		pid := family[0]
		u.cpu += time.Duration(ticks[pid]) * tick
		alone, common := memoryOf(pid)
		u.peak += alone
		shared = max(shared, common)
		family = append(family, children[pid]...)
	}
	u.peak += shared
	return u, nil
}

// parseStat reads a line of /proc/PID/stat. The name, in brackets, may hold anything.
func parseStat(line string) (pid, parent int, ticks int64, err error) {
	end := strings.LastIndexByte(line, ')')
	fields := strings.Fields(line[end+1:])
	if end < 0 || len(fields) < 15 {
		return 0, 0, 0, fmt.Errorf("read process: %q", line)
	}
	number := func(text string) int64 {
		n, e := strconv.ParseInt(text, 10, 64)
		err = errors.Join(err, e)
		return n
	}
	pid = int(number(line[:strings.IndexByte(line, ' ')]))
	parent = int(number(fields[1]))
	for _, used := range fields[11:15] { // utime, stime, and both of children that were waited for
		ticks += number(used)
	}
	return pid, parent, ticks, err
}

// memoryOf is what a process had at its peak for itself, and what it shares: the pages of files and of shared memory.
func memoryOf(pid int) (alone, shared int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	value := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if name, rest, ok := strings.Cut(line, ":"); ok && strings.HasSuffix(line, "kB\n") {
			value[name], _ = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		}
	}
	shared = (value["RssFile"] + value["RssShmem"]) << 10
	return max(0, value["VmHWM"]<<10-shared), shared
}
