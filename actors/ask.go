package actors

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/messages"
)

// insist asks until there is a definite answer. Sure is false when an earlier try may have been executed too, or may
// still be. It returns nil only when ctx has ended.
func (h *Host) insist(ctx context.Context, kind, identity string, make func() *messages.Command) (reply *messages.Reply, sure bool) {
	sure = true
	for delay := 20 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		command := make()
		command.Traceparent = traceOf(ctx)
		reply, err := (*h.asker.Load()).Ask(ctx, kind, identity, command)
		if err == nil && !unavailable(reply) {
			return reply, sure
		}
		sure = sure && err == nil
		if err != nil && ctx.Err() == nil {
			h.Logger.Warn("no answer, asking again", "kind", kind, "identity", identity, "err", err)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return nil, false
		}
	}
}

type traceKey struct{}

// withTrace lets the questions of a task go on with the trace of the command that gave reason for it.
func withTrace(ctx context.Context, trace string) context.Context {
	if trace == "" {
		return ctx
	}
	return context.WithValue(ctx, traceKey{}, trace)
}

func traceOf(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey{}).(string)
	return trace
}

// unavailable says that the command was not executed, and may be asked again.
func unavailable(reply *messages.Reply) bool {
	kind := reply.GetRefusal().GetKind()
	return kind == kindRetry || kind == kindUnavailable
}

const kindUnavailable = 6
