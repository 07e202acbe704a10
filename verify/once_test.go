package verify_test

import (
	"iter"
	"slices"
)

// saidOnce is what a journal says in one place only, so that nothing can contradict it, by the reason for that.
var saidOnce = map[string][]string{
	"what a person wrote, or what people are called": {
		"order.amended notes", "order.placed notes", "order.placed customer firstName", "order.placed customer lastName",
		"order.placed customer phone", "product.adjusted reason",
	},
	"an address": {
		"order.amended shippingAddress city", "order.amended shippingAddress country", "order.amended shippingAddress postalCode",
		"order.amended shippingAddress state", "order.amended shippingAddress street", "order.placed shippingAddress city",
		"order.placed shippingAddress country", "order.placed shippingAddress postalCode", "order.placed shippingAddress state",
		"order.placed shippingAddress street",
	},
	"how the catalogue describes a product": {
		"product.created active", "product.created category", "product.created description", "product.created dimensions",
		"product.created weight", "product.updated active", "product.updated category", "product.updated description",
		"product.updated dimensions", "product.updated weight",
	},
	"what the provider, or its webhook, says in its own words": {
		"payment.disputed disputeId", "payment.failed code", "payment.failed message", "payment.intent_created clientSecret",
		"payment.noticed message", "payment.noticed refundId", "payment.processing requiresAction", "payment.refund_rejected message",
		"payment.refunded refundId", "payment.succeeded method", "webhook.parked amountRefunded", "webhook.parked disputeId",
		"webhook.parked eventId", "webhook.parked message", "webhook.parked method", "webhook.parked refundId", "webhook.parked type",
	},
	"what a product answered an order at one instant of its own": {
		"order.reservation_failed shortages availableQuantity", "order.reservation_failed shortages productName",
	},
	"a text for people that comes from the order, or from the product that missed it": {
		"product.released reason", "product.restocked reason",
	},
	"how long a claim is to last that came to nothing": {"claim.acquired until"},
}

// saidOnceAtTimes is what other events repeat in some situations, and in some not, by the situation in which they don't.
var saidOnceAtTimes = map[string][]string{
	"a claim on a key, which leads to no product": {"claim.acquired owner", "claim.acquired value"},
	"an order that did not get to ask for its payment, or that is not charged at once": {
		"order.placed customer email", "order.placed paymentMethod",
	},
	"a failure without an order, or without anything to give back": {"order.reservation_failed reason", "order.cancelled expired"},
	"a reservation of another system of which nothing was held yet": {
		"order.reservation_requested customerId", "order.reservation_requested expiresAt", "order.reservation_requested lines productId",
		"order.reservation_requested lines quantity",
	},
	"another system's names and prices, before they are repeated": {
		"order.reservation_requested lines productName", "order.reservation_requested lines unitPrice",
	},
	"only the form of an id that nothing refers to":     {"order.reservation_requested id", "payment.requested id", "product.adjusted id"},
	"a product that was deleted, whose claims are gone": {"product.created id"},
	"a product that nobody has bought, that never got low on stock": {
		"product.created lowStockThreshold", "product.created name", "product.created price", "product.created stock",
	},
	"only the form of a payment method's id":             {"payment.confirm_requested method"},
	"an intent that was never charged":                   {"payment.intent_created intentId"},
	"one attempt of several, all of them made":           {"payment.succeeded attempt"},
	"a payment that no order of this shop asked for":     {"payment.requested email", "payment.requested items productId", "payment.requested items productName", "payment.requested items quantity", "payment.requested items unitPrice", "payment.requested method"},
	"a refund that the provider has made, or refused":    {"payment.refund_requested amount", "payment.refund_requested reason"},
	"a refund that was made at the provider, not by us":  {"payment.refunded amount", "payment.refunded index", "payment.refunded reason"},
	"a report that is not more than what could be so":    {"payment.noticed refunded"},
	"an inbox given up so late that it may be delivered": {"webhook.settled givenUp"},
}

func listed(list map[string][]string, path string) bool {
	for p := range paths(list) {
		if p == path {
			return true
		}
	}
	return false
}

func paths(list map[string][]string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, group := range list {
			if slices.ContainsFunc(group, func(p string) bool { return !yield(p) }) {
				return
			}
		}
	}
}
