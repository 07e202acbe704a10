package bridge

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

var errAway = errors.New("the store does not answer")

// moody is a store that now and then does not answer a question. Which one follows from what is asked and the time, so
// that a world is the same every time, though a relay asks several questions at once.
type moody struct {
	*memory.Store
	world *world
}

func (m moody) mood(question string, of string, number uint64) error {
	h := fnv.New32a()
	fmt.Fprint(h, question, of, number, m.world.now.UnixMilli())
	if !m.world.ending && h.Sum32()%16 == 0 {
		return errAway
	}
	return nil
}

func (m moody) Read(ctx context.Context, stream storage.Stream, after uint64, limit int) ([]storage.Entry, error) {
	if err := m.mood("read", string(stream), after); err != nil {
		return nil, err
	}
	return m.Store.Read(ctx, stream, after, limit)
}

func (m moody) ReadBack(ctx context.Context, stream storage.Stream, before uint64, limit int) ([]storage.Entry, error) {
	if err := m.mood("read back", string(stream), before); err != nil {
		return nil, err
	}
	return m.Store.ReadBack(ctx, stream, before, limit)
}

func (m moody) Committed(ctx context.Context, writer string, after uint64, limit int) ([]storage.Entry, error) {
	if err := m.mood("committed", writer, after); err != nil {
		return nil, err
	}
	return m.Store.Committed(ctx, writer, after, limit)
}

func (m moody) Writers(ctx context.Context) ([]storage.Marks, error) {
	if err := m.mood("writers", "", 0); err != nil {
		return nil, err
	}
	return m.Store.Writers(ctx)
}

func (m moody) Advance(ctx context.Context, writer string, mark storage.Mark, number uint64) error {
	if err := m.mood("advance", writer, number); err != nil {
		return err
	}
	return m.Store.Advance(ctx, writer, mark, number)
}
