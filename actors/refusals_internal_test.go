package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/queuecommerce/queuecommerce/messages"
)

func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	now := time.Unix(1000, 0)
	no := &messages.Reply{Refusal: &messages.Refusal{Kind: 1}}
	command := func(n int) *messages.Command { return &messages.Command{Id: fmt.Sprint("c-", n)} }
	for n := range 3 * refusedAtMost {
		r.add(command(n), no, now)
	}
	assert.Len(t, r.replies, refusedAtMost)
	assert.Len(t, r.order, refusedAtMost)
	assert.Nil(t, r.of(command(0), now), "the oldest are gone")
	assert.Equal(t, no, r.of(command(3*refusedAtMost-1), now))

	r.add(&messages.Command{}, no, now)
	r.add(&messages.Command{Id: "later"}, retry("not now"), now)
	assert.Len(t, r.replies, refusedAtMost, "without a name, or to be tried again: nothing to remember")

	later := now.Add(refusedFor)
	assert.Nil(t, r.of(command(3*refusedAtMost-1), later))
	r.add(command(0), no, later)
	assert.Len(t, r.replies, 1, "what is over is forgotten")
	assert.Equal(t, later.Add(refusedFor), r.until)
}
