package bridge

// relays lets a relay hand out some messages.
func (w *world) relays(m *member) {
	if !m.online {
		return
	}
	for range 1 + w.random.IntN(6) {
		if m.relay.window.full() {
			return
		}
		o, ok := m.relay.supply.next()
		if !ok {
			w.may(m.relay.refill(w.t.Context()))
			continue
		}
		m.send(m.relay.window.push(o))
		w.note("%s sends %s", m.name, o.message.ID)
	}
}

func (m *member) send(s *slot) {
	p := &packet{message: s.message, answer: &answer{done: make(chan struct{})}}
	s.confirm = p.answer
	m.wire = append(m.wire, p)
}

// arrives lets the broker take the oldest message on a wire, and the subscriber hear it.
func (w *world) arrives(m *member) {
	for _, p := range m.wire {
		if p.taken {
			continue
		}
		p.taken = true
		w.hear(m, p.message)
		return
	}
}

func (w *world) hear(m *member, heard Message) {
	w.note("broker takes %s from %s", heard.ID, m.name)
	if body, known := w.seen[heard.ID]; known {
		w.counts.repeats++
		if body != string(heard.Body) {
			w.fail("%s came with two bodies: %s and %s", heard.ID, body, heard.Body)
		}
		return
	}
	w.seen[heard.ID] = string(heard.Body)
	if heard.Sequence <= w.last[heard.Aggregate] {
		w.fail("%s is seen first after sequence %d", heard.ID, w.last[heard.Aggregate])
	}
	w.last[heard.Aggregate] = heard.Sequence
}

// answers lets some confirms come back.
func (w *world) answers(m *member) {
	for len(m.wire) > 0 && m.wire[0].taken && w.random.IntN(4) > 0 {
		m.wire[0].answer.acked = true
		close(m.wire[0].answer.done)
		m.wire = m.wire[1:]
	}
	m.relay.window.settle(m.relay.marks.reach)
}

// marks writes a member's marks, and checks that what is below a mark has been seen: nobody looks at it again.
func (w *world) marks(m *member) {
	w.may(m.relay.marks.flush(w.t.Context()))
	all, err := w.store.Writers(w.t.Context())
	w.must(err)
	for _, marks := range all {
		entries, err := w.store.Committed(w.t.Context(), marks.Writer, 0, 1<<20)
		w.must(err)
		for i := range entries {
			for _, id := range w.ids(&entries[i]) {
				if _, ok := w.seen[id]; !ok && entries[i].Number <= marks.Relayed {
					w.fail("the mark of %s stands at %d, and %s of its entry %d was not seen", marks.Writer, marks.Relayed, id, entries[i].Number)
				}
			}
		}
	}
}

// disconnects loses a connection, and what of it has not arrived.
func (w *world) disconnects(m *member) {
	w.note("%s loses its connection", m.name)
	for range w.random.IntN(4) {
		w.arrives(m)
	}
	m.wire, m.online = nil, false
}

func (w *world) reconnects(m *member) {
	m.online = true
	for i := range m.relay.window.count {
		m.send(m.relay.window.at(i))
	}
}
