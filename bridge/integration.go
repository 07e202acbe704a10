package bridge

import "github.com/queuecommerce/queuecommerce/actors/domain"

// The data of the integration events: what subscribers may rely on. Sums are in the currency's minor unit, currencies
// lower case ISO 4217, instants ISO-8601 UTC with milliseconds. A key may be added, here and in encode.go; none is ever
// removed or renamed.

// LineItem is the demand for one product.
type LineItem struct {
	ProductID   string `json:"productId"`
	ProductName string `json:"productName"`
	Quantity    int64  `json:"quantity"`
	UnitPrice   int64  `json:"unitPrice" doc:"minor units"`
}

// ReservedItem is a line whose whole quantity is held.
type ReservedItem struct {
	ProductID        string `json:"productId"`
	ProductName      string `json:"productName"`
	Quantity         int64  `json:"quantity"`
	UnitPrice        int64  `json:"unitPrice" doc:"minor units"`
	ReservedQuantity int64  `json:"reservedQuantity"`
}

// ReleasedItem is a line that is available again.
type ReleasedItem struct {
	ProductID string `json:"productId"`
	Quantity  int64  `json:"quantity"`
}

// InsufficientItem is a line that could not be held.
type InsufficientItem struct {
	ProductID         string `json:"productId"`
	ProductName       string `json:"productName"`
	RequestedQuantity int64  `json:"requestedQuantity"`
	AvailableQuantity int64  `json:"availableQuantity"`
}

// OrderCreated is the data of order.created.
type OrderCreated struct {
	OrderID     string      `json:"orderId"`
	OrderNumber string      `json:"orderNumber"`
	CustomerID  string      `json:"customerId"`
	Total       int64       `json:"total" doc:"minor units, with tax and shipping"`
	Currency    string      `json:"currency"`
	Items       []LineItem  `json:"items"`
	CreatedAt   domain.Time `json:"createdAt"`
}

// OrderUpdated is the data of order.updated.
type OrderUpdated struct {
	OrderID     string      `json:"orderId"`
	OrderNumber string      `json:"orderNumber"`
	Status      string      `json:"status" enum:"pending,confirmed,processing,shipped,delivered,cancelled"`
	UpdatedAt   domain.Time `json:"updatedAt"`
}

// OrderCancelled is the data of order.cancelled.
type OrderCancelled struct {
	OrderID     string      `json:"orderId"`
	OrderNumber string      `json:"orderNumber"`
	CustomerID  string      `json:"customerId"`
	Reason      string      `json:"reason"`
	CancelledAt domain.Time `json:"cancelledAt"`
}

// ReservationRequested is the data of inventory.reservation.requested.
type ReservationRequested struct {
	OrderID                   string      `json:"orderId"`
	CustomerID                string      `json:"customerId"`
	Items                     []LineItem  `json:"items"`
	ReservationTimeoutMinutes int64       `json:"reservationTimeoutMinutes"`
	Timestamp                 domain.Time `json:"timestamp"`
}

// InventoryReserved is the data of inventory.reserved.
type InventoryReserved struct {
	OrderID       string         `json:"orderId"`
	ReservationID string         `json:"reservationId"`
	CustomerID    string         `json:"customerId"`
	Items         []ReservedItem `json:"items"`
	ExpiresAt     domain.Time    `json:"expiresAt"`
	Timestamp     domain.Time    `json:"timestamp"`
}

// ReservationFailed is the data of inventory.reservation.failed.
type ReservationFailed struct {
	OrderID           string             `json:"orderId"`
	CustomerID        string             `json:"customerId"`
	InsufficientItems []InsufficientItem `json:"insufficientItems"`
	Reason            string             `json:"reason"`
	Timestamp         domain.Time        `json:"timestamp"`
}

// InventoryReleased is the data of inventory.released.
type InventoryReleased struct {
	OrderID       string         `json:"orderId"`
	ReservationID string         `json:"reservationId"`
	CustomerID    string         `json:"customerId"`
	Items         []ReleasedItem `json:"items"`
	Reason        string         `json:"reason"`
	Timestamp     domain.Time    `json:"timestamp"`
}

// InventoryConfirmed is the data of inventory.confirmed.
type InventoryConfirmed struct {
	OrderID       string      `json:"orderId"`
	ReservationID string      `json:"reservationId"`
	CustomerID    string      `json:"customerId"`
	Items         []LineItem  `json:"items"`
	Timestamp     domain.Time `json:"timestamp"`
}

// LowStockAlert is the data of inventory.low_stock_alert.
type LowStockAlert struct {
	ProductID    string      `json:"productId"`
	ProductName  string      `json:"productName"`
	CurrentStock int64       `json:"currentStock" doc:"what is available: stock minus reserved"`
	Threshold    int64       `json:"threshold"`
	Timestamp    domain.Time `json:"timestamp"`
}

// PaymentRequested is the data of payment.process.requested.
type PaymentRequested struct {
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount" doc:"minor units"`
	Currency        string      `json:"currency"`
	CustomerEmail   string      `json:"customerEmail"`
	OrderItems      []LineItem  `json:"orderItems"`
	PaymentMethodID string      `json:"paymentMethodId,omitempty" doc:"set: charged at once"`
	Timestamp       domain.Time `json:"timestamp"`
}

// IntentCreated is the data of payment.intent.created.
type IntentCreated struct {
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount" doc:"minor units"`
	Currency        string      `json:"currency"`
	Status          string      `json:"status" enum:"pending"`
	CreatedAt       domain.Time `json:"createdAt"`
}

// PaymentConfirmed is the data of payment.confirmed.
type PaymentConfirmed struct {
	PaymentIntentID       string      `json:"paymentIntentId"`
	OrderID               string      `json:"orderId"`
	CustomerID            string      `json:"customerId"`
	Amount                int64       `json:"amount" doc:"minor units"`
	Currency              string      `json:"currency"`
	StripePaymentIntentID string      `json:"stripePaymentIntentId"`
	PaidAt                domain.Time `json:"paidAt"`
}

// PaymentFailed is the data of payment.failed.
type PaymentFailed struct {
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	Amount          int64       `json:"amount" doc:"minor units"`
	Currency        string      `json:"currency"`
	ErrorMessage    string      `json:"errorMessage"`
	FailedAt        domain.Time `json:"failedAt"`
}

// PaymentRefunded is the data of payment.refunded.
type PaymentRefunded struct {
	PaymentIntentID string      `json:"paymentIntentId"`
	OrderID         string      `json:"orderId"`
	CustomerID      string      `json:"customerId"`
	RefundAmount    int64       `json:"refundAmount" doc:"minor units, of this refund alone"`
	Currency        string      `json:"currency"`
	StripeRefundID  string      `json:"stripeRefundId"`
	RefundedAt      domain.Time `json:"refundedAt"`
}
