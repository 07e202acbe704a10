package storage

import "context"

// Newest is what a store may offer beside its port: reading an entity's document without waking the entity.
type Newest interface {
	// Newest returns the document of a stream and the projection that it belongs to, without documents and snapshot, if
	// the read models hold it as of the stream's newest durable entry; else, also where that is not cheap to know,
	// ErrNotFound, and the entity has to be asked.
	Newest(ctx context.Context, stream Stream, collection Collection, id string) (Document, Projection, error)
}
