package actors

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/messages"
)

// TestAnOrderIsPaidAlsoWhenSomeOfItWasGivenBackBeforeItLearnedOfIt: a client may refund a part at once.
func TestAnOrderIsPaidAlsoWhenSomeOfItWasGivenBackBeforeItLearnedOfIt(t *testing.T) {
	for status, want := range map[payment.Status]bool{payment.StatusPending: false, payment.StatusProcessing: false, payment.StatusFailed: false,
		payment.StatusCancelled: false, payment.StatusSucceeded: true, payment.StatusPartiallyRefunded: true, payment.StatusRefunded: false} {
		assert.Equal(t, want, paid(&messages.PaymentState{Status: string(status)}), status)
	}
}
