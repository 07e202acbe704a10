package actors_test

import (
	"encoding/json"
	"testing"

	"github.com/queuecommerce/queuecommerce/messages"
)

// decode reads the answer document of a reply.
func decode[D any](t testing.TB, reply *messages.Reply) (d D) {
	t.Helper()
	if reply.GetRefusal() == nil && len(reply.GetDocument()) > 0 {
		if err := json.Unmarshal(reply.GetDocument(), &d); err != nil {
			t.Errorf("document: %v", err)
		}
	}
	return d
}
