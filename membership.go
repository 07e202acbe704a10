package main

import (
	"context"
	"time"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/cluster"
)

var _ actors.Membership = (*cluster.Member)(nil)

func (a *App) membership() actors.Membership {
	if !a.config.clustered() {
		return actors.Alone{}
	}
	return a.member
}

// gone is Gone for the relay. Before this member has joined it knows of nobody that has gone.
func (a *App) gone(writer string) bool {
	member := a.joined.Load()
	return member != nil && member.Gone(writer)
}

// inherits says whether this member is the one to relay what a writer that is gone has left.
func (a *App) inherits(writer string) bool {
	member := a.joined.Load()
	return member != nil && member.Owns("writer", writer)
}

// leave hands this member's entities to the others, while its own requests go on, served by theirs.
func (a *App) leave() {
	if !a.config.clustered() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a.report("hand over entities", a.member.Leave(ctx))
}
