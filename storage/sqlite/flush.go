package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/queuecommerce/queuecommerce/storage"
)

const (
	// tailStreams and tailEntries are when the tail moves to read.db: they bound memory and what a start reads again.
	tailStreams = 16_384
	tailEntries = 32_768
	// moveChunk is how many heads one transaction writes, so that Save never waits long.
	moveChunk = 1_000
)

// unstored lists the streams that have something to move, in the order of their table.
func (t *tail) unstored() []storage.Stream {
	var streams []storage.Stream
	for stream, h := range t.heads {
		if !h.stored || t.milestones[stream] != nil {
			streams = append(streams, stream)
		}
	}
	slices.SortFunc(streams, func(a, b storage.Stream) int {
		return cmp.Or(strings.Compare(a.Identity(), b.Identity()), strings.Compare(string(a), string(b)))
	})
	return streams
}

func (t *tail) full() bool { return len(t.heads) >= tailStreams || t.entries >= tailEntries }

func (s *Store) wakeFlusher() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// flusher moves the tail to read.db whenever it is full. Open starts it, Close waits for it.
func (s *Store) flusher() {
	defer close(s.flushed)
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		if err := s.flush(context.Background()); err != nil {
			s.logger.Error("heads not moved to the read store", "err", err)
		}
	}
}

// flush moves to read.db what Save has not taken there: most heads go with the projections of their streams. The
// watermark comes last: heads that are ahead of it are only read again.
func (s *Store) flush(ctx context.Context) (err error) {
	s.moveMu.Lock()
	defer s.moveMu.Unlock()
	moving, committed, ends := s.index.startMove()
	if moving == nil {
		return nil
	}
	defer func() { s.index.settleMove(err) }()
	for chunk := range slices.Chunk(moving.unstored(), moveChunk) {
		if err := s.moveHeads(ctx, moving, chunk); err != nil {
			return err
		}
	}
	conn, err := s.readWriter.take(ctx)
	if err != nil {
		return err
	}
	defer s.readWriter.put(conn)
	return transact(conn, func() error {
		for _, w := range ends {
			if err := storeEnds(conn, w); err != nil {
				return err
			}
		}
		if err := storeBirths(conn, moving.born); err != nil {
			return err
		}
		return setMeta(conn, metaWatermark, committed)
	})
}

func (s *Store) moveHeads(ctx context.Context, moving *tail, chunk []storage.Stream) error {
	return s.readTurn(ctx, func(conn *sqlite.Conn) error {
		reached := int64(0)
		for _, stream := range chunk {
			h := moving.heads[stream]
			if err := storeHead(conn, stream, h); err != nil {
				return err
			}
			reached = max(reached, h.number)
			for _, m := range moving.milestones[stream] {
				err := query(conn, `INSERT OR REPLACE INTO milestones(stream, last, number) VALUES(?,?,?)`,
					func(stmt *sqlite.Stmt) {
						stmt.BindText(1, string(stream))
						stmt.BindInt64(2, int64(m.last))
						stmt.BindInt64(3, m.number)
					}, nil)
				if err != nil {
					return err
				}
			}
		}
		return reach(conn, reached)
	})
}

// reach notes that heads of rows up to this one may be in read.db.
func reach(conn *sqlite.Conn, number int64) error {
	reached, err := metaNumber(conn, metaReached)
	if err != nil || number <= reached {
		return err
	}
	return setMeta(conn, metaReached, number)
}

func storeEnds(conn *sqlite.Conn, w writerState) error {
	return query(conn, `INSERT OR REPLACE INTO writer_ends(writer, first_number, last_number, last_serial)
		VALUES(?,?,?,?)`, func(stmt *sqlite.Stmt) {
		stmt.BindInt64(1, w.id)
		stmt.BindInt64(2, w.ends.first)
		stmt.BindInt64(3, w.ends.last)
		stmt.BindInt64(4, int64(w.ends.serial))
	}, nil)
}
