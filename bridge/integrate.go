package bridge

import (
	"cmp"

	"github.com/queuecommerce/queuecommerce/actors/order"
	"github.com/queuecommerce/queuecommerce/actors/payment"
	"github.com/queuecommerce/queuecommerce/actors/product"
)

// One function per stored event: its public version, and the id of the order that it belongs to.

func orderCreated(e order.Placed, _ string) (string, OrderCreated) {
	items := make([]LineItem, len(e.Items))
	for i, item := range e.Items {
		items[i] = LineItem{ProductID: item.ProductID, ProductName: item.ProductName, Quantity: item.Quantity, UnitPrice: item.UnitPrice}
	}
	return e.ID, OrderCreated{OrderID: e.ID, OrderNumber: e.Number, CustomerID: e.Customer.CustomerID, Total: e.Total,
		Currency: e.Currency, Items: items, CreatedAt: e.At}
}

func lineItems(lines []order.Line) []LineItem {
	items := make([]LineItem, len(lines))
	for i, line := range lines {
		items[i] = LineItem(line)
	}
	return items
}

func reservationRequested(e order.ReservationRequested, _ string) (string, ReservationRequested) {
	return e.OrderID, ReservationRequested{OrderID: e.OrderID, CustomerID: e.CustomerID, Items: lineItems(e.Lines),
		ReservationTimeoutMinutes: e.TimeoutMinutes, Timestamp: e.At}
}

func inventoryReserved(e order.Reserved, _ string) (string, InventoryReserved) {
	items := make([]ReservedItem, len(e.Lines))
	for i, line := range e.Lines {
		items[i] = ReservedItem{ProductID: line.ProductID, ProductName: line.ProductName, Quantity: line.Quantity,
			UnitPrice: line.UnitPrice, ReservedQuantity: line.Quantity}
	}
	return e.OrderID, InventoryReserved{OrderID: e.OrderID, ReservationID: e.ReservationID, CustomerID: e.CustomerID,
		Items: items, ExpiresAt: e.ExpiresAt, Timestamp: e.At}
}

func reservationFailed(e order.ReservationFailed, _ string) (string, ReservationFailed) {
	items := make([]InsufficientItem, len(e.Shortages))
	for i, shortage := range e.Shortages {
		items[i] = InsufficientItem(shortage)
	}
	return e.OrderID, ReservationFailed{OrderID: e.OrderID, CustomerID: e.CustomerID, InsufficientItems: items,
		Reason: e.Reason, Timestamp: e.At}
}

func inventoryReleased(e order.ReservationReleased, _ string) (string, InventoryReleased) {
	items := make([]ReleasedItem, len(e.Lines))
	for i, line := range e.Lines {
		items[i] = ReleasedItem{ProductID: line.ProductID, Quantity: line.Quantity}
	}
	return e.OrderID, InventoryReleased{OrderID: e.OrderID, ReservationID: e.ReservationID, CustomerID: e.CustomerID,
		Items: items, Reason: e.Reason, Timestamp: e.At}
}

func inventoryConfirmed(e order.ReservationConfirmed, _ string) (string, InventoryConfirmed) {
	return e.OrderID, InventoryConfirmed{OrderID: e.OrderID, ReservationID: e.ReservationID, CustomerID: e.CustomerID,
		Items: lineItems(e.Lines), Timestamp: e.At}
}

func paymentRequested(e order.PaymentRequested, _ string) (string, PaymentRequested) {
	return e.OrderID, PaymentRequested{OrderID: e.OrderID, CustomerID: e.CustomerID, Amount: e.Amount, Currency: e.Currency,
		CustomerEmail: e.Email, OrderItems: lineItems(e.Lines), PaymentMethodID: e.Method, Timestamp: e.At}
}

func orderConfirmed(e order.Confirmed, id string) (string, OrderUpdated) {
	return id, OrderUpdated{OrderID: id, OrderNumber: e.Number, Status: string(order.StatusConfirmed), UpdatedAt: e.At}
}

func orderStatusChanged(e order.StatusChanged, id string) (string, OrderUpdated) {
	return id, OrderUpdated{OrderID: id, OrderNumber: e.Number, Status: string(e.Status), UpdatedAt: e.At}
}

func orderAmended(e order.Amended, id string) (string, OrderUpdated) {
	return id, OrderUpdated{OrderID: id, OrderNumber: e.Number, Status: string(e.Status), UpdatedAt: e.At}
}

func orderCancelled(e order.Cancelled, id string) (string, OrderCancelled) {
	return id, OrderCancelled{OrderID: id, OrderNumber: e.Number, CustomerID: e.CustomerID,
		Reason: cmp.Or(e.Failure, e.Reason, "order cancelled"), CancelledAt: e.At}
}

func lowStockAlert(e product.LowStock, _ string) (string, LowStockAlert) {
	return "", LowStockAlert{ProductID: e.ProductID, ProductName: e.ProductName, CurrentStock: e.Available,
		Threshold: e.Threshold, Timestamp: e.At}
}

func intentCreated(e payment.IntentCreated, _ string) (string, IntentCreated) {
	return e.OrderID, IntentCreated{PaymentIntentID: e.PaymentIntentID, OrderID: e.OrderID, CustomerID: e.CustomerID,
		Amount: e.Amount, Currency: e.Currency, Status: "pending", CreatedAt: e.At}
}

func paymentConfirmed(e payment.Succeeded, _ string) (string, PaymentConfirmed) {
	return e.OrderID, PaymentConfirmed{PaymentIntentID: e.PaymentIntentID, OrderID: e.OrderID, CustomerID: e.CustomerID,
		Amount: e.Amount, Currency: e.Currency, StripePaymentIntentID: e.IntentID, PaidAt: e.At}
}

func paymentFailed(e payment.Failed, _ string) (string, PaymentFailed) {
	return e.OrderID, PaymentFailed{PaymentIntentID: e.PaymentIntentID, OrderID: e.OrderID, CustomerID: e.CustomerID,
		Amount: e.Amount, Currency: e.Currency, ErrorMessage: e.Message, FailedAt: e.At}
}

func paymentRefunded(e payment.Refunded, _ string) (string, PaymentRefunded) {
	return e.OrderID, PaymentRefunded{PaymentIntentID: e.PaymentIntentID, OrderID: e.OrderID, CustomerID: e.CustomerID,
		RefundAmount: e.Amount, Currency: e.Currency, StripeRefundID: e.RefundID, RefundedAt: e.At}
}
