package cluster

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/queuecommerce/queuecommerce/storage"
)

func TestABrokenConnectionIsAWarningUnlessTheNextListShowsThatTheMemberHasLeft(t *testing.T) {
	there := []storage.Lease{{Member: "a", Addr: "a:1"}, {Member: "b", Addr: "b:1"}}
	for name, row := range map[string]struct {
		addr string
		next []storage.Lease
		err  error
		want slog.Level
	}{
		"it is a member":                    {addr: "b:1", next: there, want: slog.LevelWarn},
		"it has left":                       {addr: "b:1", next: there[:1], want: slog.LevelInfo},
		"it has left and another took over": {addr: "b:1", next: []storage.Lease{there[0], {Member: "c", Addr: "b:1"}}, want: slog.LevelInfo},
		"nobody can say":                    {addr: "b:1", err: errors.New("no store"), want: slog.LevelWarn},
		"it had left before":                {addr: "c:1", next: there, want: slog.LevelInfo},
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Pointer[view]
			seen.Store(emptyView().next(there, time.Now()))
			b := &broken{view: &seen}
			var said []slog.Level
			asked := time.Now()
			b.add(row.addr, func(level slog.Level) { said = append(said, level) })
			before := len(said)
			b.judge(nil, nil, asked)
			assert.Len(t, said, before, "a list that was asked for before says nothing")
			for range 2 {
				b.judge(row.next, row.err, time.Now().Add(time.Second))
			}
			assert.Equal(t, []slog.Level{row.want}, said)
		})
	}
}
