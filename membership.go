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

// leave hands this member's entities to the others, while its own requests go on, served by theirs.
func (a *App) leave() {
	if !a.config.clustered() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	a.report("hand over entities", a.member.Leave(ctx))
}
