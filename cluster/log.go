package cluster

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/queuecommerce/queuecommerce/storage"
)

// libraryLog is what of Proto.Actor's log is worth keeping: its errors, without the messages that it adds to them, which
// may be somebody's personal data.
func libraryLog(logger *slog.Logger, broken *broken) *slog.Logger {
	return slog.New(errorsOnly{logger.Handler(), broken}).With("part", "proto.actor")
}

type errorsOnly struct {
	slog.Handler
	broken *broken
}

func (h errorsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError && h.Handler.Enabled(ctx, level)
}

func (h errorsOnly) Handle(ctx context.Context, record slog.Record) error {
	kept := slog.NewRecord(record.Time, slog.LevelWarn, record.Message, record.PC)
	addr := ""
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "address":
			addr = a.Value.String()
			kept.AddAttrs(a)
		case "error", "retry", "kind":
			kept.AddAttrs(a)
		}
		return true
	})
	if addr == "" {
		return h.Handler.Handle(ctx, kept)
	}
	h.broken.add(addr, func(level slog.Level) {
		if kept.Level = level; h.Handler.Enabled(context.Background(), level) {
			_ = h.Handler.Handle(context.Background(), kept) // nobody is left who could be told
		}
	})
	return nil
}

func (h errorsOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return errorsOnly{h.Handler.WithAttrs(attrs), h.broken}
}

func (h errorsOnly) WithGroup(name string) slog.Handler {
	return errorsOnly{h.Handler.WithGroup(name), h.broken}
}

// broken holds back what is to be said of connections that broke. A member that leaves ends its lease before its
// connections, but the others may see these end first: only the next list of the leases tells whether to warn.
type broken struct {
	view *atomic.Pointer[view]

	mu      sync.Mutex // guards waiting
	waiting []breakage
}

type breakage struct {
	member string
	at     time.Time
	say    func(slog.Level)
}

// add takes what is to be said of the connection to that address.
func (b *broken) add(addr string, say func(slog.Level)) {
	leases := b.view.Load().leases
	at := slices.IndexFunc(leases, func(l storage.Lease) bool { return l.Addr == addr })
	if at < 0 { // whoever was there has left
		say(slog.LevelInfo)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, breakage{leases[at].Member, time.Now(), say})
}

// judge has everything said that is older than this list of the leases, or than the attempt to get one: as a warning,
// unless the member has no lease any more.
func (b *broken) judge(leases []storage.Lease, err error, asked time.Time) {
	for _, w := range b.before(asked) {
		level := slog.LevelInfo
		if err != nil || slices.ContainsFunc(leases, func(l storage.Lease) bool { return l.Member == w.member }) {
			level = slog.LevelWarn
		}
		w.say(level)
	}
}

// before takes out what is older than that.
func (b *broken) before(asked time.Time) (older []breakage) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = slices.DeleteFunc(b.waiting, func(w breakage) bool {
		if !w.at.Before(asked) {
			return false
		}
		older = append(older, w)
		return true
	})
	return older
}
