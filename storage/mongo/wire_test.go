package mongo

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	opMsg      = 2013
	headerSize = 16
)

// verdict says what happens to one command.
type verdict struct {
	keep   bool   // it never reaches the server
	answer bson.D // instead of the server's; nil: the server's
	hangUp bool   // the connection ends instead of an answer
}

// wire stands between driver and server, reads the commands that pass, and obeys its judge.
type wire struct {
	listener net.Listener
	upstream string
	serving  sync.WaitGroup

	mu       sync.Mutex
	judge    func(command string) verdict // may be called by several connections at once
	commands []string
	requests [][]byte // frames of commands, the driver's own not among them
	done     []string // by the server, whoever learned of it
	open     map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, upstream: primaryOf(t), open: map[net.Conn]bool{}}
	w.serving.Go(w.accept)
	t.Cleanup(func() {
		listener.Close()
		w.mu.Lock()
		for conn := range w.open {
			conn.Close()
		}
		w.mu.Unlock()
		w.serving.Wait()
	})
	return w
}

func (w *wire) uri() string { return server.Via(w.listener.Addr().String()) }

func primaryOf(t *testing.T) string {
	t.Helper()
	address, err := server.Primary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// obey installs the judge of the commands to come and forgets those that passed.
func (w *wire) obey(judge func(command string) verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.judge, w.commands, w.requests, w.done = judge, nil, nil, nil
}

// once judges the first command of that name and lets all others pass.
func once(command string, v verdict) func(string) verdict {
	var done atomic.Bool
	return func(name string) verdict {
		if name == command && done.CompareAndSwap(false, true) {
			return v
		}
		return verdict{}
	}
}

// always judges every command of that name.
func always(command string, v verdict) func(string) verdict {
	return func(name string) verdict {
		if name == command {
			return v
		}
		return verdict{}
	}
}

// passed returns the names of the commands since obey, without the driver's own.
func (w *wire) passed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.commands...)
}

// served returns the names of the commands since obey that the server has carried out, without the driver's own.
func (w *wire) served() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.done...)
}

func (w *wire) serve(command string) {
	if slices.Contains(driversOwn, command) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, command)
}

// driversOwn are commands that the driver sends by itself.
var driversOwn = []string{"", "hello", "isMaster", "ismaster", "ping", "endSessions"}

func (w *wire) judged(command string, request []byte) verdict {
	if slices.Contains(driversOwn, command) {
		return verdict{}
	}
	w.mu.Lock()
	w.commands = append(w.commands, command)
	w.requests = append(w.requests, request)
	judge := w.judge
	w.mu.Unlock()
	if judge == nil {
		return verdict{}
	}
	return judge(command)
}

func (w *wire) track(conn net.Conn, open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if open {
		w.open[conn] = true
	} else {
		delete(w.open, conn)
		conn.Close()
	}
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.track(client, true)
		w.serving.Go(func() {
			defer w.track(client, false)
			server, err := net.Dial("tcp", w.upstream)
			if err != nil {
				return
			}
			defer server.Close()
			for w.pass(client, server) == nil {
			}
		})
	}
}

var errHungUp = errors.New("hung up")

// pass lets one command and its answer through; the driver sends one at a time per connection.
func (w *wire) pass(client, server net.Conn) error {
	request, err := readFrame(client)
	if err != nil {
		return err
	}
	command := commandOf(request)
	v := w.judged(command, request)
	answer := []byte(nil)
	if !v.keep {
		if _, err := server.Write(request); err != nil {
			return err
		}
		if answer, err = readFrame(server); err != nil {
			return err
		}
		w.serve(command)
	}
	if v.hangUp {
		return errHungUp
	}
	if v.answer != nil {
		if answer, err = answerTo(request, v.answer); err != nil {
			return err
		}
	}
	_, err = client.Write(answer)
	return err
}

func readFrame(conn net.Conn) ([]byte, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.LittleEndian.Uint32(header))
	copy(frame, header)
	_, err := io.ReadFull(conn, frame[headerSize:])
	return frame, err
}

// commandOf is the first key of the message's body, which the driver sends as the first section.
func commandOf(frame []byte) string {
	const body = headerSize + 4 + 1 // flags, kind
	if binary.LittleEndian.Uint32(frame[12:]) != opMsg || len(frame) <= body || frame[body-1] != 0 {
		return ""
	}
	elements, err := bson.Raw(frame[body : body+int(binary.LittleEndian.Uint32(frame[body:]))]).Elements()
	if err != nil || len(elements) == 0 {
		return ""
	}
	return elements[0].Key()
}

func answerTo(request []byte, document bson.D) ([]byte, error) {
	body, err := bson.Marshal(document)
	if err != nil {
		return nil, err
	}
	frame := make([]byte, headerSize+5, headerSize+5+len(body))
	binary.LittleEndian.PutUint32(frame, uint32(cap(frame)))
	copy(frame[8:12], request[4:8])
	binary.LittleEndian.PutUint32(frame[12:], opMsg)
	return append(frame, body...), nil
}
