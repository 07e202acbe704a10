package actors

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// loader takes its time to wake an entity, and counts.
type loader struct {
	takes         time.Duration
	now, most, in atomic.Int64
}

func (l *loader) Ask(ctx context.Context, _, _ string, _ *messages.Command) (*messages.Reply, error) {
	l.in.Add(1)
	if now := l.now.Add(1); now > l.most.Load() {
		l.most.Store(now)
	}
	defer l.now.Add(-1)
	select {
	case <-time.After(l.takes):
		return &messages.Reply{}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *loader) Tell(string, string, *messages.Command) {}

// TestSweeperWakesFewAtOnce: a start finds a thousand products whose deadlines are due. Each of them reads the journal, and
// so does the first command of a buyer, which must not stand behind all of them.
func TestSweeperWakesFewAtOnce(t *testing.T) {
	for name, takes := range map[string]time.Duration{"swift": time.Millisecond, "slow": 300 * time.Millisecond, "stuck": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const due = 30
				store := memory.New()
				for n := range due {
					stream := storage.StreamOf(KindProduct, fmt.Sprint("p-", n))
					require.NoError(t, store.Save(t.Context(), []storage.Projection{{Stream: stream, Version: 1, Due: time.Now()}}, "", 0))
				}
				host := NewHost(Config{Store: store, Logger: slog.New(slog.DiscardHandler)})
				asked := &loader{takes: takes}
				s := newSweeper(host, asked, Alone{})
				began := time.Now()
				for sweeps := 1; asked.in.Load() < due; sweeps++ {
					require.LessOrEqual(t, sweeps, due, "each sweep gets on")
					s.sweep(t.Context(), time.Now())
					synctest.Wait() // until those that it woke have been asked
					assert.LessOrEqual(t, time.Since(began), time.Duration(sweeps)*sweepEvery, "a sweep does not hold up the next one")
				}
				host.crew.wait()
				assert.EqualValues(t, wakeAtOnce, asked.most.Load())
				assert.EqualValues(t, due, asked.in.Load(), "each once")
			})
		})
	}
}
