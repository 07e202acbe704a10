package payment_test

import (
	"testing"

	"github.com/queuecommerce/queuecommerce/actors/domain/domaintest"
	"github.com/queuecommerce/queuecommerce/actors/payment"
)

func TestStoredEvents(t *testing.T) {
	domaintest.Golden[payment.Event](t, payment.Codec,
		payment.Requested{ID: "0000000a8899aabbccddeeff", OrderID: orderID, CustomerID: "cust-1", Email: "ada@example.com",
			Amount: 5398, Currency: "usd", Method: "pm_card_visa", At: t0,
			Items: []payment.Item{{ProductID: "LAMP", ProductName: "Desk lamp", Quantity: 2, UnitPrice: 1999}}},
		payment.IntentCreated{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 5398, Currency: "usd",
			IntentID: "pi_1", ClientSecret: "pi_1_secret", At: t0},
		payment.ConfirmRequested{Attempt: 1, Method: "pm_card_visa", At: t0},
		payment.Processing{Attempt: 1, RequiresAction: true, At: t0},
		payment.Succeeded{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 5398, Currency: "usd",
			IntentID: "pi_1", Method: "pm_card_visa", Attempt: 1, At: t0},
		payment.Failed{PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 5398, Currency: "usd",
			Attempt: 1, Code: "insufficient_funds", Message: "Your card has insufficient funds.", Final: true, At: t0},
		payment.VoidRequested{Reason: "order cancelled", At: t0},
		payment.Cancelled{At: t0},
		payment.RefundRequested{Index: 1, Amount: 1000, Reason: "damaged", At: t0},
		payment.Refunded{Index: 1, PaymentIntentID: intentID, OrderID: orderID, CustomerID: "cust-1", Amount: 1000, Currency: "usd",
			RefundID: "re_1", Reason: "damaged", At: t0},
		payment.RefundRejected{Index: 1, Message: "the charge has been refunded", At: t0},
		payment.Disputed{DisputeID: "dp_1", At: t0},
		payment.Noticed{Failed: true, Message: "Your card was declined.", Refunded: 1000, RefundID: "re_1", At: t0},
	)
}

func TestEncoders(t *testing.T) {
	domaintest.Encoders(t, payment.Codec, payment.Document{})
}
