package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// member is one process of the cluster, and what restarts it when it ends by itself, as systemd or Kubernetes would.
type member struct {
	number  int
	program string
	env     []string
	url     string
	log     string // file
	clock   string // file
	peers   string // the address at which the others reach it
	door    *link  // on which they do; nil: there are none

	mu       sync.Mutex
	process  *exec.Cmd
	exited   chan struct{} // closed when process has ended
	wanted   bool
	lives    int
	falls    int // lives that ended though nobody had asked for it
	troubles []error
	keeping  sync.WaitGroup
}

// restartPause is how long a supervisor waits before it starts a process again that fell.
const restartPause = 300 * time.Millisecond

// start serves, again and again, until somebody ends it.
func (m *member) start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wanted {
		return nil
	}
	m.wanted = true
	return m.launch()
}

// launch begins one life. The mutex is held.
func (m *member) launch() error {
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of member %d: %w", m.number, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own
	m.lives++
	fmt.Fprintf(log, "--- life %d begins at %s\n", m.lives, time.Now().UTC().Format(time.RFC3339Nano))
	command := exec.Command(m.program, "serve")
	command.Env, command.Stdout, command.Stderr = m.env, log, log
	if err := command.Start(); err != nil {
		return fmt.Errorf("start member %d: %w", m.number, err)
	}
	exited := make(chan struct{})
	m.process, m.exited = command, exited
	m.keeping.Go(func() { m.keep(command, exited) })
	if m.door != nil {
		m.keeping.Go(func() { m.open(exited) })
	}
	return nil
}

// open opens the door when somebody is behind it.
func (m *member) open(exited <-chan struct{}) {
	for {
		conn, err := net.Dial("tcp", m.door.target)
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case <-exited:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-exited:
	default:
		m.note(m.door.setDead(false))
	}
}

// keep waits for the end of one life, and begins the next one if it is wanted.
func (m *member) keep(command *exec.Cmd, exited chan struct{}) {
	_ = command.Wait()
	m.mu.Lock()
	if m.door != nil {
		m.note(m.door.setDead(true))
	}
	close(exited)
	fell := m.wanted && m.process == command
	if fell {
		m.falls++
	}
	m.mu.Unlock()
	if !fell {
		return
	}
	<-time.After(restartPause)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.wanted && m.process == command {
		m.note(m.launch())
	}
}

// note keeps what went wrong with the member's surroundings. The mutex is held.
func (m *member) note(err error) {
	if err != nil {
		m.troubles = append(m.troubles, err)
	}
}

// signal sends to the process that runs, if one does.
func (m *member) signal(s os.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.process != nil {
		_ = m.process.Process.Signal(s) // it may have ended
	}
}

// end lets the process end by the signal, and says whether it did in time. Nobody restarts it.
func (m *member) end(s os.Signal, within time.Duration) error {
	m.mu.Lock()
	m.wanted = false
	process, exited := m.process, m.exited
	m.mu.Unlock()
	if process == nil {
		return nil
	}
	_ = process.Process.Signal(s)
	select {
	case <-exited:
		return nil
	case <-time.After(within):
		return fmt.Errorf("member %d does not end by %v; its log: %s", m.number, s, m.log)
	}
}

// kill ends the process as a crash would.
func (m *member) kill() error {
	m.signal(syscall.SIGCONT) // only so that what waits for its end need not wait
	return m.end(syscall.SIGKILL, time.Minute)
}

// terminate ends the process in order.
func (m *member) terminate(within time.Duration) error {
	if err := m.end(syscall.SIGTERM, within); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if code := m.process.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("member %d ended with %d after SIGTERM; its log: %s", m.number, code, m.log)
	}
	return nil
}

// dispose ends whatever runs.
func (m *member) dispose() {
	_ = m.kill()
	m.keeping.Wait()
}

var probe = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// ready says whether the member takes requests.
func (m *member) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+"/health/ready", nil)
	if err != nil {
		return err
	}
	answer, err := probe.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", answer.StatusCode)
	}
	return nil
}

// setClock lets the member's clock be wrong by so many whole seconds.
func (m *member) setClock(wrong time.Duration) error {
	fresh := m.clock + ".new"
	return errors.Join(os.WriteFile(fresh, strconv.AppendInt(nil, int64(wrong/time.Second), 10), 0o600), os.Rename(fresh, m.clock))
}

// panics are the lines of the log that no fault excuses.
func (m *member) panics() (lines []string) {
	content, err := os.ReadFile(m.log)
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(string(content)) {
		for _, sign := range []string{"panic:", "fatal error:", `msg="entity failed"`, "DATA RACE"} {
			if strings.Contains(line, sign) {
				line, _, _ = strings.Cut(strings.TrimSpace(line), " stack=")
				lines = append(lines, filepath.Base(m.log)+": "+line)
			}
		}
	}
	return lines
}
