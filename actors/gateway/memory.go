package gateway

// memory is a map that forgets its oldest entries beyond a limit. Not safe for concurrent use.
type memory[K comparable, V any] struct {
	entries map[K]V
	order   []K // a ring, once it is full
	next    int
	limit   int
}

func newMemory[K comparable, V any](limit int) *memory[K, V] {
	return &memory[K, V]{entries: make(map[K]V), limit: limit}
}

func (m *memory[K, V]) get(key K) (V, bool) {
	value, ok := m.entries[key]
	return value, ok
}

// put stores a key that is not there yet.
func (m *memory[K, V]) put(key K, value V) {
	if len(m.order) < m.limit {
		m.order = append(m.order, key)
	} else {
		delete(m.entries, m.order[m.next])
		m.order[m.next] = key
		m.next = (m.next + 1) % m.limit
	}
	m.entries[key] = value
}
