package bridge

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

func TestGatheredFramesLeaveInOneWrite(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	defer ours.Close()
	w := newWire(ours, 10*time.Second)
	w.hold()
	for _, frame := range []string{"method", "header", "body"} {
		if _, err := w.Write([]byte(frame)); err != nil { // nobody reads yet: a frame that left would wait
			t.Fatal(err)
		}
	}
	go w.release() //nolint:errcheck // the reader sees it
	got := make([]byte, 64)
	if n, err := theirs.Read(got); err != nil || string(got[:n]) != "methodheaderbody" {
		t.Fatalf("came as %q, %v", got[:n], err)
	}
}

// A peer that takes nothing must not hold up the relay for ever, whether the write was gathered or not.
func TestWriteThatNobodyTakesIsGivenUp(t *testing.T) {
	for name, write := range map[string]func(*wire) error{
		"at once":  func(w *wire) error { _, err := w.Write([]byte("heartbeat")); return err },
		"gathered": func(w *wire) error { w.hold(); _, err := w.Write([]byte("body")); return errors.Join(err, w.release()) },
		"too much": func(w *wire) error { w.hold(); _, err := w.Write(make([]byte, 128<<10)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			defer time.AfterFunc(5*time.Second, func() { theirs.Close() }).Stop()
			if err := write(newWire(ours, 10*time.Millisecond)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ended with %v, %v if it had to be ended", err, io.ErrClosedPipe)
			}
			theirs.Close()
		})
	}
}
