// Package bridgetest gives tests a RabbitMQ broker: the one that AMQP_TEST_URL names, which then must answer, or one of
// their own that they may stop and kill. It promises that a broker that it hands out answers, and that its own one is
// gone after Close. Tests that share a broker must not run in parallel: the names on it are the product's.
package bridgetest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Broker is started at its first use, once per test binary. Make one in a package variable of the test, and Close it in
// TestMain.
type Broker struct {
	once sync.Once
	err  error
	url  string
	own  bool
	dir  string
	port int
}

// URL starts the broker if need be and returns its address. The test fails when there is none.
func (b *Broker) URL(t testing.TB) string {
	t.Helper()
	b.once.Do(func() { b.err = b.find() })
	if b.err != nil {
		t.Fatalf("broker for tests: %v", b.err)
	}
	return b.url
}

// Address is the broker's host and port.
func (b *Broker) Address(t testing.TB) string {
	t.Helper()
	uri, err := amqp.ParseURI(b.URL(t))
	if err != nil {
		t.Fatalf("broker for tests: %v", err)
	}
	return net.JoinHostPort(uri.Host, fmt.Sprint(uri.Port))
}

// MayBreak skips the test unless the broker is our own, to be stopped and killed.
func (b *Broker) MayBreak(t testing.TB) {
	t.Helper()
	b.URL(t)
	if !b.own {
		t.Skip("AMQP_TEST_URL names a broker that is not ours to stop")
	}
}

func (b *Broker) find() error {
	if url := os.Getenv("AMQP_TEST_URL"); url != "" {
		b.url = url
		conn, err := amqp.Dial(url)
		if err != nil {
			return fmt.Errorf("AMQP_TEST_URL does not answer: %w", err)
		}
		return conn.Close()
	}
	var err error
	if b.port, err = freePort(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "queuecommerce-rabbitmq-"); err != nil {
		return err
	}
	b.own = true
	b.url = fmt.Sprintf("amqp://guest:guest@127.0.0.1:%d/", b.port)
	return b.script("start")
}

// freePort finds a port that is free now, and whose sibling 20000 above is free too.
func freePort() (int, error) {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		sibling := port + 20000
		if sibling > 65535 {
			sibling = port - 20000
		}
		if other, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", sibling)); err == nil {
			other.Close()
			return port, nil
		}
	}
	return 0, errors.New("no free ports")
}

// script runs deploy/setup/rabbitmq.sh on our folder.
func (b *Broker) script(command string, arguments ...string) error {
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "..", "..", "deploy", "setup", "rabbitmq.sh")
	cmd := exec.Command(path, append([]string{command, b.dir}, arguments...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("RABBITMQ_PORT=%d", b.port))
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(path), command, err, strings.TrimSpace(string(output)))
	}
	return nil
}

func (b *Broker) run(t testing.TB, command string, arguments ...string) {
	t.Helper()
	b.MayBreak(t)
	if err := b.script(command, arguments...); err != nil {
		t.Fatal(err)
	}
}

// Start starts a broker that was stopped or killed, on the data that it had, and waits until it answers.
func (b *Broker) Start(t testing.TB) { t.Helper(); b.run(t, "start") }

// Stop ends the broker in order.
func (b *Broker) Stop(t testing.TB) { t.Helper(); b.run(t, "stop") }

// Kill ends the broker as a crash would.
func (b *Broker) Kill(t testing.TB) { t.Helper(); b.run(t, "kill") }

// Control runs rabbitmqctl.
func (b *Broker) Control(t testing.TB, arguments ...string) {
	t.Helper()
	b.run(t, "ctl", arguments...)
}

// Close ends our own broker and deletes its data.
func (b *Broker) Close() error {
	if !b.own {
		return nil
	}
	if err := b.script("kill"); err != nil {
		return err
	}
	return os.RemoveAll(b.dir)
}

// Channel opens a channel on a connection of its own, closed at the end of the test.
func (b *Broker) Channel(t testing.TB) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(b.URL(t))
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatalf("open channel: %v", err)
	}
	return channel
}

// Delete deletes a queue, if it is there.
func (b *Broker) Delete(t testing.TB, queue string) {
	t.Helper()
	conn, err := amqp.Dial(b.URL(t))
	if err != nil {
		t.Errorf("connect to delete %s: %v", queue, err)
		return
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err == nil {
		_, err = channel.QueueDelete(queue, false, false, false)
	}
	if err != nil {
		t.Errorf("delete %s: %v", queue, err)
	}
}

// Eventually waits until condition holds; after the deadline the test fails with what state says.
func Eventually(t testing.TB, within time.Duration, condition func() bool, state func() string) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, state())
		}
		time.Sleep(2 * time.Millisecond)
	}
}
