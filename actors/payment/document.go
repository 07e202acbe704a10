package payment

import "github.com/queuecommerce/queuecommerce/actors/domain"

// RefundDocument is one refund in a payment's answer.
type RefundDocument struct {
	StripeRefundID string      `json:"stripeRefundId"`
	Amount         int64       `json:"amount"`
	Reason         string      `json:"reason,omitempty"`
	CreatedAt      domain.Time `json:"createdAt"`
}

// Document is the payment as REST answers it and, without the client secret, as its read model keeps it.
type Document struct {
	ID                    string           `json:"_id"`
	PaymentIntentID       string           `json:"paymentIntentId"`
	OrderID               string           `json:"orderId"`
	CustomerID            string           `json:"customerId"`
	Amount                int64            `json:"amount"`
	Currency              string           `json:"currency"`
	Status                Status           `json:"status"`
	StripePaymentIntentID string           `json:"stripePaymentIntentId,omitempty"`
	StripeClientSecret    string           `json:"stripeClientSecret,omitempty"`
	CustomerEmail         string           `json:"customerEmail"`
	OrderItems            []Item           `json:"orderItems"`
	PaymentMethodID       string           `json:"paymentMethodId,omitempty"`
	ErrorMessage          string           `json:"errorMessage,omitempty"`
	PaidAt                domain.Time      `json:"paidAt,omitzero"`
	FailedAt              domain.Time      `json:"failedAt,omitzero"`
	RefundedAt            domain.Time      `json:"refundedAt,omitzero"`
	RefundedAmount        int64            `json:"refundedAmount"`
	Refunds               []RefundDocument `json:"refunds"`
	Disputes              []string         `json:"disputes,omitempty"`
	CreatedAt             domain.Time      `json:"createdAt"`
	UpdatedAt             domain.Time      `json:"updatedAt"`
	Version               uint64           `json:"version"`
}

// Document returns the payment's answer document. Lists are made without the client secret, which lets its holder pay.
func (s *State) Document(withSecret bool) Document {
	r := &s.Requested
	d := Document{
		ID: r.ID, PaymentIntentID: s.PaymentIntentID(), OrderID: r.OrderID, CustomerID: r.CustomerID, Amount: r.Amount,
		Currency: r.Currency, Status: s.Status, StripePaymentIntentID: s.IntentID, CustomerEmail: r.Email, OrderItems: r.Items,
		PaymentMethodID: s.methodOf(len(s.Attempts)), ErrorMessage: s.ErrorMessage, PaidAt: s.PaidAt, FailedAt: s.FailedAt,
		RefundedAt: s.RefundedAt, RefundedAmount: s.Refunded(), Refunds: []RefundDocument{}, Disputes: s.Disputes,
		CreatedAt: r.At, UpdatedAt: s.UpdatedAt, Version: s.Version,
	}
	if withSecret {
		d.StripeClientSecret = s.ClientSecret
	}
	for _, list := range [][]Refund{s.Refunds, s.External} {
		for _, refund := range list {
			if refund.RefundID != "" {
				d.Refunds = append(d.Refunds, RefundDocument{StripeRefundID: refund.RefundID, Amount: refund.Amount, Reason: refund.Reason, CreatedAt: refund.At})
			}
		}
	}
	return d
}
