package main

import (
	"context"
	"slices"
	"time"

	"github.com/queuecommerce/queuecommerce/actors"
	"github.com/queuecommerce/queuecommerce/cluster"
	"github.com/queuecommerce/queuecommerce/storage"
)

// membership is what the entities and the relay know of the other members.
type membership struct{ *cluster.Member }

var _ actors.Membership = membership{}

// Gone says whether the process that writes under that name is no longer a member.
func (m membership) Gone(writer string) bool {
	return !slices.ContainsFunc(m.Members(), func(l storage.Lease) bool { return l.Writer == writer })
}

func (a *App) membership() actors.Membership {
	if !a.config.clustered() {
		return actors.Alone{}
	}
	return membership{a.member}
}

// gone is Gone for the relay. Before this member has joined it knows of nobody that has gone.
func (a *App) gone(writer string) bool {
	member := a.joined.Load()
	return member != nil && membership{member}.Gone(writer)
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
