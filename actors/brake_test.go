package actors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/queuecommerce/queuecommerce/storage"
)

// TestCommitsWaitForReadModelsThatAreTooFarBehind: what waits for the read models is in memory. But a commit never waits
// for long: where they can't be stored, orders go on.
func TestCommitsWaitForReadModelsThatAreTooFarBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProjector(&Host{})
		held := func() time.Duration {
			began := time.Now()
			p.brake(t.Context())
			return time.Since(began)
		}
		for n := range maxBehind - 1 {
			p.dirty[storage.Stream(fmt.Sprint("order/", n))] = change{}
		}
		assert.Zero(t, held(), "not too many yet")

		p.under = 1
		assert.Equal(t, maxBehind, p.behind(), "what is on its way to the store counts")
		assert.Equal(t, brakeAtMost, held(), "nothing gets on")

		time.AfterFunc(brakeAtMost/4, func() { p.advance(1) })
		assert.Equal(t, brakeAtMost/4, held(), "as soon as some have been stored")

		p.advance(0)
		assert.Zero(t, held(), "there is room again")
	})
}
