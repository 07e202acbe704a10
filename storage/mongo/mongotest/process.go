package mongotest

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// process is a program that ends when its standard input does, which the operating system sees to when we are gone.
type process struct {
	command *exec.Cmd
	stdin   io.Closer
	output  tail
	ended   chan struct{}
	err     error // valid after ended
}

const stopLimit = 20 * time.Second

// launch starts the program; stdout may be nil.
func launch(command *exec.Cmd, stdout io.Writer) (*process, error) {
	p := &process{command: command, ended: make(chan struct{})}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	command.Stderr = &p.output
	command.Stdout = &p.output
	if stdout != nil {
		command.Stdout = stdout
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		p.err = command.Wait()
	}()
	return p, nil
}

func (p *process) stop() error {
	p.stdin.Close()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(stopLimit):
		p.command.Process.Kill()
		<-p.ended
		return fmt.Errorf("%s did not end within %v: %s", p.command.Path, stopLimit, p.output.String())
	}
}

// tail keeps the last of what a program said.
type tail struct {
	mu   sync.Mutex
	last bytes.Buffer
}

const tailSize = 16 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last.Write(b)
	if excess := t.last.Len() - tailSize; excess > 0 {
		t.last.Next(excess)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last.String()
}
