package bridge

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// slot is one message that the broker has not confirmed yet.
type slot struct {
	message Message
	writer  string // whose mark
	covers  uint64 // may move to here once this and all before it are confirmed; 0: the entry goes on
	confirm *amqp.DeferredConfirmation
	sent    time.Time
}

// window is the FIFO of open messages. It outlives a connection: what is in it goes again on the next one.
type window struct {
	slots []slot
	head  int
	count int
}

func newWindow(size int) *window { return &window{slots: make([]slot, size)} }

func (w *window) full() bool { return w.count == len(w.slots) }

func (w *window) at(i int) *slot { return &w.slots[(w.head+i)%len(w.slots)] }

func (w *window) push(o outgoing) *slot {
	s := w.at(w.count)
	*s = slot{message: o.message, writer: o.writer, covers: o.covers}
	w.count++
	return s
}

// cover lets the writer's newest open message stand for an entry behind it that has none of its own; false when the
// writer has none open.
func (w *window) cover(writer string, number uint64) bool {
	for i := w.count - 1; i >= 0; i-- {
		if s := w.at(i); s.writer == writer {
			s.covers = number
			return true
		}
	}
	return false
}

func (w *window) pop() {
	*w.at(0) = slot{}
	w.head = (w.head + 1) % len(w.slots)
	w.count--
}

// settle takes off what is confirmed without a gap and reports how far each writer's mark may move. It returns how many
// messages that were, and whether the broker refused the one that is now the oldest.
func (w *window) settle(reach func(writer string, number uint64)) (settled int, refused bool) {
	var writer string
	var covers uint64
	for w.count > 0 {
		s := w.at(0)
		if s.confirm == nil {
			break
		}
		select {
		case <-s.confirm.Done():
			refused = !s.confirm.Acked()
		default:
			s = nil
		}
		if s == nil || refused {
			break
		}
		if s.covers != 0 {
			if writer != s.writer && covers != 0 {
				reach(writer, covers)
			}
			writer, covers = s.writer, s.covers
		}
		settled++
		w.pop()
	}
	if covers != 0 {
		reach(writer, covers)
	}
	return settled, refused
}
