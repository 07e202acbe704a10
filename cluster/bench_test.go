package cluster_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/messages"
	"github.com/queuecommerce/queuecommerce/storage/memory"
)

// BenchmarkAsk asks an entity of this member, and one of another member in the same process.
func BenchmarkAsk(b *testing.B) {
	leases := memory.NewLeases(time.Now)
	start := func() *cluster.Member {
		m, err := cluster.Start(cluster.Config{Name: "bench", Addr: "127.0.0.1:0", Leases: leases, Kinds: []string{"entity"},
			Logger: slog.New(slog.DiscardHandler), Props: func(string) *actor.Props {
				return actor.PropsFromFunc(func(ctx actor.Context) {
					if _, ok := ctx.Message().(*messages.Command); ok {
						ctx.Respond(&messages.Reply{})
					}
				})
			}})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(m.Stop)
		return m
	}
	near, far := start(), start()
	identity := func(m *cluster.Member) string {
		id := "x"
		for !m.Owns("entity", id) || near.Owns("entity", id) == far.Owns("entity", id) {
			id += "x"
		}
		return id
	}
	for name, id := range map[string]string{"here": identity(near), "there": identity(far)} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(16)
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := near.Client().Ask(context.Background(), "entity", id, &messages.Command{}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
