package domain

// Plain says whether the event is read without encoding/json.
func (c Codec[E]) Plain(eventType string, data []byte) bool {
	_, ok := c.shapes[eventType].plain(data)
	return ok
}
