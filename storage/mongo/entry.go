package mongo

import (
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/queuecommerce/queuecommerce/storage"
)

// maxDocument is what the server takes, less some room for what the driver adds.
const maxDocument = 16<<20 - 16<<10

// entryDocument is an entry as the journal has it.
type entryDocument struct {
	ID     string          `bson:"_id"`
	Stream string          `bson:"stream"`
	First  int64           `bson:"first"`
	Writer string          `bson:"writer"`
	Number int64           `bson:"number"`
	Trace  string          `bson:"trace,omitempty"`
	Events []eventDocument `bson:"events"`
}

// eventDocument keeps the event's JSON as text: to the byte, and readable in the shell.
type eventDocument struct {
	Type    string    `bson:"type"`
	Schema  int32     `bson:"schema"`
	At      time.Time `bson:"at"`
	Command string    `bson:"command,omitempty"`
	Cause   string    `bson:"cause,omitempty"`
	Data    string    `bson:"data"`
}

// entryID is the _id of the stream's entry that begins at first. All digits of a sequence are there, so that ids sort as
// sequences do, and the last 21 bytes are never part of the stream's name.
func entryID(stream storage.Stream, first uint64) string {
	return fmt.Sprintf("%s|%020d", stream, first)
}

// endID is above every _id of the stream.
func endID(stream storage.Stream) string { return string(stream) + "|~" }

func encodeEntry(e storage.Entry) (bson.Raw, error) {
	if len(e.Events) == 0 {
		return nil, errors.New("entry without events")
	}
	if e.First == 0 {
		return nil, errors.New("sequences start at 1")
	}
	doc := entryDocument{
		ID: entryID(e.Stream, e.First), Stream: string(e.Stream), First: int64(e.First),
		Writer: e.Writer, Number: int64(e.Number), Trace: e.Trace, Events: make([]eventDocument, len(e.Events)),
	}
	for i, event := range e.Events {
		doc.Events[i] = eventDocument{
			Type: event.Type, Schema: int32(event.Schema), At: event.At,
			Command: event.Command, Cause: event.Cause, Data: string(event.Data),
		}
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		return nil, err
	}
	if len(raw) > maxDocument {
		return nil, fmt.Errorf("entry of %d bytes is larger than a document can be", len(raw))
	}
	return raw, nil
}

func (d entryDocument) entry() storage.Entry {
	e := storage.Entry{
		Stream: storage.Stream(d.Stream), First: uint64(d.First),
		Writer: d.Writer, Number: uint64(d.Number), Trace: d.Trace, Events: make([]storage.Event, len(d.Events)),
	}
	for i, event := range d.Events {
		e.Events[i] = storage.Event{
			Type: event.Type, Schema: int(event.Schema), At: event.At.UTC(),
			Command: event.Command, Cause: event.Cause, Data: []byte(event.Data),
		}
	}
	return e
}
