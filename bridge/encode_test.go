package bridge

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
)

func TestEncoders(t *testing.T) {
	for _, r := range rules {
		domaintest.Documents(t, r.data)
	}
}
