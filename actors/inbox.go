package actors

import (
	"encoding/json"
	"strings"

	"github.com/queuecommerce/queuecommerce/actors/domain"
	"github.com/queuecommerce/queuecommerce/messages"
)

// The inbox is an entity's memory of the commands that it has executed, for as long as it lives. It is made from the
// journal: every event carries the id of its command. Steps of the saga have no id: they are recognised by the order.

// commandKey is how a command is written into its events.
func commandKey(m *messages.Command) string {
	if m.GetId() == "" {
		return ""
	}
	return m.GetId() + "." + m.GetFingerprint()
}

func (l *loaded) remember(command string, version uint64) {
	if command == "" {
		return
	}
	id, fingerprint, _ := strings.Cut(command, ".")
	if l.inbox == nil {
		l.inbox = make(map[string]receipt)
	}
	l.inbox[id] = receipt{Version: version, Fingerprint: fingerprint}
}

// stored is the form of a snapshot.
type stored struct {
	Version uint64             `json:"version"`
	Inbox   map[string]receipt `json:"inbox,omitempty"`
	State   json.RawMessage    `json:"state"`
}

// snapshot writes the form stored. It is about as long as the last one, and the entity waits for it: it is written in one
// go, into memory of the right size.
func (l *loaded) snapshot() []byte {
	o := domain.Open(make([]byte, 0, l.snapshotSize+l.snapshotSize/8))
	o.Uint("version", l.version)
	if len(l.inbox) > 0 {
		domain.Map(&o, "inbox", l.inbox)
	}
	domain.Nested(&o, "state", l.entity.(snapshotter).snapshot())
	data := o.Close()
	l.snapshotSize = len(data)
	return data
}

// AppendJSON writes what encoding/json would.
func (r receipt) AppendJSON(b []byte) []byte {
	o := domain.Open(b)
	o.Uint("version", r.Version)
	o.OptionalText("fingerprint", r.Fingerprint)
	return o.Close()
}

func (l *loaded) restore(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if err := l.entity.(snapshotter).restore(s.State); err != nil {
		return err
	}
	l.version, l.restored, l.inbox, l.snapshotSize = s.Version, s.Version, s.Inbox, len(data)
	return nil
}
