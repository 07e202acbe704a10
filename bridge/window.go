package bridge

import (
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// confirmation is the broker's answer to one message.
type confirmation interface {
	Done() <-chan struct{} // closed when the answer is there, or will never come
	Acked() bool
}

var _ confirmation = (*amqp.DeferredConfirmation)(nil)

// slot is one message that the broker has not confirmed yet.
type slot struct {
	message Message
	writer  string // whose mark
	covers  uint64 // may move to here once this and all before it are confirmed; 0: the entry goes on
	also    []progress
	confirm confirmation // nil: not sent
	sent    time.Time
}

// progress is how far the mark of another writer may move.
type progress struct {
	writer string
	number uint64
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

// cover lets the newest open message stand for an entry behind it that has none of its own; false when none is open. It
// may have come with another writer's log: what a mark has reached says that all before it in its stream is confirmed.
func (w *window) cover(writer string, number uint64) bool {
	if w.count == 0 {
		return false
	}
	s := w.at(w.count - 1)
	if s.writer == writer || s.covers == 0 {
		s.writer, s.covers = writer, number
		return true
	}
	for i := range s.also {
		if s.also[i].writer == writer {
			s.also[i].number = number
			return true
		}
	}
	s.also = append(s.also, progress{writer, number})
	return true
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
		for _, p := range s.also {
			reach(p.writer, p.number)
		}
		settled++
		w.pop()
	}
	if covers != 0 {
		reach(writer, covers)
	}
	return settled, refused
}
